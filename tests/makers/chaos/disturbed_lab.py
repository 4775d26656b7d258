"""What mishaps happen to, and what they have to know of it."""

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

# The third death of one job is kept as its error, for a person to look at.
_MAX_DEATHS = 2


@dataclass(frozen=True)
class Held:
    """A job that a process has reserved."""

    table: str
    key: tuple[tuple[str, object], ...]
    pid: int
    connection_id: int

    @property
    def job(self) -> str:
        """The job, whoever has it."""
        return " ".join([self.table, *(f"{name}={value}" for name, value in self.key)])


@dataclass
class Arena:
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
        What is yet to be requested.
    """

    lab: Lab
    server: ServerProcess
    service: Service
    random: random.Random
    folders: deque[Requested]
    _deaths: Counter[str] = field(default_factory=Counter)

    def request_folder(self) -> bool:
        """Request one more folder; False where there is none."""
        if not self.folders:
            return False
        self.folders.popleft().request(self.lab)
        return True

    def held(self, *names: str) -> list[Held]:
        """Return the reserved jobs that were not taken from their process too often."""
        return [held for held in self._all_held(*names) if self._deaths[held.job] < _MAX_DEATHS]

    def held_by(self, pid: int) -> list[Held]:
        """Return what a process has reserved."""
        return [held for held in self._all_held() if held.pid == pid]

    def writing(self) -> list[Held]:
        """Return the reserved jobs whose process has written something in an open transaction."""
        numbers = writing(self.lab.connection)
        return [held for held in self.held() if held.connection_id in numbers] if numbers else []

    def spend(self, held: Held) -> bool:
        """Take note that a job will be taken from its process; False where that was so too often already."""
        self._deaths[held.job] += 1
        return self._deaths[held.job] <= _MAX_DEATHS

    def num_waiting(self) -> int:
        """Count the jobs that are pending again and say why."""
        return sum(len(table.jobs.pending & "error_message <> ''") for table in populated())

    def is_done(self) -> bool:
        """Return True if all that was requested is made; asked seldom, as it costs the server something."""
        return not self._all_held() and not num_left()

    def unsettled(self) -> list[dict[str, Any]]:
        """Return the jobs that are not marked as made."""
        return [job for table in populated() for job in (table.jobs & "status <> 'success'").to_dicts()]

    def is_settled(self) -> bool:
        """Return True if all is made and marked so, and all workers are up again."""
        up = set(imaging.Worker().to_arrays("worker_pid").tolist())
        return not num_left() and not self.unsettled() and self.service.pids() <= up

    def _all_held(self, *names: str) -> list[Held]:
        """Ask as little as possible: most jobs take some hundredths of a second."""
        query = "SELECT * FROM {} WHERE status = 'reserved'"
        return [
            Held(
                type(table).__name__,
                tuple((name, row[name]) for name in table.primary_key),
                row["pid"],
                row["connection_id"],
            )
            for table in populated()
            if not names or type(table).__name__ in names
            for row in self.lab.connection.query(query.format(table.jobs.full_table_name), as_dict=True)
        ]
