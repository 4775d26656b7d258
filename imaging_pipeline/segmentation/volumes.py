"""Whether the planes of an output are those of its tifs: by frames of each acquisition, and by their sizes.

Suite2p goes by the count of pages alone, across all files. Where an acquisition ends amid a volume, the first
frame of the next one becomes one of a later plane, and planes are mixed from there on. So each acquisition
must have given as many frames to each plane; only the last one may have given one more to the first planes.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.suite2p.sorting import Sorting

_REMEDY = (
    "Let the pipeline run Suite2p on the tifs that are registered: it leaves out volumes that are not whole."
)


@dataclass(frozen=True)
class RecordedStack:
    """What the tifs of a session hold.

    Attributes
    ----------
    frames_per_acquisition
        Frames of one channel in each acquisition, in order.
    frames_per_volume
        From one volume's start to the next one's, flyback included.
    """

    frames_per_acquisition: tuple[int, ...]
    frames_per_volume: int

    @property
    def num_volumes(self) -> tuple[int, ...]:
        """Whole volumes of each acquisition."""
        return tuple(frames // self.frames_per_volume for frames in self.frames_per_acquisition)

    def is_cut_short(self, position: int | None) -> bool:
        """Return True if the volume that the last acquisition ends in has a frame at a position."""
        left = self.frames_per_acquisition[-1] % self.frames_per_volume
        return position is not None and position < left


def check_in_step(path: Path, sorting: Sorting, acquisitions: Sequence[Hashable], *, is_ours: bool) -> None:
    """Check that an acquisition gave each plane as many frames, unless it is the last.

    Parameters
    ----------
    path
        The output's plane, for errors to name.
    sorting
        The frames that each file gave to each plane.
    acquisitions
        For each input file of the output, which acquisition it is of.
    is_ours
        Whether the pipeline made the output, which takes whole volumes only.

    Raises
    ------
    OutputError
        An acquisition did not, or the output does not show it.
    """
    if sorting.num_positions == 1:
        return
    taken = {
        plane.position: by_acquisition(acquisitions, plane.frames_per_file)
        for plane in sorting.planes
        if len(plane.frames_per_file) == len(acquisitions)
    }
    num_acquisitions = len(by_acquisition(acquisitions, (0,) * len(acquisitions)))
    if len(taken) < sorting.num_positions and num_acquisitions > 1 and not is_ours:
        raise OutputError(
            "The output does not show whether its planes were kept apart from acquisition to acquisition",
            path=path,
            found=f"frames of each file for {len(taken)} planes beside it",
            allowed=f"for all {sorting.num_positions} planes, as Suite2p leaves them",
            remedy="Copy the folders of all planes beside it, those that were left out too. " + _REMEDY,
        )
    for number, counts in enumerate(zip(*taken.values(), strict=True), 1):
        # Early planes first: they alone have a frame of a volume that is not whole.
        is_orderly = sorted(counts, reverse=True) == list(counts) and counts[0] - counts[-1] <= 1
        if len(set(counts)) > 1 and not (number == num_acquisitions and is_orderly):
            raise OutputError(
                "Frames of different planes are mixed in the output, as Suite2p went on counting planes from"
                " an acquisition that ends amid a volume to the next",
                path=path,
                found=f"{_listed(counts)} frames of its planes from acquisition {number} in its list",
                allowed="as many frames of each plane, and one more of the first planes from the last"
                f" acquisition, which is number {num_acquisitions}",
                remedy=_REMEDY,
            )


def check_frames(
    path: Path, session_name: str, stack: RecordedStack, taken: Sequence[int], *, position: int | None
) -> None:
    """Compare a session's frames in a plane with those of its tifs, acquisition by acquisition.

    Parameters
    ----------
    path
        The output's plane, for errors to name.
    session_name
        Whose frames they are.
    stack
        The session's tifs.
    taken
        Frames of the plane from each acquisition.
    position
        Place of the plane in a volume; None where other acquisitions follow in the run, or where it is not
        known.

    Raises
    ------
    OutputError
        An acquisition gave another number of frames.
    """
    volumes = stack.num_volumes
    one_more = (*volumes[:-1], volumes[-1] + 1)
    if tuple(taken) == volumes or (stack.is_cut_short(position) and tuple(taken) == one_more):
        return
    raise _differing(path, session_name, sum(taken), stack, f" ({_listed(taken)} by acquisition)")


def check_total(path: Path, session_name: str, stack: RecordedStack, taken: int, *, position: int) -> None:
    """Do the same for an output that says only how many frames a whole session gave to a plane.

    Raises
    ------
    OutputError
        The session gave another number of frames, or planes may be mixed.
    """
    *others, _last = stack.frames_per_acquisition
    is_mixed = any(frames % stack.frames_per_volume for frames in others)
    counted_through = -(-(sum(stack.frames_per_acquisition) - position) // stack.frames_per_volume)
    if taken == counted_through and not is_mixed:
        return
    # Another number than by counting through, so that volumes that are not whole were left out before.
    if taken == sum(stack.num_volumes) != counted_through:
        return
    if taken == counted_through:
        raise OutputError(
            "Frames of different planes are mixed in the output, as Suite2p went on counting planes from an"
            " acquisition that ends amid a volume to the next",
            path=path,
            found=f"acquisitions of {_listed(stack.frames_per_acquisition)} frames of all planes",
            allowed=f"multiples of {stack.frames_per_volume} in all but the last",
            remedy=_REMEDY,
        )
    raise _differing(path, session_name, taken, stack, "")


def by_acquisition(acquisitions: Sequence[Hashable], frames: Sequence[int]) -> tuple[int, ...]:
    """Add up the frames of the files of each acquisition, in order."""
    files = groupby(zip(acquisitions, frames, strict=True), key=lambda file: file[0])
    return tuple(sum(count for _, count in group) for _, group in files)


def _differing(path: Path, session_name: str, taken: int, stack: RecordedStack, details: str) -> OutputError:
    return OutputError(
        f"Session {session_name} has another number of frames in the output than in its tifs",
        path=path,
        found=f"{taken} frames in the output{details}",
        allowed=f"{sum(stack.num_volumes)} frames, as in its tifs"
        f" ({_listed(stack.num_volumes)} by acquisition)",
        remedy="Run Suite2p again on the tifs that are registered.",
    )


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
