"""The frames of each session in an output of a segmentation program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from imaging_pipeline.errors import OutputError

# Names of the tifs of each session in order, by the session's name.
SessionTifs = Mapping[str, Sequence[str]]

_REMEDY = "Run Suite2p again on the tifs that are registered."


@dataclass(frozen=True)
class Slice:
    """The frames of one session in an output of several.

    Attributes
    ----------
    first_frame
        Position of the session's first frame, from 0.
    num_frames
        How many there are, of one plane.
    first_file
        Position of the session's first file in the output's list, from 0; None where the output keeps
        sessions apart.
    """

    first_frame: int
    num_frames: int
    first_file: int | None = None

    @property
    def frames(self) -> slice:
        """The same for an array of all frames."""
        return slice(self.first_frame, self.first_frame + self.num_frames)


def session_slices(
    folder: Path,
    file_list: Sequence[str],
    frames_per_file: Sequence[int],
    num_frames: int,
    sessions: SessionTifs,
    *,
    may_be_padded: bool = False,
) -> dict[str, Slice]:
    """Split the frames of a plane by session, matching input files to registered tifs by name.

    Parameters
    ----------
    folder
        The plane's folder, for errors to name.
    file_list
        Names of the files that went into the output, in order.
    frames_per_file
        Frames of this plane that each of them gave.
    num_frames
        Length of the plane's traces.
    sessions
        Names of the registered tifs in order, by the name of their session.
    may_be_padded
        Whether the traces may be a frame longer: Suite2p fills the traces of planes that lack a frame of
        the last volume with zeros where it merges planes. That frame is no session's.

    Raises
    ------
    OutputError
        The frames do not add up, or the files are not the registered ones in their order.
    """
    _check_counts(folder, file_list, frames_per_file, num_frames, may_be_padded)
    starts = [0, *accumulate(frames_per_file)]
    slices = {}
    matched = 0
    for session_name, tifs in sessions.items():
        first = _position(folder, file_list, tifs, session_name)
        start, end = starts[first], starts[first + len(tifs)]
        slices[session_name] = Slice(int(start), int(end - start), first)
        matched += len(tifs)
    # Each session's files are in the list by now, so that what is left over is no session's.
    if matched != len(file_list):
        registered = {name for tifs in sessions.values() for name in tifs}
        foreign = [name for name in file_list if name not in registered]
        raise OutputError(
            "The output was made also of files that are in none of the sessions",
            path=folder,
            found=", ".join(foreign[:3]) or "one file twice",
            remedy=_REMEDY,
        )
    return slices


def _check_counts(
    folder: Path,
    file_list: Sequence[str],
    frames_per_file: Sequence[int],
    num_frames: int,
    may_be_padded: bool,
) -> None:
    if len(file_list) != len(frames_per_file):
        raise OutputError(
            "The output counts frames of another number of files than it lists",
            path=folder,
            found=f"{len(frames_per_file)} counts of frames, {len(file_list)} files",
            remedy=_REMEDY,
        )
    total = sum(frames_per_file)
    if num_frames - total not in ((0, 1) if may_be_padded else (0,)):
        raise OutputError(
            "The frames of the files do not add up to the length of the traces",
            path=folder,
            found=f"{total} frames in {len(file_list)} files, {num_frames} in the traces",
            remedy=_REMEDY,
        )


def slices_in_order(path: Path, frames_per_session: Sequence[int], sessions: SessionTifs) -> dict[str, Slice]:
    """Return the frames of each session of an output that keeps sessions apart, in the same order.

    Parameters
    ----------
    path
        The output's file, for errors to name.
    frames_per_session
        Frames of each session in the output.
    sessions
        Names of the registered tifs in order, by the name of their session, in order.

    Raises
    ------
    OutputError
        There are not as many sessions.
    """
    if len(frames_per_session) != len(sessions):
        raise OutputError(
            "The output has another number of sessions than are registered",
            path=path,
            found=f"{len(frames_per_session)} sessions in the output",
            allowed=f"{len(sessions)} sessions, as are registered",
            remedy="Run Suite2p again, with the tifs of each session as an experiment of its own.",
        )
    starts = [0, *accumulate(frames_per_session)]
    return {
        name: Slice(int(start), int(num_frames))
        # There is one start more, which is where the last session ends.
        for name, start, num_frames in zip(sessions, starts, frames_per_session, strict=False)
    }


def _position(folder: Path, file_list: Sequence[str], tifs: Sequence[str], session_name: str) -> int:
    """Return the position of a session's tifs in the list, where they must follow one another."""
    first = file_list.index(tifs[0]) if tifs and tifs[0] in file_list else -1
    if first < 0 or tuple(file_list[first : first + len(tifs)]) != tuple(tifs):
        lacking = [name for name in tifs if name not in file_list]
        raise OutputError(
            f"The tifs of session {session_name} are not in the output as they are registered",
            path=folder,
            found=f"without {', '.join(lacking[:3])}" if lacking else "another order",
            allowed=", ".join(tifs[:3]) or "a session with tifs",
            remedy=_REMEDY,
        )
    return first
