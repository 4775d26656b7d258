"""Workers as a service manager runs them: one that ended is started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_DEADLINE_S = 60.0
_WORKER = "tests.makers.chaos.worker"
_SUITE2P = "imaging_pipeline.suite2p_runner.child"


@dataclass(frozen=True)
class Processes:
    """The processes of one worker."""

    supervisor: psutil.Process
    job_process: psutil.Process
    suite2p: tuple[psutil.Process, ...]


@dataclass
class Service:
    """Some workers of one database.

    Attributes
    ----------
    config_file
        Their configuration.
    folder
        Where each writes its log.
    number
        How many run at a time.
    ended
        Exit codes of those that ended and were started again.
    """

    config_file: Path
    folder: Path
    number: int
    ended: list[int] = field(default_factory=list)
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def restart_ended(self) -> None:
        """Start again what has ended."""
        for process in self._running.copy():
            if process.poll() is not None:
                self.ended.append(process.returncode)
                self._running.remove(process)
        while len(self._running) < self.number:
            self._running.append(self._start())

    def pids(self) -> set[int]:
        """Return the supervisors' numbers."""
        return {process.pid for process in self._running}

    def processes_of(self, pid: int) -> Processes | None:
        """Return the worker to which a job process belongs; None where either is gone."""
        with suppress(psutil.NoSuchProcess):
            job_process = psutil.Process(pid)
            supervisor = job_process.parent()
            if supervisor is not None and supervisor.pid in self.pids():
                children = job_process.children()
                return Processes(
                    supervisor, job_process, tuple(child for child in children if _SUITE2P in child.cmdline())
                )
        return None

    def stop(self) -> list[int]:
        """Tell all workers to end, and return their exit codes."""
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        return [process.wait(_DEADLINE_S) for process in self._running]

    def kill(self) -> None:
        """End whatever still runs, where a test failed."""
        for process in self.processes():
            process.kill()
        for worker in self._running:
            worker.wait(_DEADLINE_S)

    def processes(self) -> Iterator[psutil.Process]:
        """Return every process that a worker of this service is or has left behind."""
        for process in psutil.process_iter():
            try:
                environment = process.environ()
            except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
            if environment.get("CHAOS_SERVICE") == str(self.folder):
                yield process

    def logs(self) -> str:
        """Return all that the workers logged."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("worker_*.log")))

    def _start(self) -> subprocess.Popen[bytes]:
        log = self.folder / f"worker_{len(list(self.folder.glob('worker_*.log'))):03d}.log"
        with log.open("wb") as file:
            return subprocess.Popen(
                [sys.executable, "-m", _WORKER, str(self.config_file)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**os.environ, "CHAOS_SERVICE": str(self.folder)},
            )
