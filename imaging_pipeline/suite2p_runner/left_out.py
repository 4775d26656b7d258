"""Frames that a person wants to be left out of the detection, by their numbers in a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline.errors import InputError


@dataclass(frozen=True)
class Volumes:
    """Volumes of an acquisition: those that a run gets, which are its first, and those that were recorded."""

    num_used: int
    num_recorded: int


def used_frames(path: Path, acquisitions: Iterable[Volumes], frames: Sequence[int]) -> tuple[int, ...]:
    """Return the numbers that volumes have in a run, without those that it is not given.

    Parameters
    ----------
    path
        The file that lists the frames, for errors to name.
    acquisitions
        The volumes of each, in order.
    frames
        Numbers of volumes over all acquisitions, from 0.

    Raises
    ------
    InputError
        There are not so many volumes.
    """
    numbers: list[int | None] = []
    num_used = 0
    for each in acquisitions:
        numbers += range(num_used, num_used + each.num_used)
        numbers += [None] * (each.num_recorded - each.num_used)
        num_used += each.num_used
    if frames and max(frames) >= len(numbers):
        raise InputError(
            "A frame that Suite2p is to leave out is none of the recording",
            path=path,
            found=max(frames),
            allowed=f"0 to {len(numbers) - 1}, counted over all tifs of the run",
            remedy="Correct the list, or take it away.",
        )
    return tuple(number for frame in frames if (number := numbers[frame]) is not None)
