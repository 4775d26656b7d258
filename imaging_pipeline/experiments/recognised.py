"""The interface of an experiment type: its verdict on each file of a folder, and what it reads of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Protocol

from imaging_pipeline.errors import FormatError
from imaging_pipeline.experiments.dataset_types import TIFS
from imaging_pipeline.readers.scanimage.frame_range import FrameRange
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif
from imaging_pipeline.readers.tiff.stack import TifStack, check_whole_frames, plain_stack
from imaging_pipeline.readers.tiff.whole import check_whole


@dataclass(frozen=True)
class StackFile:
    """A file on this machine.

    Attributes
    ----------
    acquisition
        Which one it belongs to.
    part
        Which part of the file it is; empty where it is all of it.
    pages_taken
        How many pages are taken of a damaged tif; None where all must be there.
    """

    path: Path
    acquisition: int
    part: str = ""
    pages_taken: int | None = None


@dataclass(frozen=True)
class StackFiles:
    """A dataset of tifs, and what was recorded with it.

    Attributes
    ----------
    datasettype
        What the tifs are.
    timeseries_name
        The session's.
    tifs
        The dataset's files in order.
    primary
        The files of the session's primary dataset in order; it may be the same dataset.
    zone
        The time zone of the lab.
    """

    datasettype: str
    timeseries_name: str
    tifs: tuple[StackFile, ...]
    primary: tuple[StackFile, ...]
    zone: tzinfo = UTC

    @property
    def acquisitions(self) -> tuple[int, ...]:
        """The acquisition of each of the dataset's files."""
        return tuple(file.acquisition for file in self.tifs)


@dataclass(frozen=True)
class Used:
    """A file that belongs to a dataset.

    Attributes
    ----------
    datasettype, filetype
        Names of the dataset's type and of the file's type.
    timeseries_name
        The name under which the activity was recorded: one a session.
    acquisition
        How often recording had been started under that name, as the file's name says.
    file_number
        Which piece of the acquisition the file is, from 1.
    """

    datasettype: str
    filetype: str
    timeseries_name: str
    acquisition: int
    file_number: int = 1


@dataclass(frozen=True)
class Ignored:
    """A file that is left out by a rule."""

    rule: str


@dataclass(frozen=True)
class Unknown:
    """A file that no rule knows.

    Attributes
    ----------
    reason
        Why not.
    lacks_recording
        Whether it would be used if the recording that its name speaks of were there, which may
        still be on its way.
    is_ambiguous
        Whether it would be used if its name said of which recording it is.
    """

    reason: str
    lacks_recording: bool = False
    is_ambiguous: bool = False


@dataclass(frozen=True)
class Examined:
    """What a file's content says of its session.

    Attributes
    ----------
    start
        When the session of the file started, if the file says so: the lab's wall time, or with a zone.
    layout
        What all files of its dataset must have in common, in words; empty where that is nothing.
    left_out
        Why its recording is no session, such as a z-stack; empty where it is one.
    frames
        Its first and last frame, if the file numbers them.
    may_follow_a_gap
        Whether frames may be missing before it: it numbers its frames, and these are of one plane.
    pages_taken
        How many pages are taken of a damaged tif; None where all are there.
    damage
        What is wrong with a tif that is left out, as the request wants it; else empty.
    """

    start: datetime | None = None
    layout: str = ""
    left_out: str = ""
    frames: FrameRange | None = None
    may_follow_a_gap: bool = False
    pages_taken: int | None = None
    damage: str = ""


UNREADABLE = "cannot be read: "
"""How the reason of a part with a problem begins: it is looked at again, as a later version may read it."""


@dataclass(frozen=True)
class Part:
    """A part of a file that holds several recordings.

    Attributes
    ----------
    examined
        What it says of its session.
    fingerprint
        Sixteen characters of its own content, which stay when another part is added to the file.
    left_out
        Why it is no recording; empty where it is one.
    problem
        Why it cannot be read; None where it can. It says nothing of the other parts.
    """

    examined: Examined = Examined()
    fingerprint: str = ""
    left_out: str = ""
    problem: FormatError | None = None

    @property
    def reason(self) -> str:
        """Why it makes no session, as it is stored with the other parts; empty where it makes one."""
        if self.problem is None:
            return self.left_out
        found = "" if self.problem.found is None else f" ({self.problem.found})"
        return f"{UNREADABLE}{self.problem.what}{found}"


