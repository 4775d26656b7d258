"""Every error that the pipeline raises on purpose.

An error says what happened, in which file, which value was found, which are allowed, what to do, and who can
do it. Each class also inherits the builtin that a Python programmer would expect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import Any, ClassVar, Self

from imaging_pipeline.printable import escaped


class Responsible(StrEnum):
    """Who can do something about an error."""

    EXPERIMENTER = "experimenter"
    ADMINISTRATOR = "administrator"
    RETRY = "retry"
    DEVELOPER = "developer"

    @property
    def sentence(self) -> str:
        """How an error's message ends; messages in job rows are parsed by it."""
        return _TEXTS[self][0]

    @property
    def phrase(self) -> str:
        """The same within a line."""
        return _TEXTS[self][1]


_TEXTS = {
    Responsible.EXPERIMENTER: ("The experimenter's move.", "the experimenter's move"),
    Responsible.ADMINISTRATOR: ("The administrator's move.", "the administrator's move"),
    Responsible.RETRY: ("It is tried again by itself.", "tried again by itself"),
    Responsible.DEVELOPER: ("A bug: please report it.", "a bug"),
}

# DataJoint stores 2047 characters of an error in its job's row, after the name of the class. What to do comes
# last and must not be lost, so values that are too long are cut.
_LONGEST = 1900
# A value is shown to this length even where the rest of the message leaves no room.
_SHORTEST_VALUE = 100


class PipelineError(Exception):
    """Base of all errors of the pipeline.

    Parameters
    ----------
    what
        What happened, as one sentence without a final stop.
    path
        The file or folder concerned.
    found, allowed
        The value that was found, and the values that would have been accepted.
    remedy
        What to do, as a sentence; its first letter becomes a capital.
    responsible
        Who can do it; by default the one that the class names.
    field
        The input or column that the error is about, by which a form shows it beside the right field.
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
        field: str | None = None,
    ) -> None:
        self.what = escaped(what)
        self.path = None if path is None else escaped(str(path))
        self.found, self.allowed = found, allowed
        self.remedy = remedy[:1].upper() + remedy[1:]
        self.responsible = responsible or self.default_responsible
        self.field = field
        super().__init__(self._message())

    def of(self, path: PurePath | str, responsible: Responsible, field: str | None = None) -> Self:
        """Return the same error for a caller that knows the file, who is responsible, and the field."""
        values: dict[str, Any] = {"found": self.found, "allowed": self.allowed, "remedy": self.remedy}
        return type(self)(self.what, path=path, responsible=responsible, field=field or self.field, **values)

    def _message(self) -> str:
        begin = [f"{self.what}.", *([] if self.path is None else [f"File: {self.path}."])]
        end = [_end(self.remedy, self.responsible)]
        values = {"Found": self.found, "Allowed": self.allowed}
        texts = {label: str(value) for label, value in values.items() if value is not None}
        room = _LONGEST - sum(map(len, (*begin, *end)))
        room_each = max(room // max(len(texts), 1), _SHORTEST_VALUE)
        shown = (f"{label}: {shown_value(text, room_each)}." for label, text in texts.items())
        return " ".join([*begin, *shown, *end])


def shown_value(value: object, num_characters: int = _LONGEST // 2) -> str:
    """Return a value as a message shows it: without what acts on a terminal, and cut where it is long."""
    return _cut(escaped(str(value)), num_characters)


def _end(remedy: str, responsible: Responsible) -> str:
    return f"What to do: {remedy} {responsible.sentence}"


def _cut(text: str, num_characters: int) -> str:
    """Return the beginning of a text that is too long, and how much is left out."""
    left_out = len(text) - num_characters
    return f"{text[:num_characters]} … ({left_out} characters more)" if left_out > 0 else text


@dataclass(frozen=True)
class ParsedMessage:
    """The parts of a message in a job's row, left by an error or by what the job waits for.

    Attributes
    ----------
    responsible
        Who can do something about it.
    what
        What happened, with the file and the values.
    remedy, kind
        What to do, and the error's class; empty where the message does not name them.
    attempt, deaths
        How often the job was tried, and how many processes died of it in a row, where it is tried again by
        itself; else 0.
    """

    responsible: Responsible
    what: str
    remedy: str
    kind: str = ""
    attempt: int = 0
    deaths: int = 0


_BY_SENTENCE = {responsible.sentence: responsible for responsible in Responsible}
# The last "What to do" counts, since a value that was found may have the same words, or several lines.
_MESSAGE = re.compile(
    r"(?:Attempt (?P<attempt>\d+)(?:, deaths (?P<deaths>\d+))?: )?"
    r"(?:(?P<kind>[A-Z]\w*): )?"
    rf"(?:(?P<what>.*)What to do: (?P<remedy>.*) (?P<whose>{'|'.join(map(re.escape, _BY_SENTENCE))})"
    r"|(?P<all>.*))",
    re.DOTALL,
)


def format_message(parsed: ParsedMessage) -> str:
    """Return the message for a job's row: no longer than it may be, and with what to do at its end."""
    deaths = f", deaths {parsed.deaths}" if parsed.deaths else ""
    begin = f"Attempt {parsed.attempt}{deaths}: " if parsed.attempt else ""
    begin += f"{parsed.kind}: " if parsed.kind else ""
    end = f" {_end(parsed.remedy, parsed.responsible)}"
    return f"{begin}{_cut(parsed.what, _LONGEST - len(end))}{end}"


