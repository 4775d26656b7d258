"""Bringing the animal tables up to what a source says; nothing is ever deleted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from imaging_pipeline.colony.animal import GENOTYPE, Animal, AnimalKey, Value
from imaging_pipeline.colony.changes import Changes, Stored, compare
from imaging_pipeline.schemas.locks import in_transaction, named_lock
from imaging_pipeline.schemas.tables import Tables

# Below a server's limit of one statement, whatever the notes.
_ROWS_A_STATEMENT = 2000

_PARTS = {
    "BackgroundStrain": ("background_strain",),
    "Death": ("death_date", "death_cause"),
    "Generation": ("generation",),
    "Litter": ("litter",),
    "Purpose": ("purpose",),
    "Strain": ("strain",),
}
_PART_OF = {column: part for part, columns in _PARTS.items() for column in columns}
_MASTER = ("animal_name", "animal_species", "animal_sex", "animal_dob", "animal_notes", "color")

_Place = tuple[str, AnimalKey, str]
"""A row: name of the table, animal, and gene where the table has one row a gene."""


def apply(tables: Tables, animals: Iterable[Animal]) -> Changes:
    """Insert animals that are new and update those that differ, all of them or none.

    An animal that is new and has no name is called by its identifier.

    Parameters
    ----------
    tables
        The database.
    animals
        Each animal once.

    Returns
    -------
    Changes
        What was done.
    """
    with (
        named_lock(tables.connection, f"{tables.config.prefix}animals"),
        in_transaction(tables.connection),
    ):
        stored = _stored(tables)
        changes = compare(animals, stored)
        _write(tables, dict(_wanted(changes)), stored)
    return changes


def _stored(tables: Tables) -> Stored:
    """Give all animals that are there; fetching some by key is slower than fetching all."""
    stored: dict[AnimalKey, dict[str, Value]] = {}
    animal = tables.mlims.Animal
    for row in animal.proj(*_MASTER).to_dicts():
        stored[_key(row)] = _said(row, _MASTER)
    for part, columns in _PARTS.items():
        for row in getattr(animal, part)().to_dicts():
            stored[_key(row)] |= _said(row, columns)
    for row in tables.mlims.Genotype().to_dicts():
        stored[_key(row)][f"{GENOTYPE}{row['gene']}"] = row["genotype"]
    return stored


def _key(row: Mapping[str, Any]) -> AnimalKey:
    return AnimalKey(row["animal_id"], int(row["datasource_id"]))


def _said(row: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Value]:
    return {column: row[column] for column in columns if row[column] is not None}


def _wanted(changes: Changes) -> Iterator[tuple[tuple[AnimalKey, str], Value]]:
    for animal in changes.added:
        yield (animal.key, "animal_name"), animal.animal_id
        for column, value in animal.columns().items():
            yield (animal.key, column), value
    for change in changes.changed:
        yield (change.key, change.column), change.after


def _write(tables: Tables, wanted: Mapping[tuple[AnimalKey, str], Value], stored: Stored) -> None:
    rows: dict[_Place, dict[str, Value]] = defaultdict(dict)
    for (key, column), value in wanted.items():
        rows[_place(key, column)][_name(column)] = value
    known = {_place(key, column) for key, columns in stored.items() for column in columns}
    _insert_terms(tables, rows)
    new: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for place, values in rows.items():
        if place in known:
            _table(tables, place[0]).update1(_primary_key(place) | values)
        else:
            new[place[0]].append(_primary_key(place) | values)
    for table in ("Animal", *_PARTS, "Genotype"):
        # Rows of one statement need the same columns.
        for _, alike in groupby(sorted(new[table], key=sorted), key=sorted):
            _table(tables, table).insert(alike, chunk_size=_ROWS_A_STATEMENT)


def _place(key: AnimalKey, column: str) -> _Place:
    if column.startswith(GENOTYPE):
        return "Genotype", key, column.removeprefix(GENOTYPE)
    return _PART_OF.get(column, "Animal"), key, ""


def _name(column: str) -> str:
    return "genotype" if column.startswith(GENOTYPE) else column


def _primary_key(place: _Place) -> dict[str, Any]:
    table, key, gene = place
    return key._asdict() | ({"gene": gene} if table == "Genotype" else {})


def _table(tables: Tables, name: str) -> Any:
    if name in _PARTS:
        return getattr(tables.mlims.Animal, name)()
    return getattr(tables.mlims, name)()


def _insert_terms(tables: Tables, rows: Mapping[_Place, Mapping[str, Value]]) -> None:
    """Insert the colours, strains and genes that are met for the first time."""
    met: dict[str, set[Value]] = {"color": set(), "strain": set(), "gene": set()}
    for (_, _, gene), values in rows.items():
        met["gene"] |= {gene} if gene else set()
        for column in ("color", "strain"):
            met[column] |= {values[column]} if column in values else set()
    mlims = tables.mlims
    for table, column in ((mlims.AnimalColor, "color"), (mlims.Strain, "strain"), (mlims.Gene, "gene")):
        missing = met[column] - set(table().to_arrays(column).tolist())
        table.insert({column: term} for term in sorted(map(str, missing)))