@dataclass(frozen=True)
class Recognised:
    """A file, by its path below the folder with forward slashes, and what it is.

    A part of a file that holds several recordings has a path below that of the file.
    """

    path: str
    verdict: Used | Ignored | Unknown


class ExperimentType(Protocol):
    """One way of recording: which of its files mean what.

    Attributes
    ----------
    name
        As people name it in a request.
    primary
        The dataset type that makes a session, and whose first file says when it started.
    analysed
        The dataset type that Suite2p takes.
    container
        How the names of files end that hold several recordings; empty where there are none.
    refuses_combined
        Why its sessions are never analysed as one long recording; empty where they may be.
    may_repeat_tifs
        Whether two tifs of a recording may be equal, as those of one dark frame each are.
    refuses_damaged
        Why damaged tifs are neither cut nor left out; empty where they may be.
    tif_advice
        What a person does for a session without the tifs that Suite2p takes, as the end of a sentence; empty
        where there is no such session.
    """

    name: str
    primary: str
    analysed: str
    container: str = ""
    refuses_combined: str = ""
    may_repeat_tifs: bool = False
    refuses_damaged: str = ""
    tif_advice: str = ""

    def parts(self, path: Path) -> Mapping[str, Part]:
        """Read the recordings of a file that holds several, by their names in it.

        Raises
        ------
        TruncatedError
            The file's end is not there, or not yet.
        FormatError
            The content of the file is not what the format says. What is wrong with a part is its ``problem``.
        """
        return {}

    def output_folders(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the folder in which the Suite2p output of a session lies, by its timeseries name.

        The folder of any other session is named after the session.
        """
        return {}

    def recognise(self, folder: Path, names: Sequence[str]) -> tuple[Recognised, ...]:
        """Return the verdict on each file; ``names`` are paths below the folder that no rule ignores."""

    def check_numbering(self, folder: Path, names: Sequence[str]) -> None:
        """Refuse a recording with a piece missing between others, by a NamingError."""

    def check_complete(self, folder: Path, names: Sequence[str]) -> None:
        """Refuse a session that lacks a file that it needs, by a NamingError.

        Called after the files were examined; what turned out to be no session is not among ``names``.
        """
        return

    def examine(self, path: Path, used: Used, *, pages_taken: int | None = None) -> Examined:
        """Check that a file is complete, and return what it says of its session.

        Of a tif of any program, only the last page is checked. Of a damaged one, the pages that are taken
        must be there.

        Raises
        ------
        TruncatedError
            The file's end is not there, or not yet.
        FormatError
            The content is not what the format says.
        """
        if used.datasettype in TIFS:
            check_whole(path, pages_taken)
        return Examined()

    def check_frames(self, files: StackFiles) -> None:
        """Check that the frames of a dataset of tifs follow one another, where its files number them.

        Raises
        ------
        FormatError
            They do not, or frames of volumes are missing.
        """
        return

    def read_tifs(self, files: StackFiles) -> tuple[RecordedTif[Header], ...]:
        """Read how the pages of each tif of a dataset were taken, without their images.

        Of a damaged tif only the pages are read that are taken of it.

        Raises
        ------
        NothingFoundError
            A file is gone.
        FormatError
            A file is truncated, or no such tif.
        """

    def read_stack(self, files: StackFiles) -> TifStack:
        """Read what the table ``Tif`` stores of a dataset of tifs: here, what all have, and a mean image.

        Raises
        ------
        NothingFoundError, FormatError
            A file is gone, truncated or no such tif, or the files were not recorded alike.
        """
        tifs = self.read_tifs(files)
        check_whole_frames(tifs, files.acquisitions)
        return plain_stack(tifs)
