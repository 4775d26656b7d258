"""Every error that the pipeline raises on purpose.

An error says what happened, in which file, which value was found, which are allowed, what to do
and whose move it is. Each class also inherits the builtin that a Python programmer would expect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import ClassVar, Self

from imaging_pipeline.printable import escaped


class Responsible(StrEnum):
    """Who can do something about an error."""

    EXPERIMENTER = "experimenter"
    ADMINISTRATOR = "administrator"
    RETRY = "retry"
    DEVELOPER = "developer"


_WHOSE = {
    Responsible.EXPERIMENTER: "The experimenter's move.",
    Responsible.ADMINISTRATOR: "The administrator's move.",
    Responsible.RETRY: "It is tried again by itself.",
    Responsible.DEVELOPER: "A bug: please report it.",
}

# DataJoint keeps 2047 characters of an error in its job's row, with the name of the class before. What to
# do comes last and must not be lost, so the values are cut that are too long.
_LONGEST = 1900
_SHORTEST_VALUE = 100


class PipelineError(Exception):
    """Base of all errors of the pipeline.

    Parameters
    ----------
    what
        What happened, as one sentence without a final stop.
    path
        The file or folder concerned.
    found
        The value that was found.
    allowed
        The values that would have been accepted.
    remedy
        What to do, as a sentence; its first letter becomes a capital.
    responsible
        Who can do it; the class says so where this is not given.
    field
        The input that was refused, by the name that callers give it by; empty where none or several were.
    """

    default_responsible: ClassVar[Responsible] = Responsible.EXPERIMENTER

    def __init__(
        self,
        what: str,
        *,
        remedy: str,
        path: PurePath | str | None = None,
        found: object = None,
        allowed: object = None,
        responsible: Responsible | None = None,
        field: str = "",
    ) -> None:
        self.what = escaped(what)
        self.path = None if path is None else escaped(str(path))
        self.found = found
        self.allowed = allowed
        self.remedy = remedy[:1].upper() + remedy[1:]
        self.responsible = responsible or self.default_responsible
        self.field = field
        super().__init__(self._message())

    def of(self, path: PurePath | str, responsible: Responsible) -> Self:
        """Return the same error for one who knows of which file it is, and whose move that makes it."""
        return type(self)(
            self.what,
            path=path,
            found=self.found,
            allowed=self.allowed,
            remedy=self.remedy,
            responsible=responsible,
            field=self.field,
        )

    def _message(self) -> str:
        begin = [f"{self.what}.", *([] if self.path is None else [f"File: {self.path}."])]
        end = [_end(self.remedy, self.responsible)]
        values = {"Found": self.found, "Allowed": self.allowed}
        told = {label: escaped(str(value)) for label, value in values.items() if value is not None}
        room = _LONGEST - sum(map(len, (*begin, *end)))
        room_each = max(room // max(len(told), 1), _SHORTEST_VALUE)
        values_told = (f"{label}: {_cut(value, room_each)}." for label, value in told.items())
        return " ".join([*begin, *values_told, *end])


def _end(remedy: str, responsible: Responsible) -> str:
    return f"What to do: {remedy} {_WHOSE[responsible]}"


def _cut(text: str, num_characters: int) -> str:
    """Return the beginning of a text that is too long, and tell how much is left out."""
    left_out = len(text) - num_characters
    return f"{text[:num_characters]} … ({left_out} characters more)" if left_out > 0 else text


@dataclass(frozen=True)
class ParsedMessage:
    """What a message says that an error, or what waits, left in a job's row.

    Attributes
    ----------
    responsible
        Whose move it is.
    what
        What happened, with the file and the values.
    remedy
        What to do; empty where the message says nothing of it.
    kind
        The error's class; empty where the message names none.
    attempt
        How often the job was tried, where it is tried again by itself; else 0.
    deaths
        How many processes died of it in a row.
    """

    responsible: Responsible
    what: str
    remedy: str
    kind: str = ""
    attempt: int = 0
    deaths: int = 0


_MESSAGE = re.compile(
    r"(?:Attempt (?P<attempt>\d+)(?:, deaths (?P<deaths>\d+))?: )?"
    r"(?:(?P<kind>[A-Z]\w*): )?"
    rf"(?:(?P<what>.*)What to do: (?P<remedy>.*) (?P<whose>{'|'.join(map(re.escape, _WHOSE.values()))})"
    r"|(?P<all>.*))",
    re.DOTALL,
)
_BY_TEXT = {whose: responsible for responsible, whose in _WHOSE.items()}


def format_message(parsed: ParsedMessage) -> str:
    """Return what is kept in a job's row: no longer than it may be, and with what to do at its end."""
    deaths = f", deaths {parsed.deaths}" if parsed.deaths else ""
    begin = f"Attempt {parsed.attempt}{deaths}: " if parsed.attempt else ""
    begin += f"{parsed.kind}: " if parsed.kind else ""
    end = f" {_end(parsed.remedy, parsed.responsible)}"
    return f"{begin}{_cut(parsed.what, _LONGEST - len(end))}{end}"


