"""How far the rows of a table are, and what stands in the way of them."""

from __future__ import annotations

from dataclasses import dataclass

from imaging_pipeline.errors import ParsedMessage, Responsible
from imaging_pipeline.explaining.facts import StoredRow
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.explaining.states import JobState


@dataclass(frozen=True)
class Reason:
    """One thing that stands in the way.

    Attributes
    ----------
    what
        What is so, as a sentence.
    remedy
        What to do, as a sentence; empty where nothing is to be done.
    responsible
        Who can do it; None where nobody has to.
    command
        What the remedy ends in, as it is typed; empty where it ends in none.
    waits_for_table
        Whether it is only that another table comes first, whose own reasons say the rest.
    """

    what: str
    remedy: str = ""
    responsible: Responsible | None = None
    command: str = ""
    waits_for_table: bool = False

    @classmethod
    def of_message(cls, message: ParsedMessage, what: str = "") -> Reason:
        """Return what a stored message says, in other words if some are passed."""
        return cls(what or message.what, message.remedy, message.responsible)


@dataclass(frozen=True)
class Item:
    """A row that is stored or is to be made, or none that can be made yet.

    Attributes
    ----------
    description
        Which one, in people's words; empty where it is none.
    state
        How far it is.
    reasons
        Why it is no further.
    row, job
        What is known of it; both are None where it is none.
    """

    description: str
    state: JobState
    reasons: tuple[Reason, ...] = ()
    row: StoredRow | None = None
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
        # The order of `JobState` is that in which a person should see its states.
        return min((item.state for item in self.items), key=list(JobState).index)
