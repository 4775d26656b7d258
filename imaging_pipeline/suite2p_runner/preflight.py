"""Checks before a run of Suite2p, which would read wrong frames without an error.

Suite2p goes by the count of pages alone: it takes the page after a volume that was cut short for the
first plane of the next volume, so that planes are mixed from there on. So it gets whole volumes only.

Flyback frames lie in the file after the planes of each volume. Suite2p gets them as further planes that
it leaves out (``ignore_flyback``): they are written to its scratch and never analysed, and no file has to
be copied. (`suite2p.io.tiff.tiff_to_binary` and `run_s2p` of 1.1.0.)

Of more than two channels it reads the first two, so that either of these may be the functional one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from imaging_pipeline.errors import (
    InputError,
    NothingFoundError,
    NotMountedError,
    Responsible,
    StillCopyingError,
)
from imaging_pipeline.readers.scanimage.fields import LocatedField
from imaging_pipeline.readers.scanimage.tif import fields_in_page
from imaging_pipeline.readers.suite2p.bad_frames import FILE_NAME as BAD_FRAMES_NAME
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif
from imaging_pipeline.readers.tiff.stack import check_whole_frames
from imaging_pipeline.suite2p_runner.left_out import Volumes, used_frames
from imaging_pipeline.suite2p_runner.request import Trim
from imaging_pipeline.suite2p_runner.supported import check_not_blank, check_same_recording, check_supported

# Suite2p 1.1.0 refuses fewer.
_MIN_VOLUMES = 10


@dataclass(frozen=True)
class TifPart:
    """A file, how many of its first pages belong to whole volumes, and when it was written."""

    tif: RecordedTif[Header]
    num_pages: int
    modified_ns: int

    @property
    def pages_dropped(self) -> int:
        """Pages after the last whole volume."""
        return self.tif.num_pages - self.num_pages

    @property
    def is_whole(self) -> bool:
        """Whether all that is in the file is read."""
        return not self.pages_dropped and not self.tif.is_cut


@dataclass(frozen=True)
class Inputs:
    """The input of a run.

    Attributes
    ----------
    parts
        All files, in order.
    num_volumes
        Volumes in all, which are the frames of each plane.
    fields
        Fields of view in each page, from top to bottom; empty where the page is one.
    bad_frames
        Frames of each plane that are to be left out of the detection, from 0.
    """

    parts: tuple[TifPart, ...]
    num_volumes: int
    fields: tuple[LocatedField, ...] = ()
    bad_frames: tuple[int, ...] = ()

    @property
    def header(self) -> Header:
        """The header of the first file, which stands for all."""
        return self.parts[0].tif.header

    @property
    def num_pages(self) -> int:
        """Pages of all whole volumes."""
        return sum(part.num_pages for part in self.parts)

    @property
    def page_bytes(self) -> int:
        """Bytes of one page in Suite2p's binary, which is int16."""
        return 2 * self.parts[0].tif.height * self.parts[0].tif.width

    @property
    def frame_sizes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of the frames of each field, in pixels."""
        tif = self.parts[0].tif
        return tuple((located.field.height_px, located.field.width_px) for located in self.fields) or (
            (tif.height, tif.width),
        )

    @property
    def trimmed(self) -> tuple[Trim, ...]:
        """What is left out."""
        return tuple(
            Trim(part.tif.path.name, part.pages_dropped) for part in self.parts if part.pages_dropped
        )


def check_inputs(
    tifs: Sequence[RecordedTif[Header]], acquisitions: Sequence[int], bad_frames: Sequence[int] = ()
) -> Inputs:
    """Check the files of a run and find the whole volumes of each acquisition.

    Parameters
    ----------
    tifs, acquisitions, bad_frames
        As in `RunRequest`.

    Raises
    ------
    InputError
        There is no file, they have too few frames, or Suite2p cannot take them.
    FormatError
        The files do not belong together.
    StillCopyingError
        A file has changed since its pages were counted.
    NothingFoundError, NotMountedError
        A file is gone, or the share with it.
    """
    if not tifs or len(tifs) != len(acquisitions):
        raise InputError(
            "A run needs files, and the acquisition of each",
            found=f"{len(tifs)} files, {len(acquisitions)} acquisitions",
            remedy="Register the folder again.",
        )
    for tif in tifs:
        # Raises where a file has changed since it was registered, or is gone.
        _modified_ns(tif)
        check_same_recording(tif, tifs[0])
    # The last file of an acquisition may end anywhere: what makes no whole volume is dropped from it below.
    check_whole_frames(tifs, acquisitions)
    check_supported(tifs[0])
    check_not_blank(tifs[0])
    parts = tuple(_parts(tifs, acquisitions))
    num_volumes = sum(part.num_pages for part in parts) // tifs[0].header.pages_per_volume
    if num_volumes < _MIN_VOLUMES:
        raise InputError(
            "The recording is too short for Suite2p",
            path=tifs[0].path,
            found=f"{num_volumes} whole frames of each plane",
            allowed=f"{_MIN_VOLUMES} or more",
            remedy="Nothing, if it was a try or a snapshot; else look for tifs that are missing.",
        )
    list_path = tifs[0].path.with_name(BAD_FRAMES_NAME)
    used = used_frames(list_path, _volumes(parts, acquisitions), bad_frames)
    if num_volumes - len(used) < _MIN_VOLUMES:
        raise InputError(
            "Too few frames are left for Suite2p without those that it is to leave out",
            path=list_path,
            found=f"{num_volumes - len(used)} of {num_volumes} frames",
            allowed=f"{_MIN_VOLUMES} or more",
            remedy="Correct the list, or take it away.",
        )
    return Inputs(parts, num_volumes, fields_in_page(tifs[0]), used)


@contextmanager
def unchanged(inputs: Inputs) -> Iterator[None]:
    """Check after the block that the files are still those that were checked before.

    If the block failed because a file changed, the error about the file is raised.

    Raises
    ------
    StillCopyingError
        A file was written to meanwhile.
    NothingFoundError, NotMountedError
        A file is gone, or the share with it.
    """
    try:
        yield
    except Exception:
        _check_unchanged(inputs)
        raise
    _check_unchanged(inputs)


def _check_unchanged(inputs: Inputs) -> None:
    for part in inputs.parts:
        if _modified_ns(part.tif) != part.modified_ns:
            raise StillCopyingError(
                "A tif was written to while Suite2p read it; nothing of the run is kept",
                path=part.tif.path,
                found=f"written at {_moment(_modified_ns(part.tif))}",
                allowed=f"written at {_moment(part.modified_ns)}, as when the run began",
                remedy="Leave the files alone; what they hold is registered anew when the folder is.",
            )


def _modified_ns(tif: RecordedTif[Header]) -> int:
    """Return when a file was written, in ns; raise an error if its size has changed or it is gone."""
    try:
        status = tif.path.stat()
    except FileNotFoundError as error:
        if tif.path.parent.is_dir():
            raise NothingFoundError(
                "A tif is gone that Suite2p was to read",
                path=tif.path,
                remedy="Put it back, or register the folder again without it.",
            ) from error
        raise NotMountedError(
            "The recording's folder is gone with the tifs that Suite2p was to read",
            path=tif.path.parent,
            remedy="Mount the share again, or register the folder anew where it was moved to.",
            responsible=Responsible.RETRY,
        ) from error
    if status.st_size != tif.size_bytes:
        raise StillCopyingError(
            "A tif changed since its pages were counted",
            path=tif.path,
            found=f"{status.st_size} bytes",
            allowed=f"{tif.size_bytes} bytes",
            remedy="Leave the files alone; what they hold is registered anew when the folder is.",
        )
    return status.st_mtime_ns


def _moment(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9).isoformat(sep=" ", timespec="milliseconds")


def _parts(tifs: Sequence[RecordedTif[Header]], acquisitions: Sequence[int]) -> Iterator[TifPart]:
    done: set[int] = set()
    for acquisition, group in groupby(zip(acquisitions, tifs, strict=True), key=lambda pair: pair[0]):
        files = [tif for _acquisition, tif in group]
        if acquisition in done:
            raise InputError(
                "The files of an acquisition do not follow one another",
                path=files[0].path,
                found=f"acquisition {acquisition} again after another one",
                remedy="Register the folder again.",
            )
        done.add(acquisition)
        yield from _parts_of_acquisition(files)


def _parts_of_acquisition(files: Sequence[RecordedTif[Header]]) -> list[TifPart]:
    header = files[0].header
    # Volumes run on from file to file, so what is left over is at the end of the last files.
    to_drop = sum(tif.num_pages for tif in files) % header.pages_per_volume
    parts: list[TifPart] = []
    for tif in reversed(files):
        dropped = min(to_drop, tif.num_pages)
        to_drop -= dropped
        parts.append(TifPart(tif, tif.num_pages - dropped, _modified_ns(tif)))
    return parts[::-1]


def _volumes(parts: Sequence[TifPart], acquisitions: Sequence[int]) -> Iterator[Volumes]:
    pages_per_volume = parts[0].tif.header.pages_per_volume
    for _, group in groupby(zip(acquisitions, parts, strict=True), key=lambda pair: pair[0]):
        files = [part for _acquisition, part in group]
        num_used = sum(part.num_pages for part in files)
        num_recorded = sum(part.tif.num_pages for part in files)
        # One that is not whole was recorded, too.
        yield Volumes(num_used // pages_per_volume, -(-num_recorded // pages_per_volume))
