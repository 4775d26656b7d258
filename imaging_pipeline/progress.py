"""Progress of long steps, from the code that does the work to the one that shows it.

A function reports; a worker or a command may listen. The listener is in a context variable, so that threads
do not get each other's reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One report of a long step.

    Attributes
    ----------
    step
        What is being done, for example ``registration``.
    done, total
        Units finished and units in all; ``total`` is 0 if it is not known.
    message
        A line of the program's own log, or empty.
    outcome
        The result of all steps together in a line; empty while they last.
    """

    step: str
    done: int = 0
    total: int = 0
    message: str = ""
    outcome: str = ""


Listener = Callable[[Progress], None]

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def report(step: str, done: int = 0, total: int = 0, message: str = "") -> None:
    """Report to the listener, if there is one, how far a step is."""
    listener = _listener.get()
    if listener is not None:
        listener(Progress(step, done, total, message))


def conclude(outcome: str) -> None:
    """Report to the listener, if there is one, the result of all steps together in a line."""
    listener = _listener.get()
    if listener is not None:
        listener(Progress("", outcome=outcome))


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Send the reports of the enclosed code to ``listener``."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
