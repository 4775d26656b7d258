"""A lab whose workers are disturbed, and what mishaps must know about it."""

from __future__ import annotations

import random
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from imaging_pipeline.schemas import imaging
from tests.makers.chaos.service import Service
from tests.makers.chaos.share import Requested
from tests.makers.chaos.table_contents import num_left, populated
from tests.makers.chaos.transactions import writing
from tests.makers.lab import Lab
from tests.makers.server_process import ServerProcess

# The third death of a job is its error, which is not tried again.
_MAX_DEATHS = 2


@dataclass(frozen=True)
class ReservedJob:
    """A job that a process has reserved."""

    table: str
    key: tuple[tuple[str, object], ...]
    pid: int
    connection_id: int

    @property
    def name(self) -> str:
        """The job, whichever process has it."""
        return " ".join([self.table, *(f"{name}={value}" for name, value in self.key)])


@dataclass
class DisturbedLab:
    """A lab whose workers are disturbed.

    Attributes
    ----------
    lab
        Its database and share.
    server
        The server of the database.
    service
        Its workers.
    random
        Chooses what happens when.
    folders
        Still to be requested.
    """

    lab: Lab
    server: ServerProcess
    service: Service
    random: random.Random
    folders: deque[Requested]
    _deaths: Counter[str] = field(default_factory=Counter)

    def request_folder(self) -> bool:
        """Request one more folder; return False where there is none."""
        if not self.folders:
            return False
        self.folders.popleft().request(self.lab)
        return True

    def reserved(self, *names: str) -> list[ReservedJob]:
        """Return the reserved jobs whose processes did not die too often."""
        return [job for job in self._all_reserved(*names) if self._deaths[job.name] < _MAX_DEATHS]

    def reserved_by(self, pid: int) -> list[ReservedJob]:
        """Return what a process has reserved."""
        return [job for job in self._all_reserved() if job.pid == pid]

    def writing(self) -> list[ReservedJob]:
        """Return the reserved jobs whose process has written something in an open transaction."""
        numbers = writing(self.lab.connection)
        return [job for job in self.reserved() if job.connection_id in numbers] if numbers else []

    def count_death(self, job: ReservedJob) -> bool:
        """Count that a job loses its process; return False where that happened too often already."""
        self._deaths[job.name] += 1
        return self._deaths[job.name] <= _MAX_DEATHS

    def num_waiting(self) -> int:
        """Count the jobs that are pending again and say why."""
        return sum(len(table.jobs.pending & "error_message <> ''") for table in populated())

    def is_done(self) -> bool:
        """Return True if all that was requested is made; call it seldom, as it is costly for the server."""
        return not self._all_reserved() and not num_left()

    def unsettled(self) -> list[dict[str, Any]]:
        """Return the jobs that are not marked as made."""
        return [job for table in populated() for job in (table.jobs & "status <> 'success'").to_dicts()]

    def is_settled(self) -> bool:
        """Return True if all is made and marked so, and all workers are up again."""
        up = set(imaging.Worker().to_arrays("worker_pid").tolist())
        return not num_left() and not self.unsettled() and self.service.pids() <= up

    def _all_reserved(self, *names: str) -> list[ReservedJob]:
        """Read as little as possible: most jobs take some hundredths of a second."""
        query = "SELECT * FROM {} WHERE status = 'reserved'"
        return [
            ReservedJob(
                type(table).__name__,
                tuple((name, row[name]) for name in table.primary_key),
                row["pid"],
                row["connection_id"],
            )
            for table in populated()
            if not names or type(table).__name__ in names
            for row in self.lab.connection.query(query.format(table.jobs.full_table_name), as_dict=True)
        ]
