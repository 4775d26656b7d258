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


<<<<<<< HEAD
_ORDER = (
    "frames are not in the order in which they were taken",
    "a frame is there twice",
    "the session's start is another one",
    "tif_rate_hz is another one",
)
_PLANES = (
    "a frame is of another plane",
    "Suite2p takes a frame for another plane's",
    "the mean image is of other frames",
)
_CHANNELS = (
    "a page is of another channel",
    "the channels of a frame are of different frames",
    "a file ends amid a frame, and another follows it",
    "Suite2p takes a page for another channel's",
)
_MOVED = ("swap", "have a file", "duplicate", "set the", "begin at", "delete", "rename")
_SCANIMAGE = "recordings of 2Pminiscope_A"

KNOWN_FAULTS: tuple[KnownFault, ...] = (
    KnownFault(
        "bytes behind the last page", "recordings", ("pages that are in a file are not read",), ("append",)
    ),
    KnownFault("order of frames and files", _SCANIMAGE, (*_ORDER, *_PLANES, *_CHANNELS), _MOVED),
    KnownFault("a lost frame in a volume", _SCANIMAGE, _PLANES, ("drop", "end after", "zero", "cut")),
    KnownFault(
        "a file that ends amid a frame's channels", _SCANIMAGE, (*_CHANNELS, *_PLANES), ("drop", "end after")
    ),
    KnownFault(
        "no common clock of acquisitions",
        _SCANIMAGE,
        (
            "an acquisition's time in its session is another one",
            "a frame's time in its acquisition is another one",
        ),
    ),
    KnownFault(
        "labels that are all NaN",
        "outputs",
        ("other regions are cells", "labels of the planes are passed over"),
        ("have labels",),
    ),
    KnownFault(
        "raw tifs beside corrected ones are not held against their own times",
        "recordings of 2Pminiscope_A preprocessed",
        ("tif_rate_hz is another one",),
        ("have other rate",),
    ),
    KnownFault(
        "labels of MATLAB that are NaN",
        "outputs of Suite2p for MATLAB",
        ("other regions are cells",),
        ("put NaN into iscell",),
    ),
    KnownFault(
        "merged regions stay cells in 0.x",
        "outputs",
        ("other regions are cells", "a region is there twice"),
        ("merge",),
    ),
    KnownFault(
        "curation beside what was merged",
        "outputs",
        ("labels of the planes are passed over",),
        ("curate a plane",),
    ),
    KnownFault(
        "floats as identifiers",
        "animals",
        ("an animal that was never written", "an animal is missing"),
        ("write",),
    ),
)
=======
KNOWN_FAULTS: tuple[KnownFault, ...] = ()
>>>>>>> 3f01b5e (Refuse a page that is there twice at the end of a recording of several channels)


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
