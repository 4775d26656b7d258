"""The classifier that an option set names: a file anywhere on a share, which Suite2p would unpickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imaging_pipeline.errors import InputError
from imaging_pipeline.readers.npy.file import load_npy

# What Suite2p takes of the file: a row of statistics an example, their names, and which examples are cells.
_ENTRIES = ("stats", "keys", "iscell")


def read_classifier(path: Path) -> Mapping[str, Any]:
    """Return the entries of a classifier that Suite2p saved.

    Returns
    -------
    stats
        Numbers (examples, statistics).
    keys
        Name of each statistic.
    iscell
        Numbers (examples,).

    Raises
    ------
    InputError
        The file is missing, so that Suite2p would take its own instead, or is no classifier.
    FormatError, UnsafeContentError
        It is damaged, or holds more than plain values and arrays.
    """
    if not path.is_file():
        raise InputError(
            "The classifier of an option set is not there; Suite2p would take its own instead",
            path=path,
            remedy="Correct classification.classifier_path.",
        )
    content = load_npy(path)
    if not isinstance(content, dict) or not _is_classifier(*(content.get(name) for name in _ENTRIES)):
        raise InputError(
            "The classifier of an option set is none that Suite2p saved",
            path=path,
            found=f"a {type(content).__name__}",
            allowed="a dictionary of stats, keys and iscell of equal lengths",
            remedy="Correct classification.classifier_path, or save the classifier in Suite2p again.",
        )
    return {name: content[name] for name in _ENTRIES}


def copy_classifier(path: Path, folder: Path) -> Path:
    """Write the checked content of a classifier into a folder of ours, and return its path.

    Suite2p unpickles this copy and never the file itself, which may be exchanged before it is opened, and
    which another unpickler may read otherwise.
    """
    entries = dict(read_classifier(path))
    entries["keys"] = [str(key) for key in entries["keys"]]
    target = folder / "classifier.npy"
    np.save(target, np.array(entries, dtype=object))
    return target


def _is_classifier(stats: Any, keys: Any, iscell: Any) -> bool:
    if not isinstance(stats, np.ndarray) or stats.ndim != 2 or stats.dtype.kind not in "biuf":
        return False
    labels = np.asarray(iscell) if isinstance(iscell, list | np.ndarray) else np.empty(0, object)
    is_named = isinstance(keys, list | np.ndarray) and np.shape(keys) == (stats.shape[1],)
    return is_named and labels.dtype.kind in "biuf" and labels.shape == (stats.shape[0],)
