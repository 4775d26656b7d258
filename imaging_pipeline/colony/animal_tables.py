"""Reading and writing the tables of animals, many rows in a statement; no animal is ever deleted."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from imaging_pipeline.colony.animal import AnimalKey, Values, fill_defaults
from imaging_pipeline.colony.comparison import GONE, AnimalChanges, FieldChange, StoredAnimal
from imaging_pipeline.colony.sources.columns import COLUMNS, GENOTYPE
from imaging_pipeline.colony.staging import StoredRow
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.tables import Tables

_KEY = ("animal_id", "datasource_id")
_MASTER = ("animal_name", "animal_species", "animal_sex", "animal_dob", "animal_notes", "color")
# Part → its columns; an animal without a value of the first one has no row there.
_PARTS: Mapping[str, tuple[str, ...]] = {
    "Strain": ("strain",),
    "BackgroundStrain": ("background_strain",),
    "Generation": ("generation",),
    "Litter": ("litter",),
    "Purpose": ("purpose",),
    "Death": ("death_date", "death_cause"),
}
# These hold an empty text where nothing is known.
_NEVER_NULL = ("animal_notes", "death_cause")
_LOOKUPS = (("AnimalColor", "color"), ("Strain", "strain"), ("Gene", "gene"))

_ANIMALS_PER_QUERY = 5000
# A server limits the size of a statement; so many rows fit, whatever the length of their notes.
_ROWS_PER_STATEMENT = 500
# One text of several columns, and of the rows of a group.
_JSON = {
    "mysql": ("JSON_ARRAY({})", "JSON_OBJECTAGG(gene, genotype)"),
    "postgresql": ("json_build_array({})::text", "json_object_agg(gene, genotype)::text"),
}

_Row = tuple[Any, ...]


def stored_animals(tables: Tables, keys: Collection[AnimalKey]) -> dict[AnimalKey, StoredAnimal]:
    """Return those of some animals that are in the tables."""
    if not keys:
        return {}
    ids = tuple({key.animal_id for key in keys})
    query = f"{_query(tables)} WHERE animal_id IN ({plain_rows.placeholders(ids)})"
    rows = plain_rows.fetch(tables.connection, query, ids)
    return dict(_decoded(StoredRow(*row)) for row in rows)


def stored_rows(tables: Tables, datasource_id: int) -> Iterator[list[StoredRow]]:
    """Yield all animals of a colony system, in batches."""
    # Each batch begins after the last key: with OFFSET the server would read all rows before it again.
    batch = (
        f"(SELECT * FROM {tables.mlims.Animal.full_table_name} WHERE datasource_id = %s AND animal_id > %s"
        f" ORDER BY animal_id LIMIT {_ANIMALS_PER_QUERY}) AS animal"
    )
    query = f"{_query(tables, batch)} ORDER BY animal_id"
    last = ""
    while rows := plain_rows.fetch(tables.connection, query, (datasource_id, last)):
        yield [StoredRow(*row) for row in rows]
        last = rows[-1][0]


class Writer:
    """Writes batches of changes, within the open transaction.

    Parameters
    ----------
    tables
        The database.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._inserted: dict[str, set[str]] = defaultdict(set)

    def write(self, changes: AnimalChanges, stored: Mapping[AnimalKey, StoredAnimal]) -> None:
        """Write the animals that are new or differ.

        Parameters
        ----------
        changes
            What is new and what differs.
        stored
            The animals that differ, as they were.
        """
        after, fields = _after(changes, stored)
        # Parents before children, for the foreign keys.
        self._insert_lookups(after, fields)
        self._write_columns(self._tables.mlims.Animal, _MASTER, after, fields)
        for part, columns in _PARTS.items():
            self._write_part(getattr(self._tables.mlims.Animal, part), columns, after, fields)
        self._write_genotypes(after, fields)
        self._insert_former_names(changes.changed)
        returned = [change.key for change in changes.changed if change.field == GONE]
        _delete(self._tables.mlims.Animal.Gone, _KEY, returned)

    def mark_gone(self, keys: Iterable[AnimalKey]) -> None:
        """Mark animals that are missing in the source."""
        self._tables.mlims.Animal.Gone.insert(key._asdict() for key in keys)

    def _insert_lookups(
        self, after: Mapping[AnimalKey, Values], fields: Mapping[AnimalKey, set[str]]
    ) -> None:
        """Insert colours, strains and genes that were not inserted before."""
        terms: dict[str, set[str]] = defaultdict(set)
        for key, names in fields.items():
            for name in names:
                value = after[key].get(name)
                if name.startswith(GENOTYPE):
                    terms["gene"].add(name.removeprefix(GENOTYPE))
                elif name in ("color", "strain") and value is not None:
                    terms[name].add(value)
        for table, column in _LOOKUPS:
            new = sorted(terms[column] - self._inserted[column])
            rows = ({column: term} for term in new)
            getattr(self._tables.mlims, table).insert(rows, skip_duplicates=True)
            self._inserted[column].update(new)

    def _write_part(
        self,
        table: Any,
        columns: Sequence[str],
        after: Mapping[AnimalKey, Values],
        fields: Mapping[AnimalKey, set[str]],
    ) -> None:
        emptied = [
            key
            for key, names in fields.items()
            if not names.isdisjoint(columns) and after[key][columns[0]] is None
        ]
        filled = {key: names for key, names in fields.items() if after[key][columns[0]] is not None}
        self._write_columns(table, columns, after, filled)
        _delete(table, _KEY, emptied)

    def _write_columns(
        self,
        table: Any,
        columns: Sequence[str],
        after: Mapping[AnimalKey, Values],
        fields: Mapping[AnimalKey, set[str]],
    ) -> None:
        keys = [key for key, names in fields.items() if not names.isdisjoint(columns)]
        rows = [(*key, *(_column_value(column, after[key]) for column in columns)) for key in keys]
        _upsert(table, (*_KEY, *columns), rows)

    def _write_genotypes(
        self, after: Mapping[AnimalKey, Values], fields: Mapping[AnimalKey, set[str]]
    ) -> None:
        rows, withdrawn = [], []
        for key, names in fields.items():
            for name in names:
                if name.startswith(GENOTYPE):
                    gene, genotype = name.removeprefix(GENOTYPE), after[key].get(name)
                    if genotype is None:
                        withdrawn.append((*key, gene))
                    else:
                        rows.append((*key, gene, genotype))
        table = self._tables.mlims.Genotype
        _upsert(table, (*_KEY, "gene", "genotype"), rows)
        _delete(table, (*_KEY, "gene"), withdrawn)

    def _insert_former_names(self, changed: Iterable[FieldChange]) -> None:
        renamed = [change for change in changed if change.field == "animal_name"]
        if not renamed:
            return
        counts = self._former_name_counts([change.key for change in renamed])
        self._tables.mlims.Animal.FormerName.insert(
            {**change.key._asdict(), "name_number": counts.get(change.key, 0), "former_name": change.before}
            for change in renamed
        )

    def _former_name_counts(self, keys: Iterable[AnimalKey]) -> dict[AnimalKey, int]:
        """Return how many former names some animals have; those without any are left out."""
        former = self._tables.mlims.Animal.FormerName & [key._asdict() for key in keys]
        rows = former.proj().to_dicts()
        return Counter(AnimalKey(row["animal_id"], row["datasource_id"]) for row in rows)


