"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from imaging_pipeline.errors import PipelineError, Responsible


class Severity(StrEnum):
    """How bad a finding is: all right, worth knowing, or in the way of work."""

    OK = "ok"
    NOTICE = "notice"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One line of a check.

    Attributes
    ----------
    subject
        What was checked, in a word or two.
    severity
        How bad it is.
    found
        What was found, as a sentence without a final stop; details in further lines.
    remedy
        What to do, as a sentence; empty where nothing is to be done.
    responsible
        Who can do it; None where nothing is to be done.
    """

    subject: str
    severity: Severity
    found: str
    remedy: str = ""
    responsible: Responsible | None = None


def ok(subject: str, found: str) -> Finding:
    """Return a finding that all is right."""
    return Finding(subject, Severity.OK, found)


def notice(subject: str, found: str, remedy: str) -> Finding:
    """Return a finding that is worth knowing, but stops nobody."""
    return Finding(subject, Severity.NOTICE, found, remedy, Responsible.ADMINISTRATOR)


def failed(subject: str, found: str, remedy: str) -> Finding:
    """Return a finding that is in the way of work."""
    return Finding(subject, Severity.FAILED, found, remedy, Responsible.ADMINISTRATOR)


def from_error(subject: str, error: PipelineError) -> Finding:
    """Return an error of the pipeline as a finding that is in the way of work."""
    facts = [error.what]
    for label, value in (("File", error.path), ("Found", error.found), ("Allowed", error.allowed)):
        if value is not None:
            facts.append(f"{label}: {value}")
    return Finding(subject, Severity.FAILED, "\n".join(facts), error.remedy, error.responsible)
