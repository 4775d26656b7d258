"""Whether the frames of an output that keeps sessions apart are those of the planes that it says."""

from pathlib import Path

import pytest

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.suite2p.sorting import SortedPlane, Sorting
from imaging_pipeline.segmentation.volumes import RecordedPlanes, RecordedStack, check_planes, check_total

PATH = Path("day1/F_90218_2024-05-17_plane1.mat")


@pytest.mark.parametrize(
    ("acquisitions", "taken", "position"),
    [
        ((10, 6), 8, 0),
        ((10, 6), 8, 1),
        ((10, 7), 9, 0),
        ((10, 7), 8, 1),
        ((7,), 4, 0),
        # Whole volumes only, as somebody took the rest out: counted through there would be 7 of plane 0.
        ((9, 4), 6, 0),
    ],
)
def test_frames_that_are_of_their_plane_are_taken(acquisitions, taken, position):
    check_total(PATH, "open field", RecordedStack(acquisitions, 2), taken, position=position)


@pytest.mark.parametrize(
    ("acquisitions", "taken", "position"), [((9, 4), 7, 0), ((9, 7), 8, 0), ((9, 4), 6, 1)]
)
def test_planes_that_were_counted_on_across_acquisitions_are_refused(acquisitions, taken, position):
    with pytest.raises(
        OutputError, match=r"mixed.*plane1\.mat.*acquisitions of 9, \d frames.*multiples of 2"
    ):
        check_total(PATH, "open field", RecordedStack(acquisitions, 2), taken, position=position)


@pytest.mark.parametrize("taken", [7, 9])
def test_another_number_of_frames_is_refused_with_both(taken):
    with pytest.raises(OutputError, match=rf"{taken} frames in the output.*8 frames, as in its tifs"):
        check_total(PATH, "open field", RecordedStack((10, 6), 2), taken, position=0)


def fields(*heights, num_positions=1):
    """Return planes that were cut into fields of so many lines."""
    numbers = range(num_positions * len(heights))
    planes = [
        SortedPlane(number, number // len(heights), (heights[number % len(heights)], 10), ())
        for number in numbers
    ]
    return Sorting(num_positions, len(heights), tuple(planes))


RECORDED_FIELDS = RecordedPlanes((32, 10), (16, 12), num_planes=2, num_slots=2, frames_per_volume=2)


@pytest.mark.parametrize("sorting", [fields(16, 12, num_positions=2), fields(32, num_positions=2)])
def test_fields_are_of_their_lines_and_pages_of_all(sorting):
    check_planes(PATH, sorting, None, RECORDED_FIELDS)


@pytest.mark.parametrize(
    ("sorting", "told"),
    [
        (
            fields(12, 16, num_positions=2),
            r"12 x 10 pixels in plane0.*32 x 10 pixels in fields of 16, 12 lines",
        ),
        (fields(16, 10, 6, num_positions=2), "16 x 10 pixels in plane0"),
        (fields(16, num_positions=2), r"16 x 10 pixels in plane0\. Allowed: pages of 32 x 10 pixels"),
        (fields(16, 12, num_positions=3), "each frame of a slice"),
    ],
)
def test_other_fields_than_those_of_the_tifs_are_refused(sorting, told):
    with pytest.raises(OutputError, match=told):
        check_planes(PATH, sorting, None, RECORDED_FIELDS)


def run(num_positions, num_channels, page_px=(32, 10)):
    """Return the planes of a run that was told so many planes and channels."""
    planes = (SortedPlane(number, number, page_px, ()) for number in range(num_positions))
    return Sorting(num_positions, 1, tuple(planes), num_channels)


def volumes(frames_per_volume, num_channels=None):
    return RecordedPlanes((32, 10), frames_per_volume=frames_per_volume, num_channels=num_channels)


@pytest.mark.parametrize(
    ("sorting", "recorded"),
    [
        (run(4, 1), volumes(4, 1)),
        (run(4, None), volumes(4)),
        (run(1, 2), volumes(1)),
        # A person ran a plane, or a channel of it, by itself on tifs of the same names.
        (run(1, 1), volumes(4, 2)),
        (run(1, 2), volumes(4, 2)),
        (run(1, None), volumes(4)),
    ],
)
def test_a_run_that_was_told_the_planes_and_channels_of_the_tifs_is_taken(sorting, recorded):
    check_planes(PATH, sorting, None, recorded)


@pytest.mark.parametrize(
    ("sorting", "recorded"),
    [
        (run(2, 2), volumes(4, 1)),
        (run(2, 2), volumes(4)),
        (run(2, 1), volumes(1)),
        (run(4, 1), volumes(2)),
        (run(1, 2), volumes(2, 1)),
        (run(1, 2), volumes(2)),
    ],
)
def test_a_run_that_took_channels_for_planes_or_planes_for_channels_is_refused(sorting, recorded):
    told = rf"nplanes {sorting.num_positions}, nchannels.*Allowed: nplanes {recorded.frames_per_volume}"
    with pytest.raises(OutputError, match=told):
        check_planes(PATH, sorting, None, recorded)
