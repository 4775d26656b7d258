"""Faults that are known and are being mended: what they make wrong is counted, and is no finding.

The list is empty when all of them are mended; a line is deleted as soon as its fault is.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.altered.cases import Outcome


@dataclass(frozen=True)
class KnownFault:
    """A fault, and what it makes wrong.

    Attributes
    ----------
    fault
        In words.
    subject
        How the names of its subjects begin.
    kinds
        What is wrong then, as outcomes say it.
    mishaps
        How what must have been done begins; empty where it shows without any.
    """

    fault: str
    subject: str
    kinds: tuple[str, ...]
    mishaps: tuple[str, ...] = ()


KNOWN_FAULTS: tuple[KnownFault, ...] = ()


def known_fault(subject: str, outcome: Outcome) -> str | None:
    """Return the known faults that explain all that is wrong; None where something is left."""
    faults = []
    for kind in outcome.kind.split("; "):
        explaining = [
            known.fault for known in KNOWN_FAULTS if _explains(known, subject, kind, outcome.mishaps)
        ]
        if not explaining:
            return None
        faults += explaining[:1]
    return " and ".join(dict.fromkeys(faults))


def _explains(known: KnownFault, subject: str, kind: str, mishaps: tuple[str, ...]) -> bool:
    is_done = not known.mishaps or any(mishap.startswith(known.mishaps) for mishap in mishaps)
    return subject.startswith(known.subject) and kind in known.kinds and is_done
