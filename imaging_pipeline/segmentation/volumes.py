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
from imaging_pipeline.readers.suite2p.sorting import SortedPlane, Sorting

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


@dataclass(frozen=True)
class RecordedPlanes:
    """The planes of a session's tifs.

    Attributes
    ----------
    page_px
        Height and width of a page.
    field_heights_px
        Lines of each field of a page, from top to bottom; empty where that is not known.
    num_planes
        Slices of a volume; None where only its frames are known.
    num_slots
        Slices and flyback frames of a volume, if one frame was taken of each slice.
    frames_per_volume
        From one volume's start to the next one's, flyback included; None where that is not known.
    num_channels
        Pages of each frame; None where that is not known.
    """

    page_px: tuple[int, int]
    field_heights_px: tuple[int, ...] = ()
    num_planes: int | None = None
    num_slots: int | None = None
    frames_per_volume: int | None = None
    num_channels: int | None = None


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


def check_planes(path: Path, sorting: Sorting, number: int | None, recorded: RecordedPlanes) -> None:
    """Check that a plane of an output is one of the tifs', and of their size.

    Parameters
    ----------
    path
        The output's plane, for errors to name.
    sorting
        All planes of the output.
    number
        The plane; None for merged planes, of which each is checked.
    recorded
        The planes of the tifs.

    Raises
    ------
    OutputError
        It is of the flyback, its frames are not of the size that those of the tifs have, or the run took
        channels for planes or planes for channels.
    """
    if recorded.num_slots is not None and sorting.num_positions > recorded.num_slots:
        raise OutputError(
            "Suite2p took each frame of a slice for a plane of its own",
            path=path,
            found=f"{sorting.num_positions} planes",
            allowed=f"{recorded.num_planes} slices, and flyback frames: {recorded.num_slots} or fewer",
            remedy="Average the frames of each slice, and run Suite2p on the result.",
        )
    for plane in sorting.planes:
        if not plane.is_left_out and number in (None, plane.number):
            _check_position(path, sorting, plane, recorded)
            _check_size(path, sorting, plane, recorded)
    _check_channels(path, sorting, recorded)


def _check_position(path: Path, sorting: Sorting, plane: SortedPlane, recorded: RecordedPlanes) -> None:
    if recorded.num_planes is None or plane.position < recorded.num_planes:
        return
    left_out = [
        number
        for number in range(sorting.num_positions * sorting.num_fields)
        if number // sorting.num_fields >= recorded.num_planes
    ]
    raise OutputError(
        "The output has regions of a plane that the tifs have not: its frames were taken during the flyback",
        path=path,
        found=f"plane{plane.number}",
        allowed=f"planes 0 to {recorded.num_planes * sorting.num_fields - 1}",
        remedy=f"Run Suite2p again with ignore_flyback = {left_out}, or let the pipeline run it.",
    )


def _check_size(path: Path, sorting: Sorting, plane: SortedPlane, recorded: RecordedPlanes) -> None:
    expected = {recorded.page_px}
    if sorting.num_fields > 1:
        heights = recorded.field_heights_px if len(recorded.field_heights_px) == sorting.num_fields else ()
        expected = {
            (height, recorded.page_px[1]) for height in heights[plane.number % sorting.num_fields :][:1]
        }
    if plane.frame_px is None or plane.frame_px in expected:
        return
    height, width = recorded.page_px
    fields = f" in fields of {_listed(recorded.field_heights_px)} lines" if sorting.num_fields > 1 else ""
    raise OutputError(
        "The frames of the output are of another size than those of the tifs",
        path=path,
        found=f"{plane.frame_px[0]} x {plane.frame_px[1]} pixels in plane{plane.number}",
        allowed=f"pages of {height} x {width} pixels{fields}",
        remedy="Move the output to the folder of the tifs that it was made of, or run Suite2p on these.",
    )


def _check_channels(path: Path, sorting: Sorting, recorded: RecordedPlanes) -> None:
    """Refuse a run that sorted the pages of a volume otherwise, of which each plane has as many frames."""
    if recorded.frames_per_volume in (None, sorting.num_positions):
        return
    # A person may have divided the tifs, and have run each plane by itself.
    if sorting.num_positions == 1 and sorting.num_channels in (None, 1, recorded.num_channels):
        return
    raise OutputError(
        "Suite2p took channels for planes, or planes for channels",
        path=path,
        found=f"nplanes {sorting.num_positions}, nchannels {sorting.num_channels or 'not stated'}",
        allowed=f"nplanes {recorded.frames_per_volume}, the frames of a volume with those of the flyback"
        + (f", and nchannels {recorded.num_channels}" if recorded.num_channels else ""),
        remedy="Run Suite2p again with the numbers of the tifs, or let the pipeline run it.",
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
