"""What sources that are files have in common."""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Self

from imaging_pipeline.colony.animal import COLUMNS
from imaging_pipeline.colony.sources.contract import Setting, Source
from imaging_pipeline.colony.sources.translation import Columns, Translation, a_column_map
from imaging_pipeline.config.kinds import NotAllowedError, a_folder, a_text
from imaging_pipeline.config.secret import Secret
from imaging_pipeline.errors import (
    ColonyError,
    NothingFoundError,
    PipelineError,
    Responsible,
    StillCopyingError,
)

# A file that was written so lately may be written still.
_SETTLED_S = 60.0


def an_encoding(value: object) -> str:
    """Accept the name of an encoding that Python knows."""
    try:
        return codecs.lookup(a_text(value)).name
    except LookupError:
        raise NotAllowedError("an encoding such as utf-8 or cp1252") from None


@dataclass(frozen=True)
class FileSource(Source):
    """A file.

    Attributes
    ----------
    path
        The file.
    columns
        What the file calls our columns, the others being left alone; None where all are called as ours.
    translation
        What its texts mean.
    datasource_id
        Number of its colony system; None where a column may say it.
    encoding
        Of its text.
    must_be_settled
        Whether it may not have been written a moment ago.
    """

    path: Path
    columns: Columns | None = None
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
        """Make a source of its settings."""
        rest = {name: settings[name] for name in ("path", "columns", "encoding", "datasource_id")}
        translation = Translation(settings["values"] or {}, settings["date_format"])
        return cls(**rest, translation=translation, must_be_settled=True)

    @property
    def name(self) -> str:
        """Kind and place."""
        return f"{self.kind} {self.path}"

    @property
    def own_names(self) -> tuple[str, ...]:
        """What columns are called where they are called as ours."""
        return ("animal_id", *(("datasource_id",) if self.datasource_id is None else ()), *COLUMNS)


@contextmanager
def read_whole(path: Path, *, must_be_settled: bool) -> Iterator[BinaryIO]:
    """Open a file, and make sure in the end that it stayed as it was meanwhile.

    Parameters
    ----------
    path
        The file.
    must_be_settled
        Whether one that was written a moment ago is refused, since it may be an export under way.

    Raises
    ------
    NothingFoundError
        It is not there, or cannot be read.
    StillCopyingError, ColonyError
        It is being written.
    PipelineError
        What the block raises, with the file and as the administrator's move.
    """
    try:
        with path.open("rb") as file:
            before = path.stat()
            age_s = time.time() - before.st_mtime
            if must_be_settled and 0 <= age_s < _SETTLED_S:
                raise StillCopyingError(
                    "The file is perhaps still being written",
                    path=path,
                    found=f"written {age_s:.0f} s ago",
                    allowed=f"not within the last {_SETTLED_S:.0f} s",
                    remedy="Wait a minute.",
                )
            yield file
            after = path.stat()
    except PipelineError as error:
        raise error.of(
            path, error.responsible if error.responsible is Responsible.RETRY else Responsible.ADMINISTRATOR
        ) from error
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
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise ColonyError(
            "The file was changed while it was read",
            path=path,
            remedy="Nothing.",
            responsible=Responsible.RETRY,
        )
