"""Jobs of workers that died are taken up again, by any worker, wherever they ran."""

from __future__ import annotations

from collections.abc import Iterator

from imaging_pipeline.workers.job_queue import Reservation
from imaging_pipeline.workers.messages import Fate, Finished
from imaging_pipeline.workers.others import is_orphan, remove_dead
from imaging_pipeline.workers.policies.policy import Policy, Watch
from imaging_pipeline.workers.view import job_name


class Recovery(Policy):
    """A worker is dead when it missed its beats, or when its process is gone from this machine."""

    def on_beat(self, watch: Watch) -> Iterator[str]:
        """Take from the dead what they reserved, and from this worker what its own dead processes did."""
        causes = {dead.name: dead.cause for dead in remove_dead(watch)}
        yield from (f"{cause}." for cause in causes.values())
        for table, queue in watch.queues.items():
            for reservation in queue.of_none(watch.workers):
                cause = causes.get(reservation.worker) or _unknown(reservation)
                if is_orphan(reservation) and (finished := watch.bury(table, reservation, cause)):
                    yield _told(finished)
            for reservation in queue.of_worker(watch.name):
                cause = f"The job's process {reservation.pid} died"
                if reservation.pid not in watch.pids and (finished := watch.bury(table, reservation, cause)):
                    yield _told(finished)


def _unknown(reservation: Reservation) -> str:
    return f"The process {reservation.pid} on {reservation.host} that made it, of no living worker, is gone"


def _told(finished: Finished) -> str:
    state = "is kept as an error" if finished.fate is Fate.ERROR else "is pending again"
    return f"{job_name(finished.table, finished.key or {})} {state}: {finished.message}"
