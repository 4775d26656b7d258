"""The clock of a session over its acquisitions, lost frames, and files that are not in their place."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from imaging_pipeline.demo.scanimage_settings import ScanImageSettings
from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.scanimage.frame_range import check_comes_after
from imaging_pipeline.readers.scanimage.frames import read_frame_range
from imaging_pipeline.readers.scanimage.session_times import SessionTimes, read_session_times
from imaging_pipeline.readers.scanimage.tif import read_tif
from tests.makers import scanimage
from tests.makers.scanimage import scanned, write_classic_tif, write_tif, write_tif_with_losses

RATE_HZ = 30.0
START = datetime(2024, 5, 17, 14, 3, 9, 250_000)
PLANAR = ScanImageSettings(RATE_HZ, start=START)
VOLUMES = replace(PLANAR, num_planes=4)
LATER = replace(PLANAR, start=START + timedelta(seconds=20))
CLASSIC = (
    (scanimage.FRAME_LINES_4, scanimage.HEADER_4),
    (scanimage.FRAME_LINES_50, scanimage.HEADER_50),
    (scanimage.FRAME_LINES_51, scanimage.HEADER_51),
)


def times_of(paths: Sequence[Path], acquisitions: Sequence[int] | None = None) -> SessionTimes:
    tifs = [read_tif(path) for path in paths]
    return read_session_times(tifs, acquisitions or [1] * len(tifs), UTC)


def refused(paths: Sequence[Path], acquisitions: Sequence[int] | None = None) -> str:
    with pytest.raises(FormatError) as error:
        times_of(paths, acquisitions)
    return str(error.value)


def write_frames(
    path: Path, frames: Sequence[int], settings: ScanImageSettings, header: str | None = None
) -> Path:
    with scanimage.OrderedWriter(path, settings, frames, header) as writer:
        for page in scanimage.numbered_pages(len(frames)):
            writer.write_page(page)
    return path


def files(folder: Path, *spans: tuple[int, int], settings: ScanImageSettings = PLANAR) -> list[Path]:
    """Write the files of an acquisition: of each how many frames came before it, and how many it has."""
    return [
        write_tif(folder / f"m_00001_{number:05d}.tif", num_frames, settings.after(before))
        for number, (before, num_frames) in enumerate(spans, 1)
    ]


def test_times_of_a_second_acquisition_have_the_pause_before_it(tmp_path: Path) -> None:
    first = write_tif(tmp_path / "m_00001.tif", 6, PLANAR)
    second = write_tif(tmp_path / "m_00002.tif", 4, replace(LATER, first_timestamp_s=0.5))

    times = times_of([first, second], [1, 2])

    expected_s = [*np.arange(6) / RATE_HZ, *(20.5 + np.arange(4) / RATE_HZ)]
    np.testing.assert_allclose(times.timestamps_s, expected_s, atol=1e-8)
    (one, two) = times.acquisitions
    assert (one.number, one.start, one.start_s, one.raw_start_s) == (1, START, 0, 0)
    assert (two.first_frame, two.num_frames, two.num_lost) == (6, 4, 0)
    assert (two.start, two.start_s, two.raw_start_s) == (START + timedelta(seconds=20.5), 20.5, 0.5)


def test_a_loop_has_one_clock_which_begins_with_the_first_frame_that_is_there(tmp_path: Path) -> None:
    # As in real loops: one start for all acquisitions, and numbers and times that go on.
    looped = replace(PLANAR, first_timestamp_s=71.25, first_frame_number=1386, acquisition=8)
    after = replace(looped, first_timestamp_s=90.0, first_frame_number=1392, acquisition=9)
    paths = [write_tif(tmp_path / "m_00008.tif", 6, looped), write_tif(tmp_path / "m_00009.tif", 3, after)]

    times = times_of(paths, [8, 9])

    np.testing.assert_allclose(times.timestamps_s[[0, 6]], [0, 18.75], atol=1e-8)
    assert [each.raw_start_s for each in times.acquisitions] == [71.25, 90]


def test_triggers_are_on_the_clock_of_the_session(tmp_path: Path) -> None:
    with_trigger = replace(LATER, aux_triggers_s=((0.05,), (), (), ()))
    paths = [
        write_tif(tmp_path / "m_00001.tif", 6, PLANAR),
        write_tif(tmp_path / "m_00002.tif", 6, with_trigger),
    ]

    np.testing.assert_allclose(times_of(paths, [1, 2]).aux_triggers_s[0], [20.05])


def test_acquisitions_of_version_3_are_timed_by_their_own_triggers(tmp_path: Path) -> None:
    own = "state.internal.triggerTimeString='10/9/2017 16:57:17.967'"
    later = scanimage.HEADER_3.replace(own, own.replace("57:17", "58:37"))
    paths = [
        write_classic_tif(tmp_path / f"m_0000{number}.tif", "", header)
        for number, header in ((1, scanimage.HEADER_3), (2, later))
    ]

    times = times_of(paths, [1, 2])

    np.testing.assert_allclose(times.timestamps_s, [*np.arange(3) / 3.90625, *(80 + np.arange(3) / 3.90625)])


def test_files_of_version_3_follow_one_another(tmp_path: Path) -> None:
    paths = [write_classic_tif(tmp_path / f"m_1_{n}.tif", "", scanimage.HEADER_3) for n in (1, 2)]

    np.testing.assert_allclose(times_of(paths).timestamps_s, np.arange(6) / 3.90625)


@pytest.mark.parametrize(
    ("start", "later", "between_s"),
    [
        (datetime(2024, 3, 31, 1, 50), datetime(2024, 3, 31, 3, 10), 20 * 60),
        (datetime(2024, 10, 27, 2, 50), datetime(2024, 10, 27, 2, 10), 20 * 60),
        (datetime(2024, 10, 27, 1, 50), datetime(2024, 10, 27, 3, 10), 140 * 60),
    ],
)
def test_a_night_in_which_the_clocks_are_changed_is_as_long_as_it_was(
    tmp_path: Path, start: datetime, later: datetime, between_s: float
) -> None:
    ranges = [
        read_frame_range(read_tif(write_tif(tmp_path / name, 6, replace(PLANAR, start=moment))))
        for name, moment in (("m_00001.tif", start), ("m_00002.tif", later))
    ]

    assert check_comes_after(*ranges, ZoneInfo("Europe/Oslo")) == between_s


@pytest.mark.parametrize("lost", [(3,), (3, 4, 7), (0,)])
def test_lost_frames_of_a_planar_recording_leave_their_gap_and_are_counted(
    tmp_path: Path, lost: tuple[int, ...]
) -> None:
    path = write_tif_with_losses(tmp_path / "m_00001.tif", 12, lost, PLANAR)

    times = times_of([path])

    left = [scanned(frame, lost) for frame in range(12 - len(lost))]
    np.testing.assert_allclose(times.timestamps_s, (np.array(left) - left[0]) / RATE_HZ, atol=1e-8)
    assert [each.num_lost for each in times.acquisitions] == [len(lost)]


def test_frames_that_are_lost_between_two_files_are_counted(tmp_path: Path) -> None:
    paths = [
        write_tif(tmp_path / "m_1_1.tif", 6, PLANAR),
        write_tif(tmp_path / "m_1_2.tif", 6, PLANAR.after(8)),
    ]

    assert times_of(paths).acquisitions[0].num_lost == 2


@pytest.mark.parametrize(("lines", "header"), CLASSIC)
def test_lost_frames_of_earlier_versions_are_counted(tmp_path: Path, lines: str, header: str) -> None:
    planar = header.replace("fastZEnable = 1", "fastZEnable = 0")
    path = write_classic_tif(tmp_path / "m_00001.tif", lines, planar, num_pages=8, lost=(2,))

    assert times_of([path]).acquisitions[0].num_lost == 1


@pytest.mark.parametrize(
    ("settings", "lost", "found"),
    [
        (VOLUMES, (41,), "frame 41 and then 43"),
        (VOLUMES, (0,), "1 frames missing before frame 2, its first"),
        (replace(VOLUMES, channels=(1, 2)), (17,), "frame 17 and then 19"),
        (replace(VOLUMES, num_planes=3, flyback_frames=1), (7,), "frame 7 and then 9"),
    ],
)
def test_lost_frames_of_volumes_are_refused(
    tmp_path: Path, settings: ScanImageSettings, lost: tuple[int, ...], found: str
) -> None:
    path = write_tif_with_losses(tmp_path / "m_00001.tif", 80, lost, settings)

    told = refused([path])

    assert "Frames of volumes are missing" in told
    assert "m_00001.tif" in told
    assert found in told


def test_a_frame_that_volumes_lose_between_two_files_is_refused(tmp_path: Path) -> None:
    paths = [
        write_tif(tmp_path / "m_1_1.tif", 42, VOLUMES),
        write_tif(tmp_path / "m_1_2.tif", 40, VOLUMES.after(43)),
    ]

    assert "1 frames missing before frame 44, its first" in refused(paths)


@pytest.mark.parametrize("lost", [(2,), (0,)])
def test_lost_frames_of_volumes_of_version_4_are_refused(tmp_path: Path, lost: tuple[int, ...]) -> None:
    path = write_classic_tif(
        tmp_path / "m_00001.tif", scanimage.FRAME_LINES_4, scanimage.HEADER_4, num_pages=40, lost=lost
    )

    assert "Frames of volumes are missing" in refused([path])


@pytest.mark.parametrize("lost_page", [3, 4])
def test_a_lost_page_of_one_channel_is_refused(tmp_path: Path, lost_page: int) -> None:
    header = scanimage.header_with(replace(PLANAR, channels=(1, 2)))
    frames = [page // 2 for page in range(12) if page != lost_page]
    path = write_frames(tmp_path / "m_00001.tif", frames, PLANAR, header)

    assert "later ones would count as other channels" in refused([path])


def test_averaged_frames_may_be_numbered_as_those_that_they_are_averaged_of(tmp_path: Path) -> None:
    header = scanimage.header_with(PLANAR, hScan2D__logAverageFactor="2")
    every_one = write_tif(tmp_path / "m_00001.tif", 6, PLANAR, header=header)
    every_second = write_frames(tmp_path / "m_00002.tif", (1, 3, 5, 7, 9), LATER, header)

    assert [each.num_lost for each in times_of([every_one, every_second], [1, 2]).acquisitions] == [0, 0]


def test_frames_that_go_back_are_refused(tmp_path: Path) -> None:
    path = write_frames(tmp_path / "m_00001.tif", (0, 1, 3, 2, 4, 5), PLANAR)

    assert "frame 4 and then 3" in refused([path])


def split_in_three(folder: Path) -> list[Path]:
    return files(folder, (0, 4), (4, 4), (8, 4))


def swap(first: Path, second: Path) -> None:
    other = first.with_suffix(".other")
    first.rename(other)
    second.rename(first)
    other.rename(second)


def test_swapped_files_are_refused_by_both_names(tmp_path: Path) -> None:
    paths = split_in_three(tmp_path)
    swap(paths[1], paths[2])

    told = refused(paths)

    assert "frames 5 to 8, 0.133 to 0.233 s after frames 9 to 12" in told
    assert all(path.name in told for path in paths[1:])


def test_a_copy_under_the_next_number_is_refused_by_both_names(tmp_path: Path) -> None:
    paths = split_in_three(tmp_path)
    shutil.copy(paths[1], paths[2])

    told = refused(paths)

    assert "frames 5 to 8, 0.133 to 0.233 s after frames 5 to 8" in told
    assert all(path.name in told for path in paths[1:])


def test_overlapping_files_are_refused(tmp_path: Path) -> None:
    paths = [
        write_tif(tmp_path / "m_1_1.tif", 6, PLANAR),
        write_tif(tmp_path / "m_1_2.tif", 6, PLANAR.after(4)),
    ]

    assert "frames 5 to 10, 0.133 to 0.300 s after frames 1 to 6, 0.000 to 0.167 s in m_1_1.tif" in refused(
        paths
    )


def test_a_file_of_another_acquisition_is_refused_by_both_names(tmp_path: Path) -> None:
    paths = [
        write_tif(tmp_path / "m_1_1.tif", 6, PLANAR),
        write_tif(tmp_path / "m_1_2.tif", 6, LATER.after(6)),
    ]

    told = refused(paths)

    assert "another acquisition" in told
    assert all(name in told for name in ("m_1_1.tif", "m_1_2.tif", "14:03:09.25", "14:03:29.25"))


@pytest.mark.parametrize("start", [START, START - timedelta(hours=1)])
def test_acquisitions_that_overlap_or_are_swapped_are_refused_by_both_names(
    tmp_path: Path, start: datetime
) -> None:
    paths = [
        write_tif(tmp_path / "m_00001.tif", 6, PLANAR),
        write_tif(tmp_path / "m_00002.tif", 6, replace(PLANAR, start=start)),
    ]

    told = refused(paths, [1, 2])

    assert "An acquisition began before the one before it had ended" in told
    assert all(path.name in told for path in paths)


@pytest.mark.parametrize("group", ["neuron2", "neuron2_22", "neuron2_2", "neuron2_slm4", "spont"])
def test_real_frames_follow_one_another(tmp_path: Path, group: str) -> None:
    path = tmp_path / "m_00001.tif"
    descriptions = scanimage.real_frame_lines(group)
    with scanimage.DescribedWriter(path, PLANAR, descriptions) as writer:
        for page in scanimage.numbered_pages(len(descriptions)):
            writer.write_page(page)

    times = times_of([path])

    assert [each.num_lost for each in times.acquisitions] == [0]
    assert times.timestamps_s[0] == 0
    assert np.median(np.diff(times.timestamps_s)) == pytest.approx(1 / 19.405, rel=1e-3)