def parse_message(message: str) -> ParsedMessage:
    """Return what a message tells: the inverse of `format_message`, and of what `PipelineError` writes.

    A message that does not say whose move it is was written by none of ours: it is a bug.
    """
    found = _MESSAGE.fullmatch(message)
    assert found is not None  # every text matches
    return ParsedMessage(
        _BY_TEXT.get(found["whose"] or "", Responsible.DEVELOPER),
        (found["what"] or found["all"] or "").rstrip(),
        found["remedy"] or "",
        found["kind"] or "",
        int(found["attempt"] or 0),
        int(found["deaths"] or 0),
    )


class ConfigError(PipelineError, ValueError):
    """The configuration file or an environment variable is wrong."""

    default_responsible = Responsible.ADMINISTRATOR


class InputError(PipelineError, ValueError):
    """A value that a person gave is not one that is known."""


class PathError(PipelineError, ValueError):
    """A path belongs to no repository, or leaves it."""


class ForbiddenError(PipelineError, PermissionError):
    """A person may not do this."""

    default_responsible = Responsible.ADMINISTRATOR


class TooOftenError(ForbiddenError):
    """It was tried in vain too often; later it may be tried again."""

    default_responsible = Responsible.EXPERIMENTER


class NamingError(PipelineError, ValueError):
    """A file's name does not say certainly what it is."""


class NothingFoundError(PipelineError, FileNotFoundError):
    """A folder is not there, or holds nothing of its experiment type."""


class StillCopyingError(PipelineError, BlockingIOError):
    """Files are still being written: the request waits."""

    default_responsible = Responsible.RETRY


class NotYetHereError(PipelineError, LookupError):
    """An animal is not in the database yet: the request waits for the colony's next sync."""

    default_responsible = Responsible.RETRY


class ColonyError(PipelineError, RuntimeError):
    """The colony system is away, is not as its mapping says, or suddenly tells of nearly nothing."""

    default_responsible = Responsible.ADMINISTRATOR


class FormatError(PipelineError, ValueError):
    """A file's content is not what its format says."""


class TruncatedError(FormatError):
    """A file ends before all that it says it holds: it is still being copied, or was never copied whole."""


class UnsafeContentError(FormatError):
    """A file asks for more than to be read: a function, another file, or memory out of proportion."""


class NotHereError(PipelineError):
    """It cannot be done on this machine; another one may."""

    default_responsible = Responsible.ADMINISTRATOR


class MissingPackageError(NotHereError, ImportError):
    """An optional package is not installed on this machine."""


class MissingWeightsError(NotHereError, FileNotFoundError):
    """The weights of a network that one option set asks for are not on this machine."""


class NotMountedError(NotHereError, FileNotFoundError):
    """A repository is not to be found on this machine."""


class DatabaseError(PipelineError, ConnectionError):
    """The database cannot be reached, or refuses."""

    default_responsible = Responsible.ADMINISTRATOR


class UnreachableError(DatabaseError):
    """The database server does not answer; it may later."""


class SchemaError(PipelineError, RuntimeError):
    """The tables are not declared, or are not those of this version."""

    default_responsible = Responsible.ADMINISTRATOR


class OtherVersionError(SchemaError):
    """The tables are those of another version."""


class RunError(PipelineError, RuntimeError):
    """A run of an analysis program failed."""


class ProcessKilledError(RunError):
    """The process of an analysis program was killed; this time, it may be, for lack of memory."""

    default_responsible = Responsible.ADMINISTRATOR


class OutputError(PipelineError, ValueError):
    """An output of an analysis program is incomplete, superseded or foreign."""


class StoreError(PipelineError, OSError):
    """A store or scratch place is full, missing or read-only."""

    default_responsible = Responsible.ADMINISTRATOR


class NoRoomError(NotHereError, StoreError):
    """The scratch disk of this machine has no room for a run; that of another one may."""
