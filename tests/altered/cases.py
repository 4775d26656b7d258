"""One case: something is written, things happen to it, and what becomes of it is judged."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from imaging_pipeline.errors import PipelineError

SAME, TOLD = "same", "told"


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes
    ----------
    kind
        `SAME` where what is stored is what was written, `TOLD` where an error names what was changed, or in
        words what is wrong.
    mishaps
        What was done.
    details
        The error, or what else helps.
    """

    kind: str
    mishaps: tuple[str, ...] = ()
    details: str = ""

    @property
    def is_finding(self) -> bool:
        return self.kind not in (SAME, TOLD)


@dataclass(frozen=True)
class Subject:
    """Something that is written, changed and stored; ``run`` is given random numbers and an empty folder."""

    name: str
    run: Callable[[Random, Path], Outcome]


def judge_error(error: Exception, mishaps: tuple[str, ...], names: tuple[str, ...], folder: Path) -> Outcome:
    """Judge an error: it must be one of ours, and name a file that was changed.

    Parameters
    ----------
    error
        The error.
    mishaps
        What was done.
    names
        The files concerned; where there are none, any file of the folder may be named.
    folder
        The folder.
    """
    text = "".join(traceback.format_exception(error, limit=-6))
    if not isinstance(error, PipelineError):
        return Outcome(f"{type(error).__name__} instead of an error of ours", mishaps, text)
    if not mishaps:
        return Outcome("an unchanged folder is refused", mishaps, text)
    message = str(error)
    wanted = [Path(name).name for name in names] or [folder.name]
    # An error of several files may name their folder, and one of exported tifs that of the measurement.
    if len(wanted) > 1:
        wanted += [folder.name]
    wanted += [Path(name).parent.name for name in names if "/" in name]
    if any(name in message for name in wanted):
        return Outcome(TOLD, mishaps, message)
    return Outcome("an error does not name the file", mishaps, text)
