"""What a reader made of an input: a value, a good error, or a finding."""

from __future__ import annotations

import traceback
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging_pipeline.errors import PipelineError
from tests.fuzz.canary import Watch, holds_canary
from tests.fuzz.guard import Guard
from tests.makers.registered_readers import RegisteredReader

_MAX_CHARACTERS = 2500
# Control characters, and halves of characters, which no file and no database takes.
_UNPRINTABLE = ("Cc", "Cs")
_PACKAGE = "imaging_pipeline"


@dataclass(frozen=True)
class Verdict:
    """What became of an input.

    Attributes
    ----------
    outcome
        ``value``, the class of the error, or what is wrong.
    is_finding
        Whether something is wrong.
    function
        Where, as ``module:function`` of the package; with the outcome it tells findings apart.
    details
        The traceback, or what else helps.
    """

    outcome: str
    is_finding: bool = False
    function: str = ""
    details: str = ""

    @property
    def kind(self) -> str:
        """What findings of one cause have in common."""
        return f"{self.outcome} in {self.function}" if self.function else self.outcome


def judge(reader: RegisteredReader, path: Path, guard: Guard, watch: Watch) -> Verdict:
    """Read a file and judge what comes of it."""
    watch.has_seen()
    with guard.armed(path.parent) as heard:
        verdict = _read(reader, path)
    if heard:
        return Verdict(
            f"reading did more than read: {heard[0]}", True, details="\n".join([*heard, verdict.details])
        )
    if watch.has_seen():
        return Verdict("a file outside the folder was opened", True, details=verdict.outcome)
    return verdict


def _read(reader: RegisteredReader, path: Path) -> Verdict:
    try:
        value = reader.read(path)
    except PipelineError as error:
        return _of_error(reader, path, error)
    except BaseException as error:  # anything else than ours is what is looked for
        return Verdict(type(error).__name__, True, _innermost_function(error), _traceback(error))
    return _of_value(value)


def _of_value(value: Any) -> Verdict:
    if holds_canary(value):
        return Verdict("the content of a file outside the folder was returned", True)
    return Verdict("value")


def _of_error(reader: RegisteredReader, path: Path, error: PipelineError) -> Verdict:
    wrong = _wrong_with(str(error), path.name if reader.names_file else "")
    if wrong:
        return Verdict(f"an error's message {wrong}", True, _innermost_function(error), _traceback(error))
    return Verdict(type(error).__name__)


def _wrong_with(message: str, name: str) -> str:
    wrongs: dict[str, Callable[[], bool]] = {
        "does not name the file": lambda: name not in message,
        f"has {_MAX_CHARACTERS} characters or more": lambda: len(message) >= _MAX_CHARACTERS,
        "has control characters": lambda: any(
            unicodedata.category(character) in _UNPRINTABLE for character in message
        ),
    }
    return next((wrong for wrong, is_so in wrongs.items() if is_so()), "")


def _innermost_function(error: BaseException) -> str:
    """Return the innermost function of the package that an error passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"/{_PACKAGE}/" in Path(frame.filename).as_posix()]
    chosen = (ours or list(frames))[-1]
    return f"{Path(chosen.filename).name}:{chosen.name}"


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, limit=-30))[-20_000:]
