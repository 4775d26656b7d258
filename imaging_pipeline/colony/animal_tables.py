"""Writing changes of animals, table by table and many rows in a statement; no animal is ever deleted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from imaging_pipeline.colony.animal import COLUMNS, GENOTYPE, AnimalKey, Values, fill_in
from imaging_pipeline.colony.comparison import GONE, Changes, FieldChange, StoredAnimal
from imaging_pipeline.colony.stored import MASTER, NEVER_NULL, PARTS, former_name_counts
from imaging_pipeline.schemas.tables import Tables

# Below a server's limit of one statement, whatever the notes.
_ROWS_A_STATEMENT = 500
_KEY = ("animal_id", "datasource_id")
_TERMS = (("AnimalColor", "color"), ("Strain", "strain"), ("Gene", "gene"))

_Row = tuple[Any, ...]


class Writer:
    """Writes batches of changes, within the open transaction.

    Parameters
    ----------
    tables
        The database.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._terms: dict[str, set[str]] = defaultdict(set)

    def write(self, changes: Changes, stored: Mapping[AnimalKey, StoredAnimal]) -> None:
        """Bring the animals of some changes to what they say.

        Parameters
        ----------
        changes
            What is new and what differs.
        stored
            What was known of the animals that differ.
        """
        after, touched = _outcome(changes, stored)
        self._add_terms(after, touched)
        self._write_masters(after, touched)
        for part in PARTS:
            self._write_part(part, after, touched)
        self._write_genotypes(after, touched)
        self._keep_former_names(changes.changed)
        back = [change.key for change in changes.changed if change.field == GONE]
        self._delete(self._tables.mlims.Animal.Gone, _KEY, back)

    def mark_gone(self, keys: Iterable[AnimalKey]) -> None:
        """Mark animals that the colony system no longer tells of."""
        self._tables.mlims.Animal.Gone.insert(key._asdict() for key in keys)

    def _add_terms(self, after: Mapping[AnimalKey, Values], touched: Mapping[AnimalKey, set[str]]) -> None:
        """Insert the colours, strains and genes that are met for the first time."""
        met: dict[str, set[str]] = defaultdict(set)
        for key, fields in touched.items():
            for field in fields:
                value = after[key].get(field)
                if field.startswith(GENOTYPE):
                    met["gene"].add(field.removeprefix(GENOTYPE))
                elif field in ("color", "strain") and value is not None:
                    met[field].add(value)
        for table, column in _TERMS:
            new = sorted(met[column] - self._terms[column])
            rows = ({column: term} for term in new)
            getattr(self._tables.mlims, table).insert(rows, skip_duplicates=True)
            self._terms[column].update(new)

    def _write_masters(
        self, after: Mapping[AnimalKey, Values], touched: Mapping[AnimalKey, set[str]]
    ) -> None:
        keys = [key for key, fields in touched.items() if not fields.isdisjoint(MASTER)]
        rows = [(*key, *(_written(column, after[key]) for column in MASTER)) for key in keys]
        self._upsert(self._tables.mlims.Animal, (*_KEY, *MASTER), rows)

    def _write_part(
        self, part: str, after: Mapping[AnimalKey, Values], touched: Mapping[AnimalKey, set[str]]
    ) -> None:
        table, columns = getattr(self._tables.mlims.Animal, part), PARTS[part]
        keys = [key for key, fields in touched.items() if not fields.isdisjoint(columns)]
        there = [key for key in keys if after[key][columns[0]] is not None]
        rows = [(*key, *(_written(column, after[key]) for column in columns)) for key in there]
        self._upsert(table, (*_KEY, *columns), rows)
        self._delete(table, _KEY, [key for key in keys if after[key][columns[0]] is None])

    def _write_genotypes(
        self, after: Mapping[AnimalKey, Values], touched: Mapping[AnimalKey, set[str]]
    ) -> None:
        rows, withdrawn = [], []
        for key, fields in touched.items():
            for field in fields:
                if field.startswith(GENOTYPE):
                    gene, genotype = field.removeprefix(GENOTYPE), after[key].get(field)
                    if genotype is None:
                        withdrawn.append((*key, gene))
                    else:
                        rows.append((*key, gene, genotype))
        table = self._tables.mlims.Genotype
        self._upsert(table, (*_KEY, "gene", "genotype"), rows)
        self._delete(table, (*_KEY, "gene"), withdrawn)

    def _keep_former_names(self, changed: Iterable[FieldChange]) -> None:
        renamed = [change for change in changed if change.field == "animal_name"]
        if not renamed:
            return
        counts = former_name_counts(self._tables, [change.key for change in renamed])
        self._tables.mlims.Animal.FormerName.insert(
            {**change.key._asdict(), "name_number": counts.get(change.key, 0), "former_name": change.before}
            for change in renamed
        )

    def _upsert(self, table: Any, columns: Sequence[str], rows: Iterable[_Row]) -> None:
        connection = table.connection
        key = [column for column in columns if column in table.primary_key]
        statement = connection.adapter.upsert_on_duplicate_sql
        for some in _chunks(rows):
            sql = statement(table.full_table_name, list(columns), key, len(some))
            connection.query(sql, args=tuple(value for row in some for value in row))

    def _delete(self, table: Any, columns: Sequence[str], keys: Iterable[_Row]) -> None:
        one = f"({', '.join(['%s'] * len(columns))})"
        for some in _chunks(keys):
            marks = ", ".join([one] * len(some))
            query = f"DELETE FROM {table.full_table_name} WHERE ({', '.join(columns)}) IN ({marks})"
            table.connection.query(query, args=tuple(value for key in some for value in key))


def _outcome(
    changes: Changes, stored: Mapping[AnimalKey, StoredAnimal]
) -> tuple[dict[AnimalKey, Values], dict[AnimalKey, set[str]]]:
    """Return what each animal that is written is afterwards, and which of its fields change."""
    after: dict[AnimalKey, Values] = {}
    touched: dict[AnimalKey, set[str]] = defaultdict(set)
    for animal in changes.added:
        values: dict[str, str | None] = {**dict.fromkeys(COLUMNS), **animal.values}
        fill_in(values, animal.key)
        after[animal.key] = values
        touched[animal.key] = {
            *MASTER,
            *(field for field, value in animal.values.items() if value is not None),
        }
    differing: dict[AnimalKey, dict[str, str | None]] = defaultdict(dict)
    for change in changes.changed:
        if change.field != GONE:
            differing[change.key][change.field] = change.after
    for key, values in differing.items():
        after[key] = {**stored[key].values, **values}
        touched[key] = set(values)
    return after, touched


def _written(column: str, values: Values) -> str | None:
    value = values[column]
    return "" if value is None and column in NEVER_NULL else value


def _chunks(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    left = iter(rows)
    while chunk := list(islice(left, _ROWS_A_STATEMENT)):
        yield chunk
