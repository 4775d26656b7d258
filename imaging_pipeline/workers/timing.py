"""How long a worker waits for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Seconds.

    Attributes
    ----------
    heartbeat_s
        Between two heartbeats.
    late_s
        Between two of a worker's own, after which it takes it that it could not hear the others: on a machine
        that was suspended they were silent for as long, and for up to a heartbeat more.
    slice_s
        How long one table is worked on before the others have their turn.
    finish_s
        For the running job to finish when the worker is told to stop.
    give_back_s
        For it to give the job back after that; then it is killed, and the supervisor gives it back.
    at_once_s
        For the same when the worker is told a second time.
    longest_pause_s
        Between two attempts while the database is away.
    full_look_s
        Between two looks at a table of which nothing is known to have changed.
    patience
        A factor, not seconds: of the pauses before a job is tried again, or here again, and between two looks
        at what the machine can do.
    """

    heartbeat_s: float = 10.0
    late_s: float = 20.0
    slice_s: float = 60.0
    finish_s: float = 10.0
    give_back_s: float = 15.0
    at_once_s: float = 2.0
    longest_pause_s: float = 60.0
    full_look_s: float = 600.0
    patience: float = 1.0
