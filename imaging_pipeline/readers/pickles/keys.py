"""Which values a pickle may use as keys of dictionaries and elements of sets.

Python looks for a key by its hash. Nobody can foresee the hash of a text, but that of a number, and of what
consists of numbers: keys that are chosen for it are compared each with each, in one call that nothing ends.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np

from imaging_pipeline.printable import printable
from imaging_pipeline.readers.pickles.machine import Machine, damaged, too_large

# In all of a pickle.
_MAX_ODD_KEYS = 1000
_MAX_KEY_PARTS = 4
_ALWAYS = (str, bytes, bool, type(None))
# There are too few of these to fill one place of a table with.
_SMALL = 2**20
_ODD = (
    *(int, float, complex),
    *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone),
)


def checked_keys(machine: Machine, keys: Sequence[Any]) -> Sequence[Any]:
    """Return the keys of one operation, if all of them can be looked up quickly.

    Raises
    ------
    FormatError
        A key is of a kind that cannot be one.
    UnsafeContentError
        There are many keys of which a stranger can foresee the hash, or one has too many parts.
    """
    for key in keys:
        kind = type(key)
        if kind in _ALWAYS or (kind is int and -_SMALL < key < _SMALL):
            continue
        if kind is tuple and len(key) > _MAX_KEY_PARTS:
            raise too_large("a key of many parts", f"{_MAX_KEY_PARTS} parts")
        if not all(map(_is_plain, key if kind is tuple else (key,))):
            raise damaged(f"a key of the kind {printable(kind.__name__)}")
        machine.num_odd_keys += 1
        if machine.num_odd_keys > _MAX_ODD_KEYS:
            raise too_large("keys that are no texts", f"{_MAX_ODD_KEYS:,} of them")
    return keys


def _is_plain(part: Any) -> bool:
    if isinstance(part, np.generic):
        return part.dtype.kind in "biufcSUmM"
    return type(part) in (*_ALWAYS, *_ODD)
