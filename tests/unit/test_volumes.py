"""Whether the frames of an output that keeps sessions apart are those of the planes that it says."""

from pathlib import Path

import pytest

from imaging_pipeline.errors import OutputError
from imaging_pipeline.segmentation.volumes import RecordedStack, check_total

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
