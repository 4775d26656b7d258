"""The 16-character names of sessions, meta-sessions and datasets.

A name is a hash of a canonical text, so that all clients that see the same files get the same name without
asking the database.
"""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from numbers import Integral, Real

from imaging_pipeline.errors import InputError, Responsible

LABELS = ("combined", "split")

# Made once, since a hash is made of the path of each file of a folder.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Part = str | int | float | bool | datetime


def hash16(*parts: Part) -> str:
    """Return 16 hexadecimal characters that are the same for equal parts on every client.

    Parameters
    ----------
    *parts
        Texts (in Unicode's composed form, because macOS writes file names decomposed), whole numbers, truth
        values, finite floats (ten significant digits) and wall times (microseconds). The type counts: ``1``,
        ``"1"``, ``1.0`` and ``True`` have four names.

    Raises
    ------
    InputError
        A part is ``None``, a time with a zone, a float that is not finite, or of any other type.
    """
    canonical = _encode([_canonical(part) for part in parts])
    # A file name that is no valid UTF-8 has lone surrogates in Python; it has a name, too.
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def session_name(animal_id: str, datasource_id: int, start: datetime, label: str) -> str:
    """Return the name of the session of an animal that started at a wall time of the lab.

    In the hour that a night of autumn has twice, ``start.fold`` says whether it was the second time: these
    are two moments, and so two names.
    """
    moment = (start, _SECOND_TIME) if start.fold else (start,)
    return hash16(animal_id, datasource_id, *moment, _checked_label(label))


_SECOND_TIME = "second time"


def combined_metasession_name(
    animal_id: str, datasource_id: int, repository_name: str, folder: str, label: str = "combined"
) -> str:
    """Return the name of the meta-session of a folder, so that a session found later joins it."""
    return hash16(animal_id, datasource_id, repository_name, folder, _checked_label(label))


def dataset_name(owner: str, datasettype: str, bundle: str) -> str:
    """Return the name of the dataset of one type that belongs to a session or meta-session.

    Parameters
    ----------
    owner
        Name of the session; for Suite2p output, of the meta-session.
    datasettype
        Name of the dataset's type.
    bundle
        A label that stays the same when files are added: the timeseries name, or ``<ops_name>/plane0``.
    """
    return hash16(owner, datasettype, bundle)


def settings_hash(settings: Mapping[str, object]) -> str:
    """Return the hash of the content of a set of settings: the same for equal sets.

    Order does not count, nor whether a whole number was written as ``10`` or ``10.0``: databases return
    numbers in JSON in either form.

    Raises
    ------
    InputError
        A value has a type that JSON does not have.
    """
    return hash16(json.dumps(_plain(settings), sort_keys=True, ensure_ascii=False))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, Real) and not isinstance(value, Integral):
        number = float(value)
        return int(number) if number.is_integer() else number
    if isinstance(value, Integral):
        return int(value)
    raise InputError(
        "A setting is of a type that JSON does not know",
        found=f"{value!r} ({type(value).__name__})",
        allowed="texts, numbers, truth values, lists and groups of these",
        remedy="Write the setting as one of these.",
        responsible=Responsible.ADMINISTRATOR,
    )


def contents_hash(fingerprints: Sequence[str]) -> str:
    """Return the hash of the content of some files, from their fingerprints in order."""
    return hash16(*fingerprints)


def _checked_label(label: str) -> str:
    if label not in LABELS:
        raise InputError(
            "A session is either combined or split",
            found=label,
            allowed=LABELS,
            remedy="Pass one of these labels.",
            responsible=Responsible.DEVELOPER,
        )
    return label


def _canonical(part: object) -> tuple[str, str]:
    if isinstance(part, str):
        return "str", unicodedata.normalize("NFC", part)
    # Before whole numbers, since Python counts truth values among them.
    if isinstance(part, bool):
        return "bool", str(part).lower()
    if isinstance(part, Integral):
        return "int", str(int(part))
    if isinstance(part, float) and math.isfinite(part):
        # Adding zero turns -0.0 into 0.0.
        return "float", f"{part + 0.0:.9e}"
    if isinstance(part, datetime) and part.tzinfo is None:
        # isoformat pads the year to four digits on every platform; strftime does not.
        return "datetime", part.isoformat(timespec="microseconds")
    raise InputError(
        "A name cannot be made of this value",
        found=f"{part!r} ({type(part).__name__})",
        allowed="texts, whole numbers, truth values, finite floats and times without a zone",
        remedy="Pass a value of one of these types.",
        responsible=Responsible.DEVELOPER,
    )
