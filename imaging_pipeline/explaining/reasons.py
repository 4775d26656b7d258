"""How far something is, and what stands in the way of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from imaging_pipeline.errors import Responsible


class State(StrEnum):
    """How far something is; the first are those that a person should see before the others."""

    ERROR = "error"
    RUNNING = "running"
    LATER = "later"
    PENDING = "pending"
    IGNORED = "ignored"
    NOT_ASKED = "not asked for"
    NOT_YET = "not yet"
    DONE = "done"
    DOES_NOT_APPLY = "does not apply"


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
