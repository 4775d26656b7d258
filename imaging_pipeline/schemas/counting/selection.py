"""Which sessions, and which outputs of theirs, a restriction selects."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import datajoint as dj

from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas.jobs.restrictions import key_condition_of
from imaging_pipeline.schemas.key_source import data_of_types
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.segmentation.registry import OUTPUT_TYPES

_SESSION = ("metasession_name", "session_name")
_OUTPUT = (*_SESSION, "dataset_name")
_KEYS = (*_OUTPUT, "animal_id", "datasource_id")
_COLUMNS = (
    *(*_SESSION, "animal_id", "datasource_id", "animal_name", "experiment_type", "combined"),
    *("timeseries_name", "session_timestamp"),
)
_TEXT = ("varchar", "char", "enum")

_Key = tuple[str, ...]


@dataclass(frozen=True)
class SelectedSession:
    """A session with the outputs of it that are selected.

    Attributes
    ----------
    row
        The session with its MetaSession's label and type, and the animal's name.
    outputs
        ``dataset_name`` → name of the output that it is of; one that has several planes is several datasets.
    """

    row: Row
    outputs: Mapping[str, str]

    @property
    def key(self) -> tuple[str, str]:
        """``metasession_name`` and ``session_name``."""
        return self.row["metasession_name"], self.row["session_name"]

    @property
    def animal(self) -> tuple[str, int]:
        """``animal_id`` and ``datasource_id``."""
        return self.row["animal_id"], self.row["datasource_id"]


def select(tables: Tables, restriction: Any) -> list[SelectedSession]:
    """Return the sessions that a restriction selects, by animal and time.

    Parameters
    ----------
    tables
        The database.
    restriction
        As for `cells.count_cells`.

    Raises
    ------
    InputError
        The restriction names what neither sessions nor outputs have, or is of cells.
    """
    selection = _Selection(tables)
    sessions, outputs = selection.of(restriction)
    rows = selection.sessions.proj(*_COLUMNS).to_dicts(
        order_by="animal_name, animal_id, datasource_id, session_timestamp"
    )
    named: dict[_Key, dict[str, str]] = {key: {} for key in sessions}
    for row in selection.outputs.proj("datasettype", "bundle").to_dicts():
        key = _key(row, _OUTPUT)
        if key in outputs:
            named.setdefault(key[:2], {})[row["dataset_name"]] = _output_name(row)
    return [
        SelectedSession({name: row[name] for name in _COLUMNS}, named[_key(row, _SESSION)])
        for row in rows
        if _key(row, _SESSION) in sessions
    ]


def _output_name(row: Row) -> str:
    """Return type and option set; planes that were merged are another output than the same ones apart."""
    ops_name, _, label = row["bundle"].rpartition("/")
    return f"{row['datasettype']} {ops_name}{'/combined' if label == 'combined' else ''}"


class _Selection:
    """Evaluates a restriction, part by part, to keys of sessions and of outputs."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        imaging = tables.imaging
        self.sessions = imaging.Session * imaging.MetaSession * tables.mlims.Animal
        self.outputs = self.sessions * data_of_types(tables, OUTPUT_TYPES) * imaging.Dataset
        self._all_outputs = _keys(self.outputs, _OUTPUT)

    def of(self, restriction: Any) -> tuple[set[_Key], set[_Key]]:
        """Return the keys of the sessions, and of their outputs."""
        if inspect.isclass(restriction) and issubclass(restriction, dj.Table):
            restriction = restriction()
        if isinstance(restriction, dj.AndList):
            sessions, outputs = zip(*map(self.of, (True, *restriction)), strict=True)
            return set.intersection(*sessions), set.intersection(*outputs)
        if isinstance(restriction, (list, tuple, set)):
            sessions, outputs = zip((set(), set()), *map(self.of, restriction), strict=True)
            return set.union(*sessions), set.union(*outputs)
        if restriction is True:
            return self._of_sessions(restriction)
        if isinstance(restriction, str):
            return self._with_outputs(self._fulfilling(restriction))
        if isinstance(restriction, Mapping):
            return self._of_values(restriction)
        if isinstance(restriction, dj.expression.QueryExpression):
            return self._of_query(restriction)
        raise InputError(
            "Cells are not counted by such a restriction",
            found=type(restriction).__name__,
            allowed="names and values, an SQL condition, a query, a list of these (any), dj.AndList (all)",
            remedy="Give one of those.",
        )

    def _of_query(self, query: Any) -> tuple[set[_Key], set[_Key]]:
        if "cell_id" in query.heading.names:
            raise InputError(
                "Sessions are chosen by what is true for them, and this query is one of cells",
                found=", ".join(query.primary_key),
                remedy="Count chosen cells by a condition within the count, as docs/counting.md shows:"
                " imaging.Session().aggr(imaging.Cell.Rois, num='count(CASE WHEN npix > 50 THEN 1 END)').",
            )
        # By no shared column DataJoint would select everything, and by one in no key all that are alike.
        if not set(query.primary_key) & set(_KEYS):
            raise InputError(
                "The query does not tell of sessions, MetaSessions, datasets or animals",
                found=f"a key of {', '.join(query.primary_key)}",
                allowed=f"a key with one of {', '.join(_KEYS)}",
                remedy="Give a query on such a table, as imaging.Session.SessionType is.",
            )
        if "dataset_name" not in query.primary_key:
            return self._of_sessions(query.proj())
        imaging = self._tables.imaging
        datasets = _keys(imaging.Session * imaging.Session.Data & query.proj(), _OUTPUT)
        outputs = datasets & self._all_outputs
        # Recorded datasets, as those of `Tif` are, choose their sessions.
        others = {key[:2] for key in datasets} - {key[:2] for key in outputs}
        sessions, of_others = self._with_outputs(others)
        return sessions | {key[:2] for key in outputs}, outputs | of_others

    def _of_values(self, values: Mapping[str, Any]) -> tuple[set[_Key], set[_Key]]:
        columns = self.outputs.heading.attributes
        for name in values:
            # DataJoint would leave out what it does not know.
            if name not in columns:
                raise InputError(
                    f"Sessions have no '{name}'",
                    found=with_alike(name, near(name, columns)),
                    allowed=", ".join(columns),
                    remedy="Correct the name.",
                    field=name,
                )
            # MySQL would compare the numbers that the texts begin with.
            if columns[name].type.startswith(_TEXT) and not isinstance(values[name], str):
                raise InputError(
                    f"A {name} is a text",
                    found=repr(values[name]),
                    allowed=f"such as {str(values[name])!r}",
                    remedy="Give the value in quotes.",
                    field=name,
                )
        if set(values) <= set(self.sessions.heading.names):
            return self._of_sessions(values)
        outputs = _keys(self.outputs & values, _OUTPUT)
        return {key[:2] for key in outputs}, outputs

    def _of_sessions(self, restriction: Any) -> tuple[set[_Key], set[_Key]]:
        return self._with_outputs(_keys(self.sessions & restriction, _SESSION))

    def _with_outputs(self, sessions: set[_Key]) -> tuple[set[_Key], set[_Key]]:
        return sessions, {key for key in self._all_outputs if key[:2] in sessions}

    def _fulfilling(self, condition: str) -> set[_Key]:
        """Return the sessions for which an SQL condition is true, as it is for workers and pages."""
        table = self._tables.imaging.Session.full_table_name
        where = key_condition_of(self._tables, _SESSION, condition)
        query = f"SELECT {', '.join(_SESSION)} FROM {table} WHERE {where}"
        return {tuple(row) for row in self._tables.connection.query(query).fetchall()}


def _keys(query: Any, names: Sequence[str]) -> set[_Key]:
    return {_key(row, names) for row in query.proj(*names).to_dicts()}


def _key(row: Row, names: Sequence[str]) -> _Key:
    return tuple(row[name] for name in names)
