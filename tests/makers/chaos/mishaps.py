"""What happens to workers over the years: generators that act, wait by yielding, and return what they did.

Several may run at a time. One that needs a job in some state waits until there is one.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress

import psutil

from imaging_pipeline.workers.connection import reconnect
from tests.makers.chaos.disturbed_lab import DisturbedLab, ReservedJob
from tests.makers.chaos.service import Processes

Mishap = Generator[None, None, str]
Aim = Callable[[DisturbedLab], Sequence[ReservedJob]]

# A share comes back even if no job has missed it.
_AWAY_S = 5.0
_SUSPENDED_S = 120.0
_AIMING_S = 5.0

# Most jobs take some hundredths of a second, Suite2p half of one.
_WITHIN_S = {"in Suite2p": 0.5}
_WITHIN_A_SHORT_JOB_S = 0.03


def _of_tables(*names: str) -> Aim:
    return lambda disturbed: disturbed.reserved(*names)


def _in_suite2p(disturbed: DisturbedLab) -> Sequence[ReservedJob]:
    runs = disturbed.reserved("Suite2Py")
    return [job for job in runs if (worker := disturbed.service.processes_of(job.pid)) and worker.suite2p]


AIMS: dict[str, Aim] = {
    "ingest": _of_tables("MakeDatasetSessions"),
    "in Suite2p": _in_suite2p,
    "import": _of_tables("Tif", "Mesc", "ImagingAnalysis", "Projection", "Cell", "FilteredSpikes"),
    "insert": DisturbedLab.writing,
}
ROLES: dict[str, Callable[[Processes], Sequence[psutil.Process]]] = {
    "supervisor": lambda processes: (processes.supervisor,),
    "job process": lambda processes: (processes.job_process,),
    "Suite2p": lambda processes: processes.suite2p,
    "all": lambda processes: (processes.supervisor, processes.job_process, *processes.suite2p),
}


def kill(disturbed: DisturbedLab, aim: str, role: str) -> Mishap:
    """Kill processes of a worker at some moment of a job."""
    job = yield from _aimed(disturbed, AIMS[aim])
    if job is None:
        return f"nothing was left to kill: {aim}"
    within_s = _WITHIN_S.get(aim, _WITHIN_A_SHORT_JOB_S)
    yield from _until(lambda: False, at_most_s=disturbed.random.uniform(0, within_s))
    processes = disturbed.service.processes_of(job.pid)
    # By now it may be at another job.
    if processes is None or not all(
        [disturbed.count_death(current) for current in disturbed.reserved_by(job.pid)]
    ):
        return f"{role} spared: {aim}, {job.name}"
    for process in ROLES[role](processes):
        _signal(process, signal.SIGKILL)
    return f"{role} killed: {aim}, {job.name}"


def suspend(disturbed: DisturbedLab, aim: str) -> Mishap:
    """Suspend a worker in the middle of a job until another has taken that over, and resume it."""
    job = yield from _aimed(disturbed, AIMS[aim])
    processes = disturbed.service.processes_of(job.pid) if job else None
    if job is None or processes is None:
        return f"nothing was left to suspend: {aim}"
    asleep = ROLES["all"](processes)
    for process in asleep:
        _signal(process, signal.SIGSTOP)
    try:
        disturbed.count_death(job)
        was_taken = yield from _until(
            lambda: job not in disturbed.reserved_by(job.pid), at_most_s=_SUSPENDED_S
        )
        assert was_taken, f"no worker took over {job.name}, whose worker is suspended"
    finally:
        for process in asleep:
            _signal(process, signal.SIGCONT)
    return f"suspended, and resumed after another took it over: {aim}, {job.name}"


def take_share_away(disturbed: DisturbedLab) -> Mishap:
    """Let the share vanish until a job has missed it."""
    share = disturbed.lab.share
    away = share.with_name("share that is away")
    share.rename(away)
    waiting = disturbed.num_waiting()
    was_missed = yield from _until(lambda: disturbed.num_waiting() > waiting, at_most_s=_AWAY_S)
    away.rename(share)
    return f"share away{', and missed' if was_missed else ''}"


def restart_database(disturbed: DisturbedLab) -> Mishap:
    """Stop the server, whoever is connected, and start it again."""
    yield from _until(lambda: bool(disturbed.reserved()), at_most_s=_AWAY_S)
    disturbed.server.stop()
    disturbed.server.start()
    reconnect(disturbed.lab.connection)
    return "database restarted"


def _aimed(disturbed: DisturbedLab, aim: Aim) -> Generator[None, None, ReservedJob | None]:
    """Wait for a job that is aimed at, in the end for any; None where all work is done before."""
    deadline = time.monotonic() + _AIMING_S
    while not (jobs := aim(disturbed)):
        if time.monotonic() > deadline:
            aim = DisturbedLab.reserved
        if disturbed.is_done() and not disturbed.request_folder():
            return None
        yield
    return disturbed.random.choice(jobs)


def _until(condition: Callable[[], bool], at_most_s: float) -> Generator[None, None, bool]:
    """Wait until a condition is true, and return whether it is."""
    deadline = time.monotonic() + at_most_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        yield
    return True


def _signal(process: psutil.Process, number: int) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