def parse_message(message: str) -> ParsedMessage:
    """Return the parts of a message: the inverse of `format_message`, and of what `PipelineError` writes.

    A message that does not say who is responsible was not written by an error of ours: it is a bug.
    """
    match = _MESSAGE.fullmatch(message)
    assert match is not None  # every text matches
    return ParsedMessage(
        _BY_SENTENCE.get(match["whose"] or "", Responsible.DEVELOPER),
        (match["what"] or match["all"] or "").rstrip(),
        match["remedy"] or "",
        match["kind"] or "",
        int(match["attempt"] or 0),
        int(match["deaths"] or 0),
    )


class ConfigError(PipelineError, ValueError):
    """The configuration file or an environment variable is wrong."""

    default_responsible = Responsible.ADMINISTRATOR


class InputError(PipelineError, ValueError):
    """A person gave a value that does not exist or is not allowed."""


class PathError(PipelineError, ValueError):
    """A path belongs to no repository, or leaves it."""


class ForbiddenError(PipelineError, PermissionError):
    """A person may not do this."""

    default_responsible = Responsible.ADMINISTRATOR


class TooOftenError(ForbiddenError):
    """It failed too often; later it may be tried again."""

    default_responsible = Responsible.EXPERIMENTER


class NamingError(PipelineError, ValueError):
    """A file's name does not say certainly what it is."""


class NothingFoundError(PipelineError, FileNotFoundError):
    """A folder does not exist, or holds nothing of its experiment type."""


class StillCopyingError(PipelineError, BlockingIOError):
    """Files are still being written: the request waits."""

    default_responsible = Responsible.RETRY


class NotYetHereError(PipelineError, LookupError):
    """An animal is not in the database yet: the request waits for the colony's next sync."""

    default_responsible = Responsible.RETRY


class ColonyError(PipelineError, RuntimeError):
    """The colony system is away, is not as its mapping says, or suddenly has hardly any animals."""

    default_responsible = Responsible.ADMINISTRATOR


class FormatError(PipelineError, ValueError):
    """A file's content is not what its format says."""


class DamagedError(FormatError):
    """A file of the right format has lost some of its content, or where in it that lies."""


class TruncatedError(DamagedError):
    """A file ends before all that it says it holds: it is still being copied, or was never copied whole."""


class UnsafeContentError(FormatError):
    """Reading a file would call a function, open another file, or take memory out of proportion."""


class NotHereError(PipelineError):
    """It cannot be done on this machine; another one may."""

    default_responsible = Responsible.ADMINISTRATOR


class MissingPackageError(NotHereError, ImportError):
    """An optional package is not installed on this machine."""


class MissingWeightsError(NotHereError, FileNotFoundError):
    """The weights of a network that one option set asks for are not on this machine."""


class NotMountedError(NotHereError, FileNotFoundError):
    """A repository is not mounted on this machine."""


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
    """A store or a scratch folder is full, missing or read-only."""

    default_responsible = Responsible.ADMINISTRATOR


class NoRoomError(NotHereError, StoreError):
    """The scratch disk of this machine has no room for a run; that of another one may."""
