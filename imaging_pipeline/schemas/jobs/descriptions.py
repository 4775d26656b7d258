"""What jobs are about, in people's words: timeseries, outputs and folders instead of hashes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from imaging_pipeline.schemas.tables import Tables

Key = Mapping[str, Any]

_TOLD = ("metasession_name", "session_name", "dataset_name", "basefolder_id")


def about(tables: Tables, keys: Sequence[Key]) -> list[str]:
    """Return what each job is about, for any number with three questions to the server at most.

    Keys of rows that are no more are told as they are.
    """
    words = _Words(tables, keys)
    return [words.of(key) for key in keys]


class _Words:
    def __init__(self, tables: Tables, keys: Sequence[Key]) -> None:
        imaging = tables.imaging
        self._folders = {
            row["basefolder_id"]: row["folder"]
            for row in _met(imaging.BaseFolder.proj("folder"), "basefolder_id", keys)
        }
        self._bundles = {
            row["dataset_name"]: row["bundle"]
            for row in _met(imaging.Dataset.proj("bundle"), "dataset_name", keys)
        }
        self._timeseries: dict[str, dict[str, str]] = defaultdict(dict)
        sessions = _met(imaging.Session.proj("timeseries_name", "session_order"), "metasession_name", keys)
        for row in sorted(sessions, key=lambda row: row["session_order"]):
            self._timeseries[row["metasession_name"]][row["session_name"]] = row["timeseries_name"]

    def of(self, key: Key) -> str:
        more = [f"{name} {value}" for name, value in key.items() if name not in (*_TOLD, "ops_name")]
        told = (self._folder(key), self._session(key), self._output(key), key.get("ops_name"), *more)
        return ", ".join(str(each) for each in told if each)

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
        """Return which dataset of the session it is, where it is not named as the session is."""
        if "dataset_name" not in key:
            return ""
        bundle = str(self._bundles.get(key["dataset_name"], key["dataset_name"]))
        return "" if bundle == self._session(key) else bundle


def _met(table: Any, column: str, keys: Iterable[Key]) -> list[dict[str, Any]]:
    values = {key[column] for key in keys if column in key}
    if not values:
        return []
    rows: list[dict[str, Any]] = (table & [{column: value} for value in values]).to_dicts()
    return rows
