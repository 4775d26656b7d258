"""How far each table is with a session, and why it is no further."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from imaging_pipeline.explaining import explanation_text
from imaging_pipeline.explaining.facts import Facts, Made
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.explaining.reasons import Kind, Reason, State


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
    state: State
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
    def state(self) -> State:
        """The state that a person should see first."""
        return min((item.state for item in self.items), key=list(State).index)


@dataclass(frozen=True, repr=False)
class Explanation:
    """Why a session is not done, or that it is; printed, all of it in plain text.

    Attributes
    ----------
    facts
        What it was told from.
    steps
        Each table in the order in which work flows.
    """

    facts: Facts
    steps: tuple[Step, ...]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        over = (State.DONE, State.DOES_NOT_APPLY)
        return all(step.state in over for step in self.steps)

    def roots(self) -> Iterator[tuple[Step, Item]]:
        """Return what stands in the way by itself, and not only waits for something before it."""
        for step in self.steps:
            for item in step.items:
                if any(reason.kind is not Kind.NO_PARENT for reason in item.reasons):
                    yield step, item

    def text(self, width: int = 80) -> str:
        """Return it as plain text, in lines of at most so many characters."""
        return explanation_text.text(self, width)

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__


class Explanations(tuple[Explanation, ...]):
    """Explanations of several sessions; printed, all of them in plain text."""

    __slots__ = ()

    def text(self, width: int = 80) -> str:
        """Return them as plain text, in lines of at most so many characters."""
        return "\n\n".join(each.text(width) for each in self)

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__
