"""Frame times, mean images and copies of ScanImage files, and the files that we write."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
import tifffile

from imaging_pipeline.demo.scanimage_file import ScanImageSettings, write_acquisition, write_stack
from imaging_pipeline.errors import FormatError, InputError
from imaging_pipeline.readers.scanimage.frames import frames_before, read_frame_times
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.tiff.recorded import iter_pages, mean_image
from tests.makers import scanimage

VOLUMES = ScanImageSettings(frame_rate_hz=30.0, num_planes=3, flyback_frames=1)


def test_every_frame_has_its_number_and_time(tmp_path):
    tif = read_tif(scanimage.write_tif(tmp_path / "a.tif", num_pages=5))

    times = read_frame_times(tif)

    assert times.frame_numbers.tolist() == [1, 2, 3, 4, 5]
    assert times.acquisition_numbers.tolist() == [1] * 5
    np.testing.assert_allclose(times.timestamps_s, np.arange(5) / 30, atol=1e-9)
    assert [line.size for line in times.aux_triggers_s] == [0, 0, 0, 0]


def test_the_channels_of_a_frame_are_one_time(tmp_path):
    settings = replace(scanimage.SETTINGS, channels=(1, 2))
    tif = read_tif(scanimage.write_tif(tmp_path / "a.tif", num_pages=7, settings=settings))

    assert read_frame_times(tif).frame_numbers.tolist() == [1, 2, 3]


def test_numbers_and_times_go_on_over_the_files_of_an_acquisition(tmp_path):
    paths = write_acquisition(
        tmp_path, "90218-openfield1m", 2, scanimage.numbered_pages(10), scanimage.SETTINGS, frames_per_file=4
    )

    times = [read_frame_times(read_tif(path)) for path in paths]

    assert [path.name for path in paths] == [
        f"90218-openfield1m_00002_0000{number}.tif" for number in (1, 2, 3)
    ]
    assert [time.frame_numbers.tolist() for time in times] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    np.testing.assert_allclose(
        np.concatenate([time.timestamps_s for time in times]), np.arange(10) / 30, atol=1e-9
    )


def test_auxiliary_triggers_come_back(tmp_path):
    triggers = ((0.01, 0.02, 0.15), (), (0.1,), ())
    settings = replace(scanimage.SETTINGS, aux_triggers_s=triggers)
    tif = read_tif(scanimage.write_tif(tmp_path / "a.tif", settings=settings))

    found = read_frame_times(tif).aux_triggers_s

    assert tuple(tuple(line.tolist()) for line in found) == triggers


def test_the_times_of_version_5_0_are_read(tmp_path):
    path = scanimage.write_classic_tif(tmp_path / "a.tif", scanimage.FRAME_LINES_50, scanimage.HEADER_50)

    times = read_frame_times(read_tif(path))

    assert times.frame_numbers.tolist() == [1, 2, 3]
    np.testing.assert_allclose(times.timestamps_s, np.array([1, 2, 3]) / 30, atol=1e-9)


def test_the_times_of_version_4_follow_from_the_frame_rate(tmp_path):
    path = scanimage.write_classic_tif(tmp_path / "a.tif", scanimage.FRAME_LINES_4, scanimage.HEADER_4)

    times = read_frame_times(read_tif(path))

    assert times.frame_numbers.tolist() == [1, 2, 3]
    assert times.timestamps_s.tolist() == [0, 0.05, 0.1]
    assert [line.size for line in times.aux_triggers_s] == [0, 0, 0, 0]


def test_the_tags_of_version_4_are_decimal(tmp_path):
    lines = "Frame Tag = 000000{number}3\n"
    path = scanimage.write_classic_tif(tmp_path / "a.tif", lines, scanimage.HEADER_4)

    assert read_frame_times(read_tif(path)).frame_numbers.tolist() == [13, 23, 33]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("Frame Tag = 0000000A\n", "Frame Tag = 0000000A"),
        ("Frame Tag = 00000007\n", "Frame Tag 7 and then 7"),
        ("", "scanimage.SI4"),
        ("Frame Tag = 00000000\n", "Frame Tag = 00000000"),
    ],
)
def test_frames_of_version_4_without_an_order_are_refused(tmp_path, lines, found):
    path = scanimage.write_classic_tif(tmp_path / "a.tif", lines, scanimage.HEADER_4)

    with pytest.raises(FormatError, match=rf"a\.tif.*{found}"):
        read_frame_times(read_tif(path))


def test_averaged_frames_of_version_4_follow_one_another(tmp_path):
    header = scanimage.HEADER_4.replace("fastZEnable = 1", "acqNumAveragedFrames = 2\nscanimage.SI4.x = 1")
    lines = "Frame Tag = 000000{number}3\n"
    path = scanimage.write_classic_tif(tmp_path / "a.tif", lines, header)

    with pytest.raises(FormatError, match="Frame Tag 13 and then 23.*go up by one"):
        read_frame_times(read_tif(path))


def test_the_frames_of_version_3_are_counted(tmp_path):
    tif = read_tif(scanimage.write_classic_tif(tmp_path / "a.tif", "", scanimage.HEADER_3))

    times = read_frame_times(tif)

    assert times.frame_numbers.tolist() == [1, 2, 3]
    np.testing.assert_allclose(times.timestamps_s, np.arange(3) / 3.90625)


def test_a_file_that_grew_since_it_was_read_is_refused(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif", num_pages=5)
    tif = read_tif(path)
    scanimage.write_tif(path, num_pages=6)

    with pytest.raises(FormatError, match="changed.*6 pages.*5 pages"):
        read_frame_times(tif)


def test_the_mean_image_is_of_frames_from_all_over_the_file(tmp_path):
    tif = read_tif(scanimage.write_tif(tmp_path / "a.tif", num_pages=101))

    image = mean_image(tif, max_frames=3)

    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, np.full((scanimage.HEIGHT, scanimage.WIDTH), 50))


def test_the_mean_image_is_of_one_channel(tmp_path):
    settings = replace(scanimage.SETTINGS, channels=(1, 2))
    tif = read_tif(scanimage.write_tif(tmp_path / "a.tif", num_pages=6, settings=settings))

    assert mean_image(tif)[0, 0] == 2
    assert mean_image(tif, channel=1)[0, 0] == 3
    with pytest.raises(InputError, match="Found: 2. Allowed: 0 to 1"):
        mean_image(tif, channel=2)


def test_the_mean_image_of_volumes_is_of_their_first_plane(tmp_path):
    tif = read_tif(scanimage.write_tif(tmp_path / "a.tif", num_pages=9, settings=VOLUMES))

    assert mean_image(tif)[0, 0] == (0 + 4 + 8) / 3


def test_the_mean_image_of_volumes_counts_from_the_acquisitions_start(tmp_path):
    # The files before held six frames: this one begins with the third plane.
    path = scanimage.write_tif(tmp_path / "a.tif", num_pages=8, settings=VOLUMES.after(6))
    tif = read_tif(path)

    assert mean_image(tif, frames_before=frames_before(tif))[0, 0] == (2 + 6) / 2


def test_a_file_without_a_frame_of_the_first_plane_has_no_mean_image(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif", num_pages=2, settings=VOLUMES.after(1))
    tif = read_tif(path)

    with pytest.raises(FormatError, match="no frame of the first plane"):
        mean_image(tif, frames_before=frames_before(tif))


def test_pages_are_read_in_any_range(tmp_path):
    tif = read_tif(scanimage.write_tif(tmp_path / "a.tif"))

    assert [int(page[0, 0]) for page in iter_pages(tif, range(4, -1, -2))] == [4, 2, 0]
    with pytest.raises(InputError, match="no such pages"):
        next(iter_pages(tif, range(5, 7)))


def test_a_written_file_is_a_scanimage_file_to_tifffile(tmp_path):
    settings = replace(
        VOLUMES, channels=(1, 2), frames_per_slice=2, start=datetime(2021, 3, 4, 5, 6, 7, 890000)
    )
    path = tmp_path / "a.tif"
    pages = list(scanimage.numbered_pages(28))

    write_stack(path, pages, settings)

    with tifffile.TiffFile(path) as other:
        assert other.is_scanimage
        assert len(other.pages) == 28
        np.testing.assert_array_equal([page.asarray() for page in other.pages], pages)
        frame_data = other.scanimage_metadata["FrameData"]
    assert frame_data["SI.hChannels.channelSave"] == [[1], [2]]
    assert frame_data["SI.hStackManager.numFramesPerVolumeWithFlyback"] == 7
    header = read_tif(path).header
    assert (header.num_planes, header.frames_per_slice, header.num_flyback_frames) == (3, 2, 1)
    assert header.pages_per_volume == 14
    assert header.volume_rate_hz == pytest.approx(30 / 7)
    assert header.start == settings.start


def test_a_file_without_pages_is_not_written(tmp_path):
    with pytest.raises(InputError, match=r"without pages.*a\.tif"):
        write_stack(tmp_path / "a.tif", [], scanimage.SETTINGS)


def test_pages_of_different_sizes_are_not_written(tmp_path):
    with pytest.raises(InputError, match="differs from the file's first"):
        write_stack(
            tmp_path / "a.tif", [np.zeros((4, 4), np.int16), np.zeros((4, 5), np.int16)], scanimage.SETTINGS
        )


@pytest.mark.parametrize("page", [np.zeros((4, 4)), np.zeros((4, 4, 2), np.int16)])
def test_other_than_flat_integer_pages_are_not_written(tmp_path, page):
    with pytest.raises(InputError, match="no page of a ScanImage file"):
        write_stack(tmp_path / "a.tif", [page], scanimage.SETTINGS)
