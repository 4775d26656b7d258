"""Files as sources of animals: what their kinds have in common."""

from __future__ import annotations

import codecs
import io
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Self

from imaging_pipeline.colony.sources.columns import COLUMNS, ColumnMap, Translation, a_column_map
from imaging_pipeline.colony.sources.contract import Setting, Source
from imaging_pipeline.config.kinds import NotAllowedError, Secret, a_folder, a_text
from imaging_pipeline.errors import (
    ColonyError,
    FormatError,
    NothingFoundError,
    PipelineError,
    Responsible,
    StillCopyingError,
)

# A file that was written more recently may still be growing.
_SETTLED_S = 60.0


def an_encoding(value: object) -> str:
    """Accept the name of an encoding that Python knows."""
    try:
        name = a_text(value)
        # Unlike `codecs.lookup`, it refuses codecs that are of bytes, such as base64.
        "".encode(name)
    except LookupError:
        raise NotAllowedError("an encoding such as utf-8 or cp1252") from None
    return codecs.lookup(name).name


@dataclass(frozen=True)
class FileSource(Source):
    """A file that a colony system or a person wrote.

    Attributes
    ----------
    path
        The file.
    columns
        What the file calls the columns that are read; None where all have our names and all are read.
    translation
        What its texts mean.
    datasource_id
        Number of its colony system; None where a column may say it.
    encoding
        Encoding of its text.
    must_be_settled
        Whether it is refused if it was written within the last minute.
    """

    path: Path
    columns: ColumnMap | None = None
    translation: Translation = Translation()
    datasource_id: int | None = None
    encoding: str = "utf-8"
    must_be_settled: bool = False

    own_settings: ClassVar[tuple[Setting, ...]] = (
        Setting("path", a_folder),
        Setting("columns", a_column_map, None),
        Setting("encoding", an_encoding, "utf-8"),
    )

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], password: Secret) -> Self:
        """Return the source with these settings."""
        rest = {name: settings[name] for name in ("path", "columns", "encoding", "datasource_id")}
        translation = Translation(settings["values"] or {}, settings["date_format"])
        return cls(**rest, translation=translation, must_be_settled=True)

    @property
    def name(self) -> str:
        """Kind and path."""
        return f"{self.kind} {self.path}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of columns in a file without a mapping; genotypes beside them."""
        return ("animal_id", *(("datasource_id",) if self.datasource_id is None else ()), *COLUMNS)


@contextmanager
def read_whole(path: Path, *, must_be_settled: bool) -> Iterator[BinaryIO]:
    """Open a file, and check at the end that it was not changed meanwhile.

    Parameters
    ----------
    path
        The file.
    must_be_settled
        Whether a file of the last minute is refused, since an export may still write it.

    Raises
    ------
    NothingFoundError
        It is not there, or cannot be read.
    StillCopyingError, ColonyError
        It is being written.
    PipelineError
        The error of the enclosed code, with the path, and the administrator as responsible.
    """
    with _read_errors(path):
        with path.open("rb") as file:
            before = path.stat()
            if must_be_settled:
                _refuse_recent(path, before)
            yield file
            # By path, so that a file that was put in the place of the opened one is noticed as well.
            after = path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise ColonyError(
                "The file was changed while it was read", remedy="Nothing.", responsible=Responsible.RETRY
            )


@contextmanager
def as_text(file: BinaryIO, encoding: str, *, newline: str) -> Iterator[io.TextIOWrapper]:
    """Open the text of a file; bytes that are no text become lone surrogates where the encoding allows it.

    Parameters
    ----------
    file
        The open file, which stays open.
    encoding, newline
        As `io.TextIOWrapper` takes them.

    Raises
    ------
    FormatError
        From some place on, the file is no text in this encoding.
    """
    # Lines are split after decoding: in UTF-16, the byte of a line's end may be half of another letter.
    text = io.TextIOWrapper(file, encoding, errors="surrogateescape", newline=newline)
    try:
        yield text
    except UnicodeError as error:
        raise FormatError(
            f"The file is no text in {encoding}",
            found=error,
            remedy="name its encoding in the configuration, save it as UTF-8, or have it written again.",
        ) from error
    finally:
        # Else the wrapper would close the file, which is not its own, when it is collected.
        text.detach()


@contextmanager
def _read_errors(path: Path) -> Iterator[None]:
    """Name the file in errors of the enclosed code; nobody but an administrator can mend it."""
    try:
        yield
    except PipelineError as error:
        is_passing = error.responsible is Responsible.RETRY
        raise error.of(path, Responsible.RETRY if is_passing else Responsible.ADMINISTRATOR) from error
    except FileNotFoundError:
        raise NothingFoundError(
            "The file is not there",
            path=path,
            remedy="check the spelling.",
            responsible=Responsible.ADMINISTRATOR,
        ) from None
    except OSError as error:
        raise NothingFoundError(
            "The file cannot be read",
            path=path,
            found=error.strerror,
            remedy="Give a file that this account may read.",
            responsible=Responsible.ADMINISTRATOR,
        ) from error


def _refuse_recent(path: Path, stat: os.stat_result) -> None:
    age_s = time.time() - stat.st_mtime
    # A time in the future is that of a wrong clock, and says nothing.
    if 0 <= age_s < _SETTLED_S:
        raise StillCopyingError(
            "The file is perhaps still being written",
            path=path,
            found=f"written {age_s:.0f} s ago",
            allowed=f"not within the last {_SETTLED_S:.0f} s",
            remedy="Wait a minute.",
        )
