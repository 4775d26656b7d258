"""Jobs of processes that died on this machine are taken up again."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from imaging_pipeline.workers.policy import Policy
from imaging_pipeline.workers.processes import is_gone

if TYPE_CHECKING:
    from imaging_pipeline.workers.job_queue import JobQueue


class Recovery(Policy):
    """Only this machine can tell which of its processes are gone, so each reaps its own."""

    def before_pass(self, queues: Sequence[JobQueue]) -> Iterator[str]:
        """Make the reservations of dead processes pending."""
        for queue in queues:
            for reservation in queue.reservations_on(platform.node()):
                if is_gone(reservation.pid, reservation.age_s) and queue.give_back(reservation):
                    job = f"{type(queue.target).__name__} {dict(reservation.key)}"
                    yield f"{job} is pending again: process {reservation.pid} died."
