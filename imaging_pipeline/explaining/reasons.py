"""How far the rows of a table are, and what stands in the way of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from imaging_pipeline.errors import Responsible
from imaging_pipeline.explaining.facts import Made
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.explaining.states import JobState


class Kind(StrEnum):
    """What stands in the way."""

    ERROR = "error"
    IGNORED = "ignored"
    RUNNING = "running"
    SILENT = "silent worker"
    ORPHAN = "unknown worker"
    LATER = "later"
    GIVEN_BACK = "given back"
    WAITS_FOR_WORKER = "waits for a worker"
    NO_WORKER = "no worker"
    UNABLE = "unable workers"
    NO_PARENT = "missing parent row"
    NO_ANIMAL = "no animal"
    NO_SESSION = "no session"
    NO_DATASET = "no dataset"
    NO_OPTION_SET = "no option set"
    NO_OUTPUT = "output not registered"
    OUTPUT_NOT_TAKEN = "output not taken"
    NOT_TAKEN = "not taken by the table"


@dataclass(frozen=True)
class Reason:
    """One thing that stands in the way.

    Attributes
    ----------
    kind
        Which of all.
    what
        What is so, as a sentence.
    remedy
        What to do, as a sentence; empty where nothing is to be done.
    move
        Who can do it; None where nobody has to.
    command
        What the remedy ends in, as it is typed; empty where it ends in none.
    """

    kind: Kind
    what: str
    remedy: str = ""
    responsible: Responsible | None = None
    command: str = ""


@dataclass(frozen=True)
class Item:
    """A row that is there or is to be made, or none that can be made yet.

    Attributes
    ----------
    about
        Which one, in people's words; empty where it is none.
    state
        How far it is.
    reasons
        Why it is no further.
    made, job
        What is known of it; both are None where it is none.
    """

    about: str
    state: JobState
    reasons: tuple[Reason, ...] = ()
    made: Made | None = None
    job: Job | None = None


@dataclass(frozen=True)
class Step:
    """A table, and how far it is with the session.

    Attributes
    ----------
    table, lane
        ``imaging.Tif``, and the kind of worker that fills it.
    items
        Its rows, one at least.
    """

    table: str
    lane: str
    items: tuple[Item, ...]

    @property
    def short_table(self) -> str:
        """The table without its schema: ``Tif``."""
        return self.table.rpartition(".")[2]

    @property
    def state(self) -> JobState:
        """The state that a person should see first."""
        return min((item.state for item in self.items), key=list(JobState).index)
