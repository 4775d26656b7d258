"""Damaged tifs: what of them is registered, as the request says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import groupby, pairwise
from pathlib import Path
from typing import Protocol

from imaging_pipeline.errors import DamagedError, FormatError, NamingError
from imaging_pipeline.experiments.recognised import Examined, ExperimentType
from imaging_pipeline.ingest.recorded_file import RecordedFile
from imaging_pipeline.readers.tiff.whole import count_whole_pages


class DamagedTifs(StrEnum):
    """What becomes of a tif that is damaged: the folder is refused, the file is cut, or it is left out."""

    REFUSE = "refuse"
    CUT = "cut"
    LEAVE_OUT = "leave out"


# Named in the error of every damaged tif, since a recording that broke off cannot be copied again.
_CHOICES = (
    "Where it is the same at the microscope, register the folder with damaged_tifs = 'cut', which takes the"
    " frames before the damage, or 'leave out', which takes nothing of the file."
)


class Examine(Protocol):
    """Checks a file and returns what is in it, or in the first pages of a damaged tif."""

    def __call__(self, path: Path, *, pages_taken: int | None = None) -> Examined:
        """Return what is in a file."""


def examine_damaged(path: Path, examine: Examine, error: DamagedError, choice: DamagedTifs) -> Examined:
    """Return what is taken of a damaged tif.

    Parameters
    ----------
    path
        The file.
    examine
        Reads what is in its first pages.
    error
        What is wrong with it.
    choice
        What the request says of damaged tifs.

    Raises
    ------
    DamagedError
        The file is refused, or has not even one whole page.
    """
    if choice is DamagedTifs.LEAVE_OUT:
        return Examined(damage=f"damaged, and left out as the request says: {error.what}, {error.found}")
    num_pages = _num_whole_pages(path) if choice is DamagedTifs.CUT else 0
    if num_pages == 0:
        raise type(error)(
            error.what,
            path=path,
            found=error.found,
            allowed=error.allowed,
            remedy=f"{error.remedy} {_CHOICES}",
        ) from error
    return replace(examine(path, pages_taken=num_pages), pages_taken=num_pages)


def _num_whole_pages(path: Path) -> int:
    try:
        return count_whole_pages(path)
    # What is wrong with the first page was said by the error before.
    except DamagedError:
        return 0


def check_left_out(
    experiment: ExperimentType, folder: Path, kept: Sequence[RecordedFile], damaged: Mapping[str, str]
) -> None:
    """Refuse to leave out damaged tifs that the other files of their session need.

    Parameters
    ----------
    experiment
        Says which files a session needs.
    folder
        Where the files lie.
    kept
        The files of the session without those that are left out.
    damaged
        Those that are left out: path → what is wrong with it.

    Raises
    ------
    FormatError
        It names the damaged file, and what would be missing.
    """
    if not damaged or not kept:
        return
    try:
        experiment.check_complete(folder, [file.path for file in kept])
    except NamingError as error:
        path, damage = next(iter(damaged.items()))
        raise FormatError(
            "A damaged tif cannot be left out: other files need it",
            path=folder / path,
            found=f"{damage}; without it: {error.what}",
            remedy="copy it again, or move the recording away that it is of.",
        ) from error


def check_what_follows(
    folder: Path,
    files: Sequence[RecordedFile],
    is_damaged: Callable[[RecordedFile], bool],
    may_follow: Callable[[RecordedFile], bool],
) -> None:
    """Refuse a file behind a damaged one if it does not say how many frames are missing between them.

    Parameters
    ----------
    folder
        Where the files lie.
    files
        The files of a session, cut ones and those that are left out among them.
    is_damaged
        Whether a file is cut, or left out.
    may_follow
        Whether frames may be missing before a file; asked for one behind a damaged one.

    Raises
    ------
    FormatError
        It names both.
    """

    def dataset(file: RecordedFile) -> tuple[str, int]:
        return file.used.datasettype, file.used.acquisition

    in_order = sorted(files, key=lambda file: (file.used.datasettype, file.order))
    for _, group in groupby(in_order, key=dataset):
        for file, following in pairwise(group):
            if is_damaged(file) and not may_follow(following):
                raise FormatError(
                    "A tif is damaged, and how many frames are missing before the next one is not known",
                    path=folder / file.path,
                    found=f"{Path(following.path).name} goes on behind it",
                    allowed="a damaged tif at the end of its acquisition, or planar tifs whose frames have"
                    " numbers",
                    remedy="copy it again, or move it and the later tifs of its acquisition away.",
                )
