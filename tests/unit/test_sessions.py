from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging_pipeline.errors import OutputError, Responsible
from imaging_pipeline.segmentation.frames import Slice, session_slices, slices_in_order

PLANE = Path("combined_ab/fast/suite2p/plane0")
FILES = ("a_00001.tif", "a_00002.tif", "b_00001.tif")
SESSIONS = {"first": FILES[:2], "second": FILES[2:]}


def test_every_session_gets_its_frames_one_after_the_other():
    assert session_slices(PLANE, FILES, (100, 50, 70), 220, SESSIONS) == {
        "first": Slice(0, 150, first_file=0),
        "second": Slice(150, 70, first_file=2),
    }


def test_a_sum_that_differs_from_the_traces_is_told_with_both_numbers():
    with pytest.raises(OutputError, match=r"220 frames in 3 files, 219 in the traces") as caught:
        session_slices(PLANE, FILES, (100, 50, 70), 219, SESSIONS)

    assert caught.value.path == str(PLANE)
    assert caught.value.responsible is Responsible.EXPERIMENTER
    assert caught.value.remedy == "Run Suite2p again on the tifs that are registered."


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (("a_00001.tif", "b_00001.tif"), "without a_00002.tif"),
        (("a_00002.tif", "a_00001.tif", "b_00001.tif"), "another order"),
        ((*FILES, "c_00001.tif"), "also of files.*c_00001.tif"),
        ((*FILES, "b_00001.tif"), "one file twice"),
    ],
)
def test_files_that_are_not_the_registered_ones_are_refused(files, told):
    with pytest.raises(OutputError, match=told):
        session_slices(PLANE, files, (10,) * len(files), 10 * len(files), SESSIONS)


def test_lists_of_different_length_are_refused():
    with pytest.raises(OutputError, match="2 counts of frames, 3 files"):
        session_slices(PLANE, FILES, (100, 120), 220, SESSIONS)


@given(st.lists(st.lists(st.integers(0, 500), min_size=1, max_size=5), max_size=5))
def test_the_slices_cover_all_frames_without_a_gap(counts):
    sessions = {
        str(number): tuple(f"{number}_{piece}.tif" for piece in range(len(frames)))
        for number, frames in enumerate(counts)
    }
    flat = [frames for each in counts for frames in each]

    files = [name for tifs in sessions.values() for name in tifs]
    slices = session_slices(PLANE, files, flat, sum(flat), sessions)

    position = 0
    for number, frames in enumerate(counts):
        assert slices[str(number)] == Slice(position, sum(frames), sum(map(len, counts[:number])))
        position += sum(frames)
    assert position == sum(flat)


def test_the_kth_session_of_an_output_that_keeps_them_apart_is_the_kth_registered():
    assert slices_in_order(PLANE, (150, 70), SESSIONS) == {"first": Slice(0, 150), "second": Slice(150, 70)}


def test_another_number_of_sessions_is_refused_with_both_numbers():
    with pytest.raises(OutputError, match=r"3 sessions in the output\. Allowed: 2 sessions"):
        slices_in_order(PLANE, (150, 60, 10), SESSIONS)
