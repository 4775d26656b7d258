import datetime
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from imaging_pipeline.demo.scanimage_file import ScanImageSettings, write_stack
from imaging_pipeline.errors import FormatError, InputError, StillCopyingError
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.tiff.recorded import read_plain_tif
from imaging_pipeline.suite2p_runner.preflight import check_inputs
from imaging_pipeline.suite2p_runner.request import Trim
from tests.makers import scanimage
from tests.makers.scanimage_fields import Field, write_fields_tif

PLANAR = ScanImageSettings(30.0)
TWO_PLANES = ScanImageSettings(30.0, num_planes=2)
UPPER, LOWER = Field(16, 10), Field(12, 10, top=40)


def write(path: Path, num_pages: int, settings: ScanImageSettings = PLANAR, shape=(12, 16)):
    random = np.random.default_rng(0)
    write_stack(path, (random.integers(0, 99, shape).astype(np.int16) for _ in range(num_pages)), settings)
    return read_tif(path)


def test_every_page_of_a_planar_recording_goes_in(tmp_path):
    tifs = [write(tmp_path / f"a_00001_0000{number}.tif", 13) for number in (1, 2)]

    inputs = check_inputs(tifs, [1, 1])

    assert (inputs.num_volumes, inputs.num_pages, inputs.trimmed) == (26, 26, ())


def test_a_volume_cut_short_at_the_end_of_an_acquisition_is_left_out(tmp_path):
    tifs = [
        write(tmp_path / "a_00001.tif", 21, TWO_PLANES),
        write(tmp_path / "a_00002.tif", 20, TWO_PLANES),
    ]

    inputs = check_inputs(tifs, [1, 2])

    assert inputs.num_volumes == 20
    assert inputs.trimmed == (Trim("a_00001.tif", 1),)


def test_a_volume_that_goes_on_in_the_next_file_is_whole(tmp_path):
    tifs = [write(tmp_path / f"a_00001_0000{number}.tif", 11, TWO_PLANES) for number in (1, 2)]

    inputs = check_inputs(tifs, [1, 1])

    assert (inputs.num_volumes, inputs.trimmed) == (11, ())


def test_flyback_frames_belong_to_the_volume(tmp_path):
    settings = ScanImageSettings(30.0, num_planes=3, flyback_frames=2, channels=(1, 2))

    inputs = check_inputs([write(tmp_path / "a_00001.tif", 10 * 10 + 7, settings)], [1])

    assert inputs.num_volumes == 10
    assert inputs.trimmed == (Trim("a_00001.tif", 7),)


def test_a_volume_cut_short_over_two_files_is_left_out_of_both(tmp_path):
    settings = ScanImageSettings(30.0, num_planes=4)
    tifs = [
        write(tmp_path / "a_00001_00001.tif", 42, settings),
        write(tmp_path / "a_00001_00002.tif", 1, settings),
    ]

    inputs = check_inputs(tifs, [1, 1])

    assert [part.num_pages for part in inputs.parts] == [40, 0]
    assert inputs.trimmed == (Trim("a_00001_00001.tif", 2), Trim("a_00001_00002.tif", 1))


@pytest.mark.parametrize(
    ("settings", "shape", "found"),
    [
        (PLANAR, (12, 18), "18 x 12"),
        (TWO_PLANES, (12, 16), "2 planes"),
        (ScanImageSettings(30.0, channels=(1, 2)), (12, 16), "2 channels"),
        (ScanImageSettings(15.0), (12, 16), "15 Hz"),
    ],
)
def test_files_that_were_not_recorded_alike_are_refused_with_both_kinds(tmp_path, settings, shape, found):
    tifs = [write(tmp_path / "a_00001.tif", 20), write(tmp_path / "b_00001.tif", 20, settings, shape)]

    with pytest.raises(FormatError, match=rf"b_00001\.tif.*{found}.*16 x 12 int16.*a_00001\.tif"):
        check_inputs(tifs, [1, 2])


def test_several_frames_a_slice_are_refused_with_what_to_do_instead(tmp_path):
    tif = write(tmp_path / "a_00001.tif", 60, ScanImageSettings(30.0, num_planes=2, frames_per_slice=2))

    with pytest.raises(
        InputError, match=r"a_00001\.tif.*2 frames a slice.*Average the frames.*logAverageFactor"
    ):
        check_inputs([tif], [1])


@pytest.mark.parametrize("dtype", ["int32", "uint32", "float32"])
def test_pixels_that_may_not_fit_into_int16_are_refused_with_what_to_do(tmp_path, dtype):
    movie = np.random.default_rng(0).integers(0, 99, (20, 12, 16)).astype(dtype)
    tifffile.imwrite(tmp_path / "a_00001.tif", movie, metadata=None)
    tif = read_plain_tif(tmp_path / "a_00001.tif", write(tmp_path / "header.tif", 2).header)

    with pytest.raises(InputError, match=rf"a_00001\.tif.*Found: {dtype}.*int16 or .*uint16.*tifs of int16"):
        check_inputs([tif], [1])


