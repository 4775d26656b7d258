"""Processes of this machine: whether one still runs, and how one ended."""

from __future__ import annotations

import signal

import psutil


def is_gone(pid: int) -> bool:
    """Return True if no process of this machine has this number.

    A zombie is dead: it only waits until its parent reads its exit code. Another process may have taken the
    number of a dead one by now; the dead worker is then recognised by its missing heartbeats.
    """
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def exit_text(exit_code: int) -> str:
    """Return how a process ended: ``exit code 1``, or the name of the signal that ended it."""
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"
