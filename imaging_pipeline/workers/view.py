"""What a person sees of a worker: a line a job, and on a terminal a bar for the running one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from imaging_pipeline.lanes import short_name
from imaging_pipeline.workers.messages import Advanced, Event, Fate, Finished, Key, Note, Started

_LEVELS = {
    Fate.ERROR: logging.ERROR,
    Fate.CRASHED: logging.WARNING,
    Fate.DISCONNECTED: logging.WARNING,
    Fate.LOST: logging.WARNING,
    Fate.FAILED: logging.ERROR,
}
_STYLES = {logging.WARNING: "yellow", logging.ERROR: "red"}

_SHORT = 8
"""Characters of a hash that tell it from the others of a day."""

_log = logging.getLogger(__name__)


def describe(event: Event) -> str:
    """Give an event as one line."""
    match event:
        case Note():
            return event.message
        case Started():
            return f"{_job(event.table, event.key)}: begins"
        case Advanced():
            return f"{_job(event.table, event.key)}: {_step(event)}"
        case Finished():
            message = f": {event.message}" if event.message else ""
            duration = f" after {event.duration_s:.1f} s" if event.duration_s else ""
            return f"{_job(event.table, event.key or {})}: {event.fate}{duration}{message}"


def level(event: Event) -> int:
    """Give how much an event matters, as a level of `logging`."""
    match event:
        case Note():
            return event.level
        case Finished():
            return _LEVELS.get(event.fate, logging.INFO)
        case _:
            return logging.INFO


@contextmanager
def view(console: Console) -> Iterator[Callable[[Event], None]]:
    """Give a listener that draws on a terminal, or logs where the console is none."""
    if not console.is_terminal:
        yield LogView()
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[step]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    with bar:
        yield TerminalView(bar)


class LogView:
    """Logs every event; of a step that only counts, its first report."""

    def __init__(self) -> None:
        self._step = ""

    def __call__(self, event: Event) -> None:
        """Log an event."""
        if isinstance(event, Advanced):
            is_count = event.progress.step == self._step and not event.progress.message
            self._step = event.progress.step
            if is_count:
                return
        else:
            self._step = ""
        _log.log(level(event), "%s", describe(event))


class TerminalView:
    """Keeps a bar for the running job, and prints what came of the others above it."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def __call__(self, event: Event) -> None:
        """Draw an event."""
        match event:
            case Started():
                self._clear()
                job = escape(_short_job(event.table, event.key))
                self._task = self._bar.add_task(job, total=None, step="")
            case Advanced() if self._task is not None:
                report = event.progress
                self._bar.update(
                    self._task, completed=report.done, total=report.total or None, step=escape(_step(event))
                )
            case Finished() | Note():
                if isinstance(event, Finished):
                    self._clear()
                self._bar.console.print(
                    _short(event), style=_STYLES.get(level(event)), markup=False, highlight=False
                )

    def _clear(self) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None


def _short(event: Finished | Note) -> str:
    """Give what fits into a line of a terminal, where all went well; else everything."""
    if isinstance(event, Finished) and event.fate is Fate.DONE and event.key is not None:
        outcome = f": {event.message}" if event.message else ""
        return f"{_short_job(event.table, event.key)}: done after {event.duration_s:.1f} s{outcome}"
    return describe(event)


def _short_job(table: str, key: Key) -> str:
    values = (str(value)[:_SHORT] for value in key.values())
    return " ".join([short_name(table), *values])


def _job(table: str, key: Key) -> str:
    return " ".join([short_name(table), *(f"{name}={value}" for name, value in key.items())])


def _step(event: Advanced) -> str:
    report = event.progress
    counts = f" {report.done} of {report.total}" if report.total else ""
    message = f": {report.message}" if report.message else ""
    return f"{report.step}{counts}{message}"
