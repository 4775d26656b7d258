"""How many cells sessions, MetaSessions and animals have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.errors import InputError
from imaging_pipeline.experiments.registry import EXPERIMENT_TYPES
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.counting.selection import SelectedSession, select
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables

_ANIMAL = ("animal_id", "datasource_id", "animal_name")
# What is counted for → the columns that name it, before the numbers.
_GROUPS = {
    "animal": _ANIMAL,
    "metasession": ("metasession_name", *_ANIMAL, "combined"),
    "session": (
        *("metasession_name", "session_name", *_ANIMAL),
        *("combined", "timeseries_name", "session_timestamp"),
    ),
}
_METASESSION = ("metasession_name",)
_SESSION = ("metasession_name", "session_name")


def count_cells(tables: Tables, restriction: Any, per: str) -> list[Row]:
    """Return the number of cells of each group; `schemas.imaging.cells.count_cells` documents it.

    Parameters
    ----------
    tables
        The database.
    restriction, per
        As there.

    Raises
    ------
    InputError
        As there.
    """
    if per not in _GROUPS:
        raise InputError(
            "Cells are not counted for such groups",
            found=with_alike(repr(per), near(str(per), _GROUPS)),
            allowed=", ".join(_GROUPS),
            remedy="Give one of these as per.",
            field="per",
        )
    sessions = select(tables, restriction)
    _refuse_several_outputs(sessions)
    if per == "animal":
        _refuse_both_labels(tables, sessions)
    numbers = _Numbers(tables, sessions, columns=_SESSION if per == "session" else _METASESSION)
    groups: dict[tuple[Any, ...], list[SelectedSession]] = defaultdict(list)
    for session in sessions:
        groups[tuple(session.row[name] for name in _GROUPS[per])].append(session)
    return [
        {
            **dict(zip(_GROUPS[per], values, strict=True)),
            **({} if per == "session" else numbers.of_sessions(group)),
            "num_cells": numbers.of_cells(group),
        }
        for values, group in groups.items()
    ]


class _Numbers:
    """The numbers of cells of outputs.

    Parameters
    ----------
    tables, sessions
        The database, and the sessions that are counted.
    columns
        Those by which cells are told apart, beside dataset and ``cell_id``.
    """

    def __init__(self, tables: Tables, sessions: Sequence[SelectedSession], columns: Sequence[str]) -> None:
        self._columns = columns
        names = list({session.key[0] for session in sessions})
        self._num_cells: dict[tuple[Any, ...], int] = {}
        self._imported: set[tuple[Any, ...]] = set()
        # IN without values is no SQL.
        if names:
            key = ", ".join((*columns, "dataset_name"))
            where = f"WHERE metasession_name IN ({plain_rows.placeholders(names)})"
            cell = tables.imaging.Cell
            # Sessions of a MetaSession share its output, whose cells have the same numbers in each.
            counts = (
                f"SELECT {key}, COUNT(DISTINCT cell_id) FROM {tables.full_name(cell.Rois)}"
                f" {where} GROUP BY {key}"
            )
            for *output, number in plain_rows.fetch(tables.connection, counts, names):
                self._num_cells[tuple(output)] = int(number)
            analyses = (
                f"SELECT metasession_name, session_name, dataset_name FROM {tables.full_name(cell)} {where}"
            )
            self._imported.update(plain_rows.fetch(tables.connection, analyses, names))

    def of_sessions(self, sessions: Sequence[SelectedSession]) -> dict[str, int]:
        """Return how many sessions there are, and how many of them have all of their cells imported."""
        return {
            "num_sessions": len(sessions),
            "num_sessions_imported": sum(map(self._is_imported, sessions)),
        }

    def of_cells(self, sessions: Sequence[SelectedSession]) -> int | None:
        """Return the number of cells of all outputs of the imported sessions; None where none is imported."""
        imported = [session for session in sessions if self._is_imported(session)]
        outputs = {
            (*(session.row[name] for name in self._columns), dataset)
            for session in imported
            for dataset in session.outputs
        }
        # An output without cells has no rows.
        return sum(self._num_cells.get(output, 0) for output in outputs) if imported else None

    def _is_imported(self, session: SelectedSession) -> bool:
        """Return True if all of a session's outputs are imported: some planes are not all of its cells."""
        return bool(session.outputs) and all(
            (*session.key, dataset) in self._imported for dataset in session.outputs
        )


def _refuse_several_outputs(sessions: Iterable[SelectedSession]) -> None:
    """Raise if two outputs of a MetaSession are selected, which have the same cells twice."""
    for session in sessions:
        outputs = sorted(set(session.outputs.values()))
        if len(outputs) > 1:
            raise InputError(
                "A session has several outputs, and each has its cells",
                found=f"session {session.key[1]} of {_described(session)}: {', '.join(outputs)}",
                allowed="one output of a session",
                remedy="choose one by its datasettype in the restriction, or by dj.AndList([...,"
                " imaging.Dataset & condition]) with a condition on bundle.",
            )


def _refuse_both_labels(tables: Tables, sessions: Sequence[SelectedSession]) -> None:
    """Raise if a recording is registered combined and not combined, which gives its cells twice."""
    labels: dict[tuple[str, int], set[str]] = defaultdict(set)
    for session in sessions:
        labels[session.animal].add(session.row["combined"])
    of_both: dict[tuple[Any, ...], SelectedSession] = {
        session.key: session for session in sessions if len(labels[session.animal]) > 1
    }
    owners: dict[tuple[Any, ...], SelectedSession] = {}
    for *key, path_hash, fingerprint in _recorded_files(tables, of_both.values()):
        if tuple(key) not in of_both:
            continue
        recorded = of_both[tuple(key)]
        # By place and by content, as registering tells what is the same recording.
        for file in (("place", path_hash), ("content", fingerprint)):
            owner = owners.setdefault(file, recorded)
            if owner.row["combined"] != recorded.row["combined"]:
                raise _both_labels(owner, recorded)


def _recorded_files(tables: Tables, sessions: Iterable[SelectedSession]) -> list[tuple[Any, ...]]:
    """Return the keys of sessions of some MetaSessions, with place and content of each recorded file."""
    names = list({session.key[0] for session in sessions})
    if not names:
        return []
    imaging = tables.imaging
    primary = sorted({kind.primary for kind in EXPERIMENT_TYPES})
    query = (
        "SELECT metasession_name, session_name, path_hash, fingerprint"
        f" FROM {tables.full_name(imaging.Session.Data)}"
        f" JOIN {tables.full_name(imaging.Dataset)} USING (dataset_name)"
        f" JOIN {tables.full_name(imaging.PhysicalFile)} USING (dataset_name)"
        f" WHERE metasession_name IN ({plain_rows.placeholders(names)})"
        f" AND datasettype IN ({plain_rows.placeholders(primary)})"
    )
    return plain_rows.fetch(tables.connection, query, (*names, *primary))


def _both_labels(one: SelectedSession, other: SelectedSession) -> InputError:
    sessions = sorted((one, other), key=lambda session: str(session.row["combined"]))
    return InputError(
        "A recording is registered combined and not combined, so that its cells are there twice",
        found="; ".join(
            f"session {session.key[1]} of {_described(session)}, combined {session.row['combined']}"
            for session in sessions
        ),
        allowed="one of the two",
        remedy="restrict by combined='yes' or combined='no', or count per='metasession'.",
        field="combined",
    )


def _described(session: SelectedSession) -> str:
    return (
        f"MetaSession {session.key[0]}, animal {session.row['animal_name']}, {session.row['timeseries_name']}"
    )
