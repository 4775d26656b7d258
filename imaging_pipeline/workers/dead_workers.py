"""Settles the jobs of processes that died: of this worker, and of other workers, wherever they ran.

A worker is dead if its process is gone from this machine, or if it missed its beats while the server was up
and this worker would have noticed them: after an outage everybody is silent for a moment, and so is everybody
when the server's clock is set forward.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterator, Mapping
from typing import Any

from imaging_pipeline.errors import parse_message
from imaging_pipeline.processes import exit_text, is_gone
from imaging_pipeline.schemas import server_clock
from imaging_pipeline.workers.connection import reconnecting
from imaging_pipeline.workers.failed_attempt import after_death
from imaging_pipeline.workers.heartbeat import Heartbeat
from imaging_pipeline.workers.job_queue import Reservation
from imaging_pipeline.workers.messages import Finished, Key, Note, Outcome, ProcessEnded
from imaging_pipeline.workers.policies.policy import Death, RetryDecision, first_decision
from imaging_pipeline.workers.supervisor import SupervisorContext
from imaging_pipeline.workers.view import job_name
from imaging_pipeline.workers.worker_rows import machine_hash

# Somebody who populates by hand writes no heartbeat, so that only the reservation's age tells.
_BY_HAND_S = 3600.0

_UP_S = {
    "postgresql": "SELECT EXTRACT(EPOCH FROM clock_timestamp() - pg_postmaster_start_time())",
    "mysql": "SHOW GLOBAL STATUS LIKE 'Uptime'",
}


class DeadWorkers:
    """Finds dead workers, lets the policies decide about the jobs of the dead, and settles these.

    Parameters
    ----------
    context
        Of the supervisor.
    name
        Of this worker.
    heartbeat
        Knows whether this worker could notice the beats of others.
    """

    def __init__(self, context: SupervisorContext, name: str, heartbeat: Heartbeat) -> None:
        self._context = context
        self._name = name
        self._heartbeat = heartbeat

    def settle_others(self, pids: frozenset[int]) -> None:
        """Take from dead workers what they reserved, and from this one what its dead processes did.

        Parameters
        ----------
        pids
            The living job processes of this worker.
        """
        causes: dict[str, str] = {}
        # The rows go first: should this worker die in between, the reservations are left without a worker,
        # and any other one finds them so.
        for name, cause in self._remove_dead():
            causes[name] = cause
            self._warn(f"{cause}.")
        for table, queue in self._context.queues.items():
            for reservation in queue.of_none(self._context.workers):
                if _is_orphan(reservation):
                    self._settle_and_warn(
                        table, reservation, causes.get(reservation.worker) or _unknown(reservation)
                    )
            for reservation in queue.of_worker(self._name):
                # It died while the database was away, so that `settle_own` could not write.
                if reservation.pid not in pids:
                    self._settle_and_warn(table, reservation, f"The job's process {reservation.pid} died")

    def settle_own(self, table: str, key: Key, ended: ProcessEnded) -> Finished:
        """Settle the job of a process of ours that died; where the database is away, that is done later."""
        cause = f"The job's process died ({exit_text(ended.exit_code)})"
        finished = None
        with reconnecting(self._context.connection, self._context.on_event):
            for reservation in self._context.queues[table].of_worker(self._name):
                if reservation.pid == ended.pid:
                    finished = self._settle(table, reservation, cause)
        return finished or Finished(table, key, Outcome.CRASHED, f"{cause}.")

    def _remove_dead(self) -> Iterator[tuple[str, str]]:
        """Remove the rows of dead workers, and yield name and cause where nobody else was faster."""
        workers = self._context.workers
        rows = _worker_rows(workers)
        own = rows.pop(self._name, None)
        # Where it is late, too, the server's clock was set forward, or the server stood still.
        is_own_on_time = own is not None and float(own["age_s"]) <= self._context.timing.late_s
        for row in rows.values():
            age_s, allowed_s = float(row["age_s"]), row["worker_silent_after"]
            worker = f"The worker {row['worker_name']} on {row['worker_host']}"
            if row["worker_machine"] == machine_hash() and is_gone(row["worker_pid"]):
                cause = f"{worker} died: its process {row['worker_pid']} is gone"
            elif age_s > allowed_s and is_own_on_time and self._could_notice_for_s() > allowed_s:
                cause = f"{worker} gave no sign of life for {age_s:.0f} s"
            else:
                continue
            if _remove(workers, row):
                yield row["worker_name"], cause

    def _could_notice_for_s(self) -> float:
        return min(self._heartbeat.regular_for_s(), server_up_s(self._context.workers.connection))

    def _settle_and_warn(self, table: str, reservation: Reservation, cause: str) -> None:
        finished = self._settle(table, reservation, cause)
        if finished is not None:
            state = "is kept as an error" if finished.outcome is Outcome.ERROR else "is pending again"
            self._warn(f"{job_name(finished.table, finished.key or {})} {state}: {finished.message}")

    def _settle(self, table: str, reservation: Reservation, cause: str) -> Finished | None:
        """Settle a reservation whose process is dead; return None where somebody else was faster."""
        number = parse_message(reservation.message).deaths + 1
        decision = self._decision(Death(table, reservation.key, cause, number))
        attempt = after_death(decision, reservation.message)
        queue = self._context.queues[table]
        if attempt.outcome is Outcome.ERROR:
            is_settled = queue.fail(reservation, attempt.message)
        else:
            is_settled = queue.give_back(reservation, attempt.pause_s, attempt.message)
        return Finished(table, reservation.key, attempt.outcome, attempt.reason) if is_settled else None

    def _decision(self, death: Death) -> RetryDecision:
        if self._context.stop.count:  # then the worker itself has killed its process
            return RetryDecision(Outcome.INTERRUPTED)
        decisions = (policy.decide_death(death) for policy in self._context.policies)
        return first_decision(decisions, RetryDecision(Outcome.CRASHED, f"{death.cause}."))

    def _warn(self, message: str) -> None:
        self._context.on_event(Note(message, logging.WARNING))


def server_up_s(connection: Any) -> float:
    """Return for how long the server has been running."""
    # MySQL's row is a name and its value, PostgreSQL's the value alone.
    return float(connection.query(_UP_S[connection.adapter.backend]).fetchone()[-1])


def _worker_rows(workers: Any) -> dict[str, Mapping[str, Any]]:
    """Return the rows of all workers, with the age of their heartbeat, by name."""
    age = server_clock.seconds_since_utc(workers.connection.adapter.backend, "worker_heartbeat")
    query = f"SELECT *, {age} AS age_s FROM {workers.full_table_name}"
    return {row["worker_name"]: row for row in workers.connection.query(query, as_dict=True).fetchall()}


def _remove(workers: Any, row: Mapping[str, Any]) -> bool:
    """Remove a worker's rows, unless it has beaten meanwhile or another worker was faster."""
    name = {"worker_name": row["worker_name"]}
    lock = f"SELECT worker_heartbeat FROM {workers.full_table_name} WHERE worker_name=%s FOR UPDATE"
    # Of several workers that find it dead, the first one has the row until it is deleted.
    with workers.connection.transaction:
        locked = workers.connection.query(lock, args=(row["worker_name"],)).fetchone()
        if locked is None or locked[0] != row["worker_heartbeat"]:
            return False
        # Parts first: `delete_quick` does not cascade.
        for table in (workers.Process, workers.Lack, workers):
            (table & name).delete_quick()
    return True


def _is_orphan(reservation: Reservation) -> bool:
    """Return True if a reservation of no worker that has a row is one that nobody works on."""
    # A worker has a row before it reserves anything: without one it has ended, or was found dead.
    if reservation.worker or (reservation.host == platform.node() and is_gone(reservation.pid)):
        return True
    return reservation.age_s > _BY_HAND_S


def _unknown(reservation: Reservation) -> str:
    return f"The process {reservation.pid} on {reservation.host} that made it, of no living worker, is gone"
