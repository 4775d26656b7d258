"""Which values a pickle may use as keys of dictionaries and elements of sets.

Python looks up a key by its hash. The hash of a tuple that holds itself many times over takes for ever,
and keys of one hash are compared pairwise; the hashes of texts cannot be foreseen.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np

from imaging_pipeline.printable import printable
from imaging_pipeline.readers.pickles.machine import damaged, too_large

_MAX_ODD_KEYS = 1000
_MAX_KEY_PARTS = 100
_ALWAYS = (str, bytes, bool, type(None))
# Whole numbers up to here are their own hash.
_OWN_HASH = 2**60
_ODD = (
    *(int, float, complex, range),
    *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone),
)


def checked_keys(keys: Sequence[Any]) -> Sequence[Any]:
    """Return the keys of one operation, if all of them can be looked up quickly.

    Raises
    ------
    FormatError
        A key is of a kind that cannot be one.
    UnsafeContentError
        There are many keys of which a stranger can foresee the hash, or one has too many parts.
    """
    num_odd = 0
    for key in keys:
        kind = type(key)
        if kind in _ALWAYS or (kind is int and -_OWN_HASH < key < _OWN_HASH):
            continue
        _count_parts(key, 0)
        num_odd += 1
        if num_odd > _MAX_ODD_KEYS:
            raise too_large("keys that are no texts", f"{_MAX_ODD_KEYS:,} of them")
    return keys


def _count_parts(key: Any, num_parts: int) -> int:
    num_parts += 1
    if num_parts > _MAX_KEY_PARTS:
        raise too_large("a key of many parts", f"{_MAX_KEY_PARTS} parts")
    if type(key) in (tuple, frozenset):
        for part in key:
            num_parts = _count_parts(part, num_parts)
    elif type(key) not in (*_ALWAYS, *_ODD) and not _is_scalar(key):
        raise damaged(f"a key of the kind {printable(type(key).__name__)}")
    return num_parts


def _is_scalar(key: Any) -> bool:
    return isinstance(key, np.generic) and key.dtype.kind in "biufcSUmM"
