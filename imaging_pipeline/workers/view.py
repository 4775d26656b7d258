"""What a person sees of a worker: a line a job, and on a terminal a bar for the running one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from imaging_pipeline.lanes import short_name
from imaging_pipeline.workers.messages import Advanced, Event, Finished, Idle, Key, Note, Outcome, Started

_LEVELS = {
    Outcome.ERROR: logging.ERROR,
    Outcome.CRASHED: logging.WARNING,
    Outcome.DISCONNECTED: logging.WARNING,
    Outcome.LOST: logging.WARNING,
    Outcome.FAILED: logging.ERROR,
}
_STYLES = {logging.WARNING: "yellow", logging.ERROR: "red"}

_SHORT = 8
"""Characters of a hash that tell it from the others of a day."""

_BAR_WIDTH = 20

_IDLE = "waiting for work"

_log = logging.getLogger(__name__)


def describe(event: Event) -> str:
    """Return an event as one line."""
    match event:
        case Note():
            return event.message
        case Started():
            return f"{job_name(event.table, event.key)}: begins"
        case Advanced():
            return f"{job_name(event.table, event.key)}: {_step(event)}"
        case Finished():
            message = f": {event.message}" if event.message else ""
            duration = f" after {event.duration_s:.1f} s" if event.duration_s else ""
            return f"{job_name(event.table, event.key or {})}: {event.outcome}{duration}{message}"
        case Idle():
            return _IDLE


def level(event: Event) -> int:
    """Return how much an event matters, as a level of `logging`."""
    match event:
        case Note():
            return event.level
        case Finished():
            return _LEVELS.get(event.outcome, logging.INFO)
        case _:
            return logging.INFO


@contextmanager
def view(console: Console, *, is_logged: bool = False) -> Iterator[Callable[[Event], None]]:
    """Yield a listener that draws on a terminal, and logs where there is none or ``is_logged`` is set."""
    log = LogView()
    if not console.is_terminal:
        yield log
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(_BAR_WIDTH),
        # Of all columns the one that is cut where the terminal is narrow.
        TextColumn("{task.fields[step]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        expand=True,
    )
    with bar:
        terminal = TerminalView(bar)

        def both(event: Event) -> None:
            terminal(event)
            if is_logged:
                log(event)

        yield both


class LogView:
    """Logs every event but `Idle`; of a step that only counts, its first report of each job."""

    def __init__(self) -> None:
        self._steps: dict[str, set[str]] = {}

    def __call__(self, event: Event) -> None:
        """Log an event."""
        if isinstance(event, Advanced):
            # Steps may alternate, such as those of one file after the other.
            steps = self._steps.setdefault(job_name(event.table, event.key), set())
            is_count = event.progress.step in steps and not event.progress.message
            steps.add(event.progress.step)
            if is_count:
                return
        elif isinstance(event, Finished):
            self._steps.pop(job_name(event.table, event.key or {}), None)
        elif isinstance(event, Idle):
            return
        _log.log(level(event), "%s", describe(event))


class TerminalView:
    """Shows a bar for each running job, and prints what became of the others above them."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        """Draw an event."""
        match event:
            case Started():
                self._clear(_IDLE)
                # A key may have square brackets, which rich would take for markup.
                self._add(job_name(event.table, event.key), escape(_short_job(event.table, event.key)))
            case Advanced():
                progress, task = event.progress, self._tasks.get(job_name(event.table, event.key))
                if task is not None:
                    # Without a total rich draws a bar that only moves.
                    self._bar.update(
                        task, completed=progress.done, total=progress.total or None, step=escape(_step(event))
                    )
            case Finished() | Note():
                if isinstance(event, Finished):
                    self._clear(job_name(event.table, event.key or {}))
                self._bar.console.print(
                    _short(event), style=_STYLES.get(level(event)), markup=False, highlight=False
                )
            case Idle():
                self._add(_IDLE, _IDLE)

    def _add(self, job: str, description: str) -> None:
        if job not in self._tasks:
            self._tasks[job] = self._bar.add_task(description, total=None, step="")

    def _clear(self, job: str) -> None:
        task = self._tasks.pop(job, None)
        if task is not None:
            self._bar.remove_task(task)


def _short(event: Finished | Note) -> str:
    """Return what fits into a line of a terminal, where all went well; else everything."""
    if isinstance(event, Finished) and event.outcome is Outcome.DONE and event.key is not None:
        message = f": {event.message}" if event.message else ""
        return f"{_short_job(event.table, event.key)}: done after {event.duration_s:.1f} s{message}"
    return describe(event)


def _short_job(table: str, key: Key) -> str:
    values = (str(value)[:_SHORT] for value in key.values())
    return " ".join([short_name(table), *values])


def job_name(table: str, key: Key) -> str:
    """Return a job in full, as logs have it."""
    return " ".join([short_name(table), *(f"{name}={value}" for name, value in key.items())])


def _step(event: Advanced) -> str:
    progress = event.progress
    counts = f" {progress.done} of {progress.total}" if progress.total else ""
    message = f": {progress.message}" if progress.message else ""
    return f"{progress.step}{counts}{message}"