def _decoded(row: StoredRow) -> tuple[AnimalKey, StoredAnimal]:
    values = dict(zip(COLUMNS, (text or None for text in json.loads(row.columns)), strict=True))
    values.update((f"{GENOTYPE}{gene}", text) for gene, text in json.loads(row.genes).items())
    return AnimalKey(row.animal_id, row.datasource_id), StoredAnimal(values, bool(row.is_gone))


def _query(tables: Tables, animals: str | None = None) -> str:
    """Return the statement for rows of `StoredRow`, without its end.

    Each part is looked up by the animal's key: for joins of them all, PostgreSQL reads whole tables
    for a few animals as long as it has no statistics of them.
    """
    animal, genotype = tables.mlims.Animal, tables.mlims.Genotype
    array, genes = _JSON[tables.connection.adapter.backend]
    part_of = {column: part for part, columns in _PARTS.items() for column in columns}
    columns = ", ".join(
        f"(SELECT {_null_if_empty(column)} {_from(getattr(animal, part_of[column]))})"
        if column in part_of
        else _null_if_empty(column)
        for column in COLUMNS
    )
    return (
        f"SELECT animal_id, datasource_id, EXISTS (SELECT 1 {_from(animal.Gone)}), {array.format(columns)},"
        f" COALESCE((SELECT {genes} {_from(genotype)}), '{{}}')"
        f" FROM {animals or f'{animal.full_table_name} AS animal'}"
    )


def _from(table: Any) -> str:
    is_same = " AND ".join(f"part.{column} = animal.{column}" for column in _KEY)
    return f"FROM {table.full_table_name} AS part WHERE {is_same}"


def _null_if_empty(column: str) -> str:
    return f"NULLIF({column}, '')" if column in _NEVER_NULL else column


def _after(
    changes: AnimalChanges, stored: Mapping[AnimalKey, StoredAnimal]
) -> tuple[dict[AnimalKey, Values], dict[AnimalKey, set[str]]]:
    """Return the values of each animal after the changes, and which of its fields are written."""
    after: dict[AnimalKey, Values] = {}
    fields: dict[AnimalKey, set[str]] = {}
    for animal in changes.added:
        values: dict[str, str | None] = {**dict.fromkeys(COLUMNS), **animal.values}
        fill_defaults(values, animal.key)
        after[animal.key] = values
        # A part without a value has no row, while the animal's own row has all columns.
        known = (field for field, value in animal.values.items() if value is not None)
        fields[animal.key] = {*_MASTER, *known}
    differing: dict[AnimalKey, dict[str, str | None]] = defaultdict(dict)
    for change in changes.changed:
        if change.field != GONE:
            differing[change.key][change.field] = change.after
    for key, values in differing.items():
        after[key] = {**stored[key].values, **values}
        fields[key] = set(values)
    return after, fields


def _column_value(column: str, values: Values) -> str | None:
    value = values[column]
    return "" if value is None and column in _NEVER_NULL else value


def _upsert(table: Any, columns: Sequence[str], rows: Iterable[_Row]) -> None:
    # Not DataJoint's `insert(replace=True)`, which fails on PostgreSQL.
    adapter = table.connection.adapter
    key = [column for column in columns if column in table.primary_key]
    for batch in _batches(rows):
        sql = adapter.upsert_on_duplicate_sql(table.full_table_name, list(columns), key, len(batch))
        table.connection.query(sql, args=tuple(value for row in batch for value in row))


def _delete(table: Any, columns: Sequence[str], keys: Iterable[_Row]) -> None:
    for batch in _batches(keys):
        placeholders = ", ".join([f"({plain_rows.placeholders(columns)})"] * len(batch))
        query = f"DELETE FROM {table.full_table_name} WHERE ({', '.join(columns)}) IN ({placeholders})"
        table.connection.query(query, args=tuple(value for key in batch for value in key))


def _batches(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    left = iter(rows)
    while batch := list(islice(left, _ROWS_PER_STATEMENT)):
        yield batch
