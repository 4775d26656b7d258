"""How far a job is: one vocabulary for job tables, explanations, progress and requests.

The values are those that are stored, and typed at ``imaging-pipeline jobs --status``. Where people read other
words, such as ``running``, these are here and nowhere else.
"""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    """How far a job is; the first are those that a person should see before the others.

    Job tables have DataJoint's words, such as ``reserved``; a pending job whose time is still to come is for
    later. The rest is for a table that has no job for a session.
    """

    ERROR = "error"
    RUNNING = "reserved"
    LATER = "later"
    PENDING = "pending"
    IGNORED = "ignore"
    NOT_REQUESTED = "not asked for"
    NOT_YET = "not yet"
    DONE = "success"
    DOES_NOT_APPLY = "does not apply"

    @property
    def words(self) -> str:
        """What people read of a table and of a session: ``running``, ``done``."""
        return _WORDS.get(self, self.value)

    @property
    def words_of_request(self) -> str:
        """What people read of a request for a folder, which waits where a job is pending."""
        return "waiting" if self is JobState.PENDING else self.words


_WORDS = {JobState.RUNNING: "running", JobState.IGNORED: "ignored", JobState.DONE: "done"}

JOB_STATES = (
    JobState.PENDING,
    JobState.LATER,
    JobState.RUNNING,
    JobState.ERROR,
    JobState.IGNORED,
    JobState.DONE,
)
"""States of a job, in the order in which people choose among them."""

UNFINISHED = tuple(state for state in JOB_STATES if state is not JobState.DONE)

REQUEST_STATES = (
    JobState.DONE,
    JobState.RUNNING,
    JobState.PENDING,
    JobState.ERROR,
    JobState.IGNORED,
)
"""States of a request, in the order in which people choose among them."""

FINAL_STATES = (JobState.DONE, JobState.DOES_NOT_APPLY)
"""States in which nothing is left to do for a table."""
