"""A page that is there twice at the end of a recording of several channels."""

from __future__ import annotations

from pathlib import Path

import pytest

from imaging_pipeline.demo.scanimage_settings import ScanImageSettings
from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.scanimage.frames import read_frame_times
from imaging_pipeline.readers.scanimage.tif import read_tif
from tests.altered.pages import GENERATIONS, Frame, Generation, Tif, identity_of, write_tif

SETTINGS = ScanImageSettings(10.0, channels=(1, 2))
NUMBERED = [generation for generation in GENERATIONS if generation.has_numbers]


def recorded(generation: Generation, pages: list[tuple[int, int]]) -> Tif:
    """Return a tif of pages of which each is a frame's number and a channel."""
    frames = [
        Frame(
            identity_of(2 * number + channel),
            "90218",
            1,
            number,
            channel,
            SETTINGS.start,
            number / 10,
            SETTINGS,
        )
        for number, channel in pages
    ]
    return Tif(generation, SETTINGS, tuple(frames))


@pytest.mark.parametrize("generation", NUMBERED, ids=lambda generation: generation.name)
def test_a_page_of_the_last_frame_that_is_there_twice_is_no_frame_that_was_cut_off(
    tmp_path: Path, generation: Generation
) -> None:
    path = tmp_path / "90218_00001.tif"
    write_tif(path, recorded(generation, [(1, 0), (1, 1), (2, 0), (2, 0), (2, 1)]))
    with pytest.raises(FormatError, match=r"90218_00001\.tif.*frame 2 on page 5"):
        read_frame_times(read_tif(path))


@pytest.mark.parametrize("generation", NUMBERED, ids=lambda generation: generation.name)
def test_a_recording_may_break_off_amid_a_frame(tmp_path: Path, generation: Generation) -> None:
    path = tmp_path / "90218_00001.tif"
    write_tif(path, recorded(generation, [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0)]))
    assert read_frame_times(read_tif(path)).frame_numbers.tolist() == [1, 2]
