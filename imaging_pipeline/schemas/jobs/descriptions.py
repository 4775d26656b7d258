"""What jobs are of, in people's words: timeseries, outputs and folders instead of hashes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from imaging_pipeline.schemas.tables import Tables

Key = Mapping[str, Any]

_DESCRIBED = ("metasession_name", "session_name", "dataset_name", "basefolder_id", "ops_name")


def descriptions(tables: Tables, keys: Sequence[Key]) -> list[str]:
    """Return what each job is of, with three queries at most for any number of jobs.

    Keys of rows that are deleted are returned as they are.
    """
    names = _Names(tables, keys)
    return [names.description(key) for key in keys]


class _Names:
    """The names that people know, of all keys at once."""

    def __init__(self, tables: Tables, keys: Sequence[Key]) -> None:
        imaging = tables.imaging
        self._folders = {
            row["basefolder_id"]: row["folder"]
            for row in _rows(imaging.BaseFolder.proj("folder"), "basefolder_id", keys)
        }
        self._bundles = {
            row["dataset_name"]: row["bundle"]
            for row in _rows(imaging.Dataset.proj("bundle"), "dataset_name", keys)
        }
        self._timeseries: dict[str, dict[str, str]] = defaultdict(dict)
        sessions = _rows(imaging.Session.proj("timeseries_name", "session_order"), "metasession_name", keys)
        for row in sorted(sessions, key=lambda row: row["session_order"]):
            self._timeseries[row["metasession_name"]][row["session_name"]] = row["timeseries_name"]

    def description(self, key: Key) -> str:
        others = [f"{name} {value}" for name, value in key.items() if name not in _DESCRIBED]
        parts = (self._folder(key), self._session(key), self._output(key), key.get("ops_name"), *others)
        return ", ".join(str(part) for part in parts if part)

    def _folder(self, key: Key) -> str:
        number = key.get("basefolder_id")
        if number is None:
            return ""
        folder = self._folders.get(number)
        return f"request {number}" + (f", {folder}" if folder else "")

    def _session(self, key: Key) -> str:
        metasession = key.get("metasession_name")
        if metasession is None:
            return ""
        sessions = self._timeseries.get(metasession, {})
        if "session_name" in key:
            return str(sessions.get(key["session_name"], key["session_name"]))
        first, *others = sessions.values() or [str(metasession)]
        return f"{first} and {len(others)} more" if others else first

    def _output(self, key: Key) -> str:
        """Return which dataset of the session it is, unless it has the session's name."""
        if "dataset_name" not in key:
            return ""
        bundle = str(self._bundles.get(key["dataset_name"], key["dataset_name"]))
        return "" if bundle == self._session(key) else bundle


def _rows(table: Any, column: str, keys: Iterable[Key]) -> list[dict[str, Any]]:
    values = {key[column] for key in keys if column in key}
    if not values:
        return []
    rows: list[dict[str, Any]] = (table & [{column: value} for value in values]).to_dicts()
    return rows
