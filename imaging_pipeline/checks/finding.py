"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from imaging_pipeline.errors import PipelineError, Responsible


class State(StrEnum):
    """How good it is: as it should be, worth knowing, or in the way of work."""

    OK = "ok"
    NOTICE = "notice"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One line of a check.

    Attributes
    ----------
    subject
        What was looked at, in a word or two.
    state
        How good it is.
    found
        What is there, as a sentence without a final stop; further lines name details.
    remedy
        What to do, as a sentence; empty where nothing is to be done.
    move
        Who can do it; None where nothing is to be done.
    """

    subject: str
    state: State
    found: str
    remedy: str = ""
    responsible: Responsible | None = None


def ok(subject: str, found: str) -> Finding:
    """Return a finding of what is as it should be."""
    return Finding(subject, State.OK, found)


def notice(subject: str, found: str, remedy: str) -> Finding:
    """Return a finding that is worth knowing and stops nobody."""
    return Finding(subject, State.NOTICE, found, remedy, Responsible.ADMINISTRATOR)


def failed(subject: str, found: str, remedy: str) -> Finding:
    """Return a finding of what stands in the way of work."""
    return Finding(subject, State.FAILED, found, remedy, Responsible.ADMINISTRATOR)


def from_error(subject: str, error: PipelineError) -> Finding:
    """Return an error of the pipeline as a finding that stands in the way."""
    facts = [error.what]
    for label, value in (("File", error.path), ("Found", error.found), ("Allowed", error.allowed)):
        if value is not None:
            facts.append(f"{label}: {value}")
    return Finding(subject, State.FAILED, "\n".join(facts), error.remedy, error.responsible)