def test_frames_to_leave_out_are_counted_with_volumes_that_are_not_whole(tmp_path):
    tifs = [
        write(tmp_path / "a_00001.tif", 21, TWO_PLANES),
        write(tmp_path / "a_00002.tif", 20, TWO_PLANES),
    ]

    assert check_inputs(tifs, [1, 2], (0, 9, 10, 11, 20)).bad_frames == (0, 9, 10, 19)
    with pytest.raises(InputError, match=r"File: .*bad_frames\.npy\. Found: 21\. Allowed: 0 to 20"):
        check_inputs(tifs, [1, 2], (0, 21))
    with pytest.raises(InputError, match="Found: 9 of 20 frames"):
        check_inputs(tifs, [1, 2], (*range(9), 19, 20))


def test_a_z_stack_is_no_time_series(tmp_path):
    header = scanimage.header_with(
        replace(TWO_PLANES, num_planes=31), hStackManager__stackMode="'slow'", hFastZ__enable="false"
    )
    tif = read_tif(scanimage.write_tif(tmp_path / "stack_00001.tif", 31, header=header))

    with pytest.raises(InputError, match=r"z-stack.*stack_00001\.tif.*31 slices.*'slow'"):
        check_inputs([tif], [1])


def test_fields_of_view_go_in_by_the_lines_that_they_have_in_a_page(tmp_path):
    inputs = check_inputs([fields_tif(tmp_path / "a_00001.tif", (UPPER, LOWER))], [1])

    assert [(place.first_line, place.last_line) for place in inputs.fields] == [(0, 15), (20, 31)]
    assert inputs.frame_sizes == ((16, 10), (12, 10))


def test_acquisitions_whose_fields_lie_elsewhere_are_refused(tmp_path):
    tifs = [
        fields_tif(tmp_path / "a_00001.tif", (UPPER, LOWER)),
        fields_tif(tmp_path / "b_00001.tif", (UPPER, replace(LOWER, left=7))),
    ]

    with pytest.raises(FormatError, match=r"b_00001\.tif.*at line 20, 12 lines, 7 px right.*0 px right"):
        check_inputs(tifs, [1, 2])


def fields_tif(path, fields):
    random = np.random.default_rng(0)
    frames = [
        [random.integers(0, 99, (field.height, field.width)).astype(np.int16) for field in fields]
        for _ in range(12)
    ]
    return read_tif(write_fields_tif(path, fields, frames))


def test_too_few_frames_are_refused(tmp_path):
    with pytest.raises(InputError, match="Found: 9 whole frames"):
        check_inputs([write(tmp_path / "a_00001.tif", 19, TWO_PLANES)], [1])


def test_a_file_that_ends_amid_its_channels_is_refused(tmp_path):
    settings = ScanImageSettings(30.0, channels=(1, 2))
    tifs = [write(tmp_path / f"a_00001_0000{number}.tif", 31, settings) for number in (1, 2)]

    with pytest.raises(FormatError, match="amid the channels"):
        check_inputs(tifs, [1, 1])


def test_a_file_that_grew_since_it_was_counted_waits(tmp_path):
    tif = write(tmp_path / "a_00001.tif", 20)
    with tif.path.open("ab") as file:
        file.write(b"more")

    with pytest.raises(StillCopyingError, match=r"a_00001\.tif"):
        check_inputs([tif], [1])


def test_a_blank_movie_is_refused(tmp_path):
    path = tmp_path / "a_00001.tif"
    write_stack(path, [np.full((12, 16), 7, np.int16)] * 20, PLANAR)

    with pytest.raises(FormatError, match="blank"):
        check_inputs([read_tif(path)], [1])


def test_acquisitions_that_are_mixed_are_refused(tmp_path):
    tifs = [write(tmp_path / f"a_0000{number}.tif", 20) for number in (1, 2, 3)]

    with pytest.raises(InputError, match="acquisition 1 again"):
        check_inputs(tifs, [1, 2, 1])


def test_no_files_are_refused():
    with pytest.raises(InputError, match="0 files"):
        check_inputs([], [])


def test_sessions_of_one_day_make_one_recording(tmp_path):
    later = ScanImageSettings(30.01, start=datetime.datetime(2022, 11, 20, 15))
    tifs = [write(tmp_path / "a_00001.tif", 20), write(tmp_path / "b_00001.tif", 20, later)]

    assert check_inputs(tifs, [1, 2]).num_volumes == 40
