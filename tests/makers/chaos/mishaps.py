"""What happens to workers over the years: each a function that acts, waits by yielding, and says what it did.

Several may be under way at a time. One that aims at something waits until that comes by.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress

import psutil

from imaging_pipeline.workers.connection import reconnect
from tests.makers.chaos.disturbed_lab import Arena, Held
from tests.makers.chaos.service import Processes

Mishap = Generator[None, None, str]
Aim = Callable[[Arena], Sequence[Held]]

# A share that nobody misses comes back all the same.
_AWAY_S = 5.0
_SUSPENDED_S = 120.0
_AIMING_S = 5.0

# Most jobs take some hundredths of a second, Suite2p half of one.
_WITHIN_S = {"in Suite2p": 0.5}
_WITHIN_A_SHORT_JOB_S = 0.03


def _of_tables(*names: str) -> Aim:
    return lambda arena: arena.held(*names)


def _in_suite2p(arena: Arena) -> Sequence[Held]:
    runs = arena.held("Suite2Py")
    return [held for held in runs if (found := arena.service.processes_of(held.pid)) and found.suite2p]


AIMS: dict[str, Aim] = {
    "ingest": _of_tables("MakeDatasetSessions"),
    "in Suite2p": _in_suite2p,
    "import": _of_tables("Tif", "Mesc", "ImagingAnalysis", "Projection", "Cell", "FilteredSpikes"),
    "insert": Arena.writing,
}
ROLES: dict[str, Callable[[Processes], Sequence[psutil.Process]]] = {
    "supervisor": lambda processes: (processes.supervisor,),
    "job process": lambda processes: (processes.job_process,),
    "Suite2p": lambda processes: processes.suite2p,
    "all": lambda processes: (processes.supervisor, processes.job_process, *processes.suite2p),
}


def kill(arena: Arena, aim: str, role: str) -> Mishap:
    """Kill processes of a worker at some moment of a job."""
    held = yield from _aimed(arena, AIMS[aim])
    if held is None:
        return f"nothing was left to kill: {aim}"
    within_s = _WITHIN_S.get(aim, _WITHIN_A_SHORT_JOB_S)
    yield from _until(lambda: False, at_most_s=arena.random.uniform(0, within_s))
    processes = arena.service.processes_of(held.pid)
    # By now it may be at another job.
    if processes is None or not all([arena.spend(now) for now in arena.held_by(held.pid)]):
        return f"{role} spared: {aim}, {held.job}"
    for process in ROLES[role](processes):
        _signal(process, signal.SIGKILL)
    return f"{role} killed: {aim}, {held.job}"


def suspend(arena: Arena, aim: str) -> Mishap:
    """Let a worker sleep in the middle of a job until another has taken that up, and wake it."""
    held = yield from _aimed(arena, AIMS[aim])
    processes = arena.service.processes_of(held.pid) if held else None
    if held is None or processes is None:
        return f"nothing was left to suspend: {aim}"
    asleep = ROLES["all"](processes)
    for process in asleep:
        _signal(process, signal.SIGSTOP)
    try:
        arena.spend(held)
        was_taken = yield from _until(lambda: held not in arena.held_by(held.pid), at_most_s=_SUSPENDED_S)
        assert was_taken, f"nobody took up {held.job}, whose worker is suspended"
    finally:
        for process in asleep:
            _signal(process, signal.SIGCONT)
    return f"suspended, and woken after another took it up: {aim}, {held.job}"


def take_share_away(arena: Arena) -> Mishap:
    """Let the share vanish until a job has missed it."""
    share = arena.lab.share
    away = share.with_name("share that is away")
    share.rename(away)
    waiting = arena.num_waiting()
    was_missed = yield from _until(lambda: arena.num_waiting() > waiting, at_most_s=_AWAY_S)
    away.rename(share)
    return f"share away{', and missed' if was_missed else ''}"


def restart_database(arena: Arena) -> Mishap:
    """Stop the server, whoever is connected, and start it again."""
    yield from _until(lambda: bool(arena.held()), at_most_s=_AWAY_S)
    arena.server.stop()
    arena.server.start()
    reconnect(arena.lab.connection)
    return "database restarted"


def _aimed(arena: Arena, aim: Aim) -> Generator[None, None, Held | None]:
    """Wait for a job that is aimed at, in the end for any; None where all work is done before."""
    deadline = time.monotonic() + _AIMING_S
    while not (found := aim(arena)):
        if time.monotonic() > deadline:
            aim = Arena.held
        if arena.is_done() and not arena.request_folder():
            return None
        yield
    return arena.random.choice(found)


def _until(condition: Callable[[], bool], at_most_s: float) -> Generator[None, None, bool]:
    """Wait until something is so, and say whether it is."""
    deadline = time.monotonic() + at_most_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        yield
    return True


def _signal(process: psutil.Process, number: int) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
