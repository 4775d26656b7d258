"""Settles the jobs of processes that died: our own, and those of other workers."""

from __future__ import annotations

import logging

from imaging_pipeline.errors import parse_message
from imaging_pipeline.processes import exit_text
from imaging_pipeline.workers.connection import surviving
from imaging_pipeline.workers.desk import Desk
from imaging_pipeline.workers.heartbeat import Heartbeat
from imaging_pipeline.workers.job_queue import Reservation
from imaging_pipeline.workers.messages import Ended, Fate, Finished, Key, Note
from imaging_pipeline.workers.policy import Death, Verdict, Watch, first_verdict
from imaging_pipeline.workers.setback import after_death


class Undertaker:
    """Asks the policies what becomes of the jobs of the dead, and does it.

    Parameters
    ----------
    desk
        What it works with.
    name
        Of this worker.
    heartbeat
        Knows whether this worker could hear the others.
    """

    def __init__(self, desk: Desk, name: str, heartbeat: Heartbeat) -> None:
        self._desk = desk
        self._name = name
        self._heartbeat = heartbeat

    def look_after_others(self, pids: frozenset[int]) -> None:
        """Let policies look for dead workers; these are our job processes."""
        desk = self._desk
        watch = Watch(
            self._name,
            pids,
            desk.queues,
            desk.workers,
            self._heartbeat.steady_s(),
            desk.timing.late_s,
            self._bury,
        )
        for policy in desk.policies:
            for message in policy.on_beat(watch):
                desk.tell(Note(message, logging.WARNING))

    def bury_own(self, table: str, key: Key, ended: Ended) -> Finished:
        """Settle the job of a process of ours that died; where the database is away, that is done later."""
        cause = f"The job's process died ({exit_text(ended.exit_code)})"
        finished = None
        with surviving(self._desk.connection, self._desk.tell):
            for reservation in self._desk.queues[table].of_worker(self._name):
                if reservation.pid == ended.pid:
                    finished = self._bury(table, reservation, cause)
        return finished or Finished(table, key, Fate.CRASHED, f"{cause}.")

    def _bury(self, table: str, reservation: Reservation, cause: str) -> Finished | None:
        number = parse_message(reservation.message).deaths + 1
        setback = after_death(
            self._verdict(Death(table, reservation.key, cause, number)), reservation.message
        )
        queue = self._desk.queues[table]
        if setback.fate is Fate.ERROR:
            is_settled = queue.fail(reservation, setback.message)
        else:
            is_settled = queue.give_back(reservation, setback.pause_s, setback.message)
        return Finished(table, reservation.key, setback.fate, setback.reason) if is_settled else None

    def _verdict(self, death: Death) -> Verdict:
        if self._desk.stop.count:
            return Verdict(Fate.INTERRUPTED)
        verdicts = (policy.judge_death(death) for policy in self._desk.policies)
        return first_verdict(verdicts, Verdict(Fate.CRASHED, f"{death.cause}."))
