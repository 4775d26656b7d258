"""An explanation as plain text: how far each table is, then what stands in the way and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from imaging_pipeline.explaining.reasons import Kind, Reason, State
from imaging_pipeline.wording import in_words, wrapped

if TYPE_CHECKING:
    from imaging_pipeline.explaining.explanation import Explanation, Item, Step

_INDENT = "  "
_COMMAND = "      "


def text(explanation: Explanation, width: int) -> str:
    """Return an explanation in lines of at most so many characters."""
    lines = [*_head(explanation), "", *_table(explanation), "", *_why(explanation)]
    # Commands are there to be copied.
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
    asked = [f"option set {facts.ops_name}" if facts.ops_name else "no option set"]
    asked.append(f"setup {facts.setup_name}" if facts.setup_name else "no setup")
    yield ", ".join(asked)


def _table(explanation: Explanation) -> Iterator[str]:
    names = [step.short_table for step in explanation.steps]
    width = max(map(len, names), default=0)
    for step in explanation.steps:
        yield f"{step.short_table:<{width}}  {step.state}{_told(step)}".rstrip()


def _told(step: Step) -> str:
    """Return in a few words what is behind a state."""
    items = [item for item in step.items if item.state is step.state]
    many = f" {len(items)} of {len(step.items)}" if len(step.items) > 1 else ""
    waiting = [reason.what for reason in items[0].reasons if reason.kind is Kind.NO_PARENT]
    if waiting:
        return f": {waiting[0][0].lower()}{waiting[0][1:].removesuffix('.')}"
    return f"{many}{_when(items[0])}"


def _when(item: Item) -> str:
    if item.made is not None:
        took = "" if item.made.duration_s is None else f" in {in_words(item.made.duration_s)}"
        return f" {_moment(item.made.when)}{took}"
    job = item.job
    if job is None:
        return ""
    if item.state is State.LATER and job.due_s is not None:
        return f", in {in_words(job.due_s)}"
    if job.since_s is None:
        return ", no worker has met it yet"
    since = in_words(job.since_s)
    return f" {since} ago" if item.state is State.ERROR else f" for {since}"


def _why(explanation: Explanation) -> Iterator[str]:
    roots = list(explanation.roots())
    if not roots and explanation.is_done:
        yield "All is done."
    for step, item in roots:
        about = f", {item.about}" if item.about else ""
        yield f"{step.short_table}{about}: {item.state}"
        for reason in item.reasons:
            yield from _reason(reason)
        if item.job is not None and item.state is State.PENDING:
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
