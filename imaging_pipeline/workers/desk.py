"""What the parts of the supervisor's process share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.workers.job_queue import JobQueue
from imaging_pipeline.workers.messages import Event
from imaging_pipeline.workers.policies.policy import Policy
from imaging_pipeline.workers.stop_signals import StopRequest
from imaging_pipeline.workers.timing import Timing


@dataclass(frozen=True)
class Desk:
    """A supervisor's own things.

    Attributes
    ----------
    connection
        To the database; each job process and the heartbeat have others.
    workers
        The table of workers.
    queues
        The job rows of all lanes' tables.
    policies
        Who is asked and told, without being known.
    stop
        Says when to end.
    timing
        How long to wait for what.
    tell
        Hears what happens.
    """

    connection: Any
    workers: Any
    queues: Mapping[str, JobQueue]
    policies: Sequence[Policy]
    stop: StopRequest
    timing: Timing
    tell: Callable[[Event], None]
