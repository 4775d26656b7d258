"""Whether the new tifs of a session follow those beside them, and which frames are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from imaging_pipeline.errors import NamingError
from imaging_pipeline.ingest.contents import FolderContents
from imaging_pipeline.ingest.recorded_file import RecordedFile
from imaging_pipeline.readers.scanimage.frame_range import FrameRange, check_comes_after, check_goes_on
from imaging_pipeline.wording import counted, shortened_list

# Returns what a file that is here says of its frames; None where its format says nothing.
FramesOf = Callable[[RecordedFile], FrameRange | None]


@dataclass(frozen=True)
class _Lost:
    """Frames that are missing in or before a file."""

    path: str
    num_frames: int
    is_of_volumes: bool


def lost_frames(contents: FolderContents, files: Sequence[RecordedFile], frames_of: FramesOf) -> str:
    """Compare the first and last frames of files of which one is new.

    Files that are registered were compared with each other when they were new. Those that are no longer
    there are left out.

    Parameters
    ----------
    contents
        The folder.
    files
        The files of a session's recording.
    frames_of
        Reads the first and last frame of a file.

    Returns
    -------
    str
        How many frames are missing and what that means; empty where none is.

    Raises
    ------
    FormatError
        Two files are swapped, one is a copy of the other, or acquisitions overlap.
    """
    here = sorted((file for file in files if file.path in contents.entries), key=lambda file: file.order)
    lost = [each for each in _lost(contents, here, frames_of) if each.num_frames]
    if not lost:
        return ""
    listed = shortened_list(list(dict.fromkeys(each.path for each in lost)))
    missing = f"{counted(sum(each.num_frames for each in lost), 'frame')} missing, in or before {listed}"
    if any(each.is_of_volumes for each in lost):
        return f"{missing}: later frames may be of any plane, so that they are neither imported nor analysed"
    return f"{missing}; the times of its frames have the gaps"


def _lost(contents: FolderContents, here: Sequence[RecordedFile], frames_of: FramesOf) -> Iterator[_Lost]:
    for earlier, file in pairwise([None, *here]):
        assert file is not None
        is_new = contents.is_new(file.path)
        if not is_new and (earlier is None or not contents.is_new(earlier.path)):
            continue
        frames = frames_of(file)
        before = None if earlier is None else frames_of(earlier)
        if frames is None:
            continue
        missing = _missing_before(contents, file, frames, earlier, before)
        yield _Lost(file.path, missing + (frames.num_lost if is_new else 0), frames.frames_per_volume > 1)


def _missing_before(
    contents: FolderContents,
    file: RecordedFile,
    frames: FrameRange,
    earlier: RecordedFile | None,
    before: FrameRange | None,
) -> int:
    if earlier is None or before is None:
        return frames.num_lost_before
    if earlier.used.acquisition == file.used.acquisition:
        return check_goes_on(before, frames)
    check_comes_after(before, frames, contents.zone)
    return frames.num_lost_before


def check_no_file_twice(contents: FolderContents, files: Sequence[RecordedFile]) -> None:
    """Refuse two tifs of a dataset with the same content.

    Raises
    ------
    NamingError
        It names both.
    """
    first_paths: dict[tuple[int, str], str] = {}
    for file in sorted(files, key=lambda file: file.order):
        first = first_paths.setdefault(contents.read(file.path).content, file.path)
        if first != file.path:
            raise NamingError(
                "Two tifs of a recording have the same content",
                path=contents.folder / file.path,
                found=f"a copy of {first}",
                allowed="each file once",
                remedy="take the copy away, and copy from the microscope's computer what has its name there.",
            )
