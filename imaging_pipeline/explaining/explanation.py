"""How far each table is with a session, why it is no further, and all of it as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from imaging_pipeline.explaining.facts import Facts
from imaging_pipeline.explaining.reasons import Item, Reason, Step
from imaging_pipeline.explaining.states import FINAL_STATES, JobState
from imaging_pipeline.wording import in_words, wrapped

_INDENT = "  "
_COMMAND = "      "


@dataclass(frozen=True, repr=False)
class Explanation:
    """Why a session is not done, or that it is; printed, all of it in plain text.

    Attributes
    ----------
    facts
        What is known, from which the steps follow.
    steps
        Each table in the order in which work flows.
    """

    facts: Facts
    steps: tuple[Step, ...]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return all(step.state in FINAL_STATES for step in self.steps)

    def roots(self) -> Iterator[tuple[Step, Item]]:
        """Yield what stands in the way by itself, and not only waits for a table before it."""
        for step in self.steps:
            for item in step.items:
                # `all` of no reasons is True: an item without any, such as one that is done, is left out.
                if not all(reason.waits_for_table for reason in item.reasons):
                    yield step, item

    def text(self, width: int = 80) -> str:
        """Return it as plain text, in lines of at most so many characters."""
        return _text(self, width)

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__


class Explanations(tuple[Explanation, ...]):
    """Explanations of several sessions; printed, all of them in plain text."""

    __slots__ = ()

    def text(self, width: int = 80) -> str:
        """Return them as plain text, in lines of at most so many characters."""
        return "\n\n".join(explanation.text(width) for explanation in self)

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__


def _text(explanation: Explanation, width: int) -> str:
    lines = [*_head(explanation), "", *_table(explanation), "", *_why(explanation)]
    # A command is copied as a whole, so that it is never broken.
    return "\n".join(line if _is_command(line) else wrapped(line, width) for line in lines)


def _head(explanation: Explanation) -> Iterator[str]:
    facts = explanation.facts
    combined = "combined" if facts.combined else "not combined"
    if facts.session is None:
        yield f"{facts.folder} of {facts.repository_name}, no session yet"
    else:
        yield f"{facts.session.timeseries_name}, {_moment(facts.session.start)}"
        metasession = facts.session.metasession_name
        of = "" if metasession == facts.session.session_name else f" of MetaSession {metasession}"
        yield f"session {facts.session.session_name}{of}"
        yield f"{facts.folder} of {facts.repository_name}"
    yield f"animal {facts.animal_name}, {facts.experiment_type}, {combined}"
    option_set = f"option set {facts.ops_name}" if facts.ops_name else "no option set"
    setup = f"setup {facts.setup_name}" if facts.setup_name else "no setup"
    yield f"{option_set}, {setup}"


def _table(explanation: Explanation) -> Iterator[str]:
    names = [step.short_table for step in explanation.steps]
    width = max(map(len, names), default=0)
    for step in explanation.steps:
        yield f"{step.short_table:<{width}}  {step.state.words}{_details(step)}".rstrip()


def _details(step: Step) -> str:
    """Return in a few words what is behind a state."""
    items = [item for item in step.items if item.state is step.state]
    many = f" {len(items)} of {len(step.items)}" if len(step.items) > 1 else ""
    waiting = [reason.what for reason in items[0].reasons if reason.waits_for_table]
    if waiting:
        return f": {waiting[0][0].lower()}{waiting[0][1:].removesuffix('.')}"
    return f"{many}{_when(items[0])}"


def _when(item: Item) -> str:
    if item.row is not None:
        took = "" if item.row.duration_s is None else f" in {in_words(item.row.duration_s)}"
        return f" {_moment(item.row.entered)}{took}"
    job = item.job
    if job is None:
        return ""
    if item.state is JobState.LATER and job.due_s is not None:
        return f", in {in_words(job.due_s)}"
    if job.since_s is None:
        return ", no worker has seen it yet"
    since = in_words(job.since_s)
    return f" {since} ago" if item.state is JobState.ERROR else f" for {since}"


def _why(explanation: Explanation) -> Iterator[str]:
    roots = list(explanation.roots())
    if not roots and explanation.is_done:
        yield "All is done."
    for step, item in roots:
        description = f", {item.description}" if item.description else ""
        yield f"{step.short_table}{description}: {item.state.words}"
        for reason in item.reasons:
            yield from _reason(reason)
        if item.job is not None and item.state is JobState.PENDING:
            yield f"{_INDENT}Its priority is {item.job.priority}; lower is sooner."


def _reason(reason: Reason) -> Iterator[str]:
    whose = f" ({reason.responsible.phrase})" if reason.responsible and not reason.remedy else ""
    yield f"{_INDENT}{reason.what}{whose}"
    if reason.remedy:
        whose = f", {reason.responsible.phrase}" if reason.responsible else ""
        yield f"{_INDENT}What to do{whose}: {reason.remedy}"
    if reason.command:
        yield f"{_COMMAND}{reason.command}"


def _moment(when: datetime) -> str:
    return when.isoformat(" ", "minutes")


def _is_command(line: str) -> bool:
    return line.startswith(_COMMAND)
