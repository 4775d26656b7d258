"""What the parts of the supervisor's process share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.workers.job_queue import JobQueue
from imaging_pipeline.workers.messages import Event
from imaging_pipeline.workers.policy import Policy
from imaging_pipeline.workers.stop_signals import StopRequest
from imaging_pipeline.workers.timing import Timing


@dataclass(frozen=True)
class Desk:
    """A supervisor's own things.

    Attributes
    ----------
    connection
        To the database; the job process has another one.
    queues
        The job rows of each table, in the order in which the tables are worked on.
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
    queues: Mapping[str, JobQueue]
    policies: Sequence[Policy]
    stop: StopRequest
    timing: Timing
    tell: Callable[[Event], None]
