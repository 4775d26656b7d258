"""A file that holds what was read of a source until all of it is there.

So half a source changes nothing, and memory does not grow with the colony. The stored animals go into the
file too, each as two texts of JSON that the server made: only animals with other texts are parsed.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from imaging_pipeline.colony.animal import Animal, AnimalKey, Values
from imaging_pipeline.colony.sources.columns import COLUMNS, GENOTYPE
from imaging_pipeline.colony.sources.record import RowProblem
from imaging_pipeline.errors import StoreError

_CACHE_SIZE = 2000
# As both servers write it.
_as_json = json.JSONEncoder(ensure_ascii=False).encode

# The file is of no use after a crash, so that nothing needs to be safe on the disk.
_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE animal (
    animal_id TEXT, datasource_id INTEGER, source_row TEXT,
    field_set INTEGER, columns TEXT, genes TEXT, has_all_genes INTEGER
);
CREATE TABLE genotype (animal_id TEXT, gene TEXT, genotype TEXT, source_row TEXT);
CREATE TABLE incomplete (animal_id TEXT PRIMARY KEY);
CREATE TABLE skipped (animal_id TEXT, datasource_id INTEGER);
CREATE TABLE stored (
    animal_id TEXT, datasource_id INTEGER, is_gone INTEGER, columns TEXT, genes TEXT,
    PRIMARY KEY (animal_id, datasource_id)
) WITHOUT ROWID;
"""
# Made when all rows are there, which is faster than to keep them up to date.
_INDICES = """
CREATE INDEX animal_key ON animal (animal_id, datasource_id);
CREATE INDEX genotype_animal ON genotype (animal_id);
CREATE INDEX skipped_animal ON skipped (animal_id);
"""
_DUPLICATES = """
SELECT animal.animal_id, animal.datasource_id, source_row, all_rows FROM animal JOIN (
    SELECT animal_id, datasource_id, group_concat(source_row, ', ') AS all_rows
    FROM (SELECT * FROM animal ORDER BY rowid) GROUP BY animal_id, datasource_id HAVING count(*) > 1
) AS duplicate USING (animal_id, datasource_id) ORDER BY animal.rowid
"""
_CONTRADICTIONS = """
SELECT animal_id, gene, group_concat(DISTINCT genotype), group_concat(source_row, ', ')
FROM genotype GROUP BY animal_id, gene HAVING count(DISTINCT genotype) > 1
"""
_WITH_STORED = """
SELECT animal_id, datasource_id, field_set, animal.columns, animal.genes,
    (SELECT json_group_object(gene, genotype) FROM genotype WHERE genotype.animal_id = animal.animal_id),
    has_all_genes AND animal_id NOT IN (SELECT animal_id FROM incomplete),
    is_gone, stored.columns, stored.genes
FROM animal LEFT JOIN stored USING (animal_id, datasource_id) ORDER BY animal_id, datasource_id
"""
_MISSING = """
SELECT animal_id FROM stored WHERE NOT is_gone
AND animal_id NOT IN (SELECT animal_id FROM animal) AND animal_id NOT IN (SELECT animal_id FROM skipped)
ORDER BY animal_id
"""


class Genotype(NamedTuple):
    """One gene of one animal in a source."""

    animal_id: str
    gene: str
    genotype: str


class StoredRow(NamedTuple):
    """An animal as the tables store it, in five values: database drivers are slow with each value.

    Attributes
    ----------
    animal_id, datasource_id
        What identifies it.
    is_gone
        Whether it was missing in the source.
    columns
        A JSON array of the values of ``COLUMNS``.
    genes
        A JSON object: gene → genotype.
    """

    animal_id: str
    datasource_id: int
    is_gone: bool
    columns: str
    genes: str


class Staging:
    """A temporary file for the enclosed code.

    Raises
    ------
    StoreError
        The disk for temporary files is full.
    """

    def __enter__(self) -> Staging:
        self._folder = tempfile.TemporaryDirectory(prefix="imaging-pipeline-animals-")
        # No implicit transactions: each batch of rows begins and ends its own.
        self._file = sqlite3.connect(Path(self._folder.name) / "animals", isolation_level=None)
        self._file.executescript(_TABLES)
        self._is_any_incomplete = False
        self._field_sets: dict[tuple[str, ...], _FieldSet] = {}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._folder.cleanup()
        if isinstance(error, sqlite3.OperationalError):
            raise StoreError(
                "What was read of the animals has no room on this machine",
                path=self._folder.name,
                found=error,
                remedy="make room on this disk, or name another folder for temporary files by TMPDIR.",
            ) from error

    def add_animals(self, animals: Iterable[tuple[str, Animal]]) -> None:
        """Add animals, each with the number of its row."""
        self._insert("animal", 7, (self._row(row, animal) for row, animal in animals))

    def add_genotypes(self, genotypes: Iterable[tuple[str, Genotype]]) -> None:
        """Add genotypes, each with the number of its row."""
        self._insert("genotype", 4, ((*genotype, row) for row, genotype in genotypes))

    def add_skipped(self, problems: Iterable[RowProblem], datasource_id: int) -> None:
        """Add animals whose rows are skipped: they are in the source all the same."""
        rows = ((problem.animal_id, datasource_id) for problem in problems if problem.animal_id)
        self._insert("skipped", 2, rows)

    def mark_incomplete(self, problems: Iterable[RowProblem]) -> None:
        """Mark animals whose genotypes are not all known, since a row of them is skipped."""
        animal_ids = [problem.animal_id for problem in problems]
        self._is_any_incomplete |= not all(animal_ids)
        rows = ((animal_id,) for animal_id in animal_ids if animal_id)
        self._file.executemany("INSERT OR IGNORE INTO incomplete VALUES (?)", rows)

    def drop_duplicates(self) -> Iterator[RowProblem]:
        """Drop animals that are in several rows, and genotypes whose rows contradict each other.

        Nobody knows which of the rows is right.
        """
        self._file.executescript(_INDICES)
        # All at once, because the rows that are iterated over are deleted meanwhile.
        for animal_id, datasource_id, row, rows in self._file.execute(_DUPLICATES).fetchall():
            what, found = "Several rows have one animal_id", f"{animal_id} in rows {rows}"
            problem = RowProblem(row, animal_id, what, found, "one row for each animal")
            self.add_skipped([problem], datasource_id)
            self._file.execute(
                "DELETE FROM animal WHERE animal_id = ? AND datasource_id = ?", (animal_id, datasource_id)
            )
            yield problem
        for animal_id, gene, genotypes, rows in self._file.execute(_CONTRADICTIONS).fetchall():
            what = f"Rows contradict each other on {gene}"
            problem = RowProblem(rows, animal_id, what, genotypes, "one genotype for each gene")
            self.mark_incomplete([problem])
            self._file.execute("DELETE FROM genotype WHERE animal_id = ? AND gene = ?", (animal_id, gene))
            yield problem

    def num_animals(self) -> int:
        """Return how many animals the source has, including those of skipped rows."""
        keys = (
            "SELECT animal_id, datasource_id FROM animal UNION SELECT animal_id, datasource_id FROM skipped"
        )
        return int(self._file.execute(f"SELECT count(*) FROM ({keys})").fetchone()[0])

    def add_stored(self, rows: Iterable[StoredRow]) -> None:
        """Add animals as the tables store them."""
        self._insert("stored", 5, rows)

    def num_present(self) -> int:
        """Return how many of the stored animals are not gone."""
        return int(self._file.execute("SELECT count(*) FROM stored WHERE NOT is_gone").fetchone()[0])

    def differing(self, batch_size: int) -> Iterator[list[Animal]]:
        """Yield the animals that are not stored with the same values, in order of their identifiers."""
        animals = self._differing()
        while batch := list(islice(animals, batch_size)):
            yield batch

    def missing(self, batch_size: int) -> Iterator[list[str]]:
        """Yield the identifiers of stored animals that are not in the source and not gone yet."""
        rows = self._file.execute(_MISSING)
        while batch := rows.fetchmany(batch_size):
            yield [animal_id for (animal_id,) in batch]

    def _row(self, row: str, animal: Animal) -> tuple[object, ...]:
        values = animal.values
        names = tuple(values)
        fields = self._field_sets.get(names)
        if fields is None:
            fields = self._field_sets[names] = _FieldSet(len(self._field_sets), names)
        texts = (fields.columns_json(values), fields.genes_json(values))
        return (*animal.key, row, fields.number, *texts, animal.has_all_genes)

    def _differing(self) -> Iterator[Animal]:
        field_sets = list(self._field_sets.values())
        for row in self._file.execute(_WITH_STORED):
            animal_id, datasource_id, number, columns, own_genes, genes, is_complete, *stored = row
            # A genotype without an identifier may be any animal's, so that none can be called complete.
            has_all_genes = bool(is_complete) and not self._is_any_incomplete
            fields = field_sets[number]
            is_gone, stored_columns, stored_genes = stored
            # It is None where the animal is not stored.
            if (
                is_gone == 0
                and fields.are_same_columns(columns, stored_columns)
                and _are_same_genes(stored_genes, has_all_genes, own_genes, genes)
            ):
                continue
            values = fields.values(columns, own_genes, genes)
            yield Animal(AnimalKey(animal_id, datasource_id), values, has_all_genes)

    def _insert(self, table: str, num_columns: int, rows: Iterable[tuple[object, ...]]) -> None:
        self._file.execute("BEGIN")
        self._file.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * num_columns)})", rows)
        self._file.execute("COMMIT")


class _FieldSet:
    """The fields that a source has of an animal, of which most animals have the same ones."""

    def __init__(self, number: int, names: Sequence[str]) -> None:
        self.number = number
        self._columns = tuple(name for name in COLUMNS if name in names)
        self._indices = tuple(COLUMNS.index(name) for name in self._columns)
        self._genes = tuple(name for name in names if name.startswith(GENOTYPE))

    def columns_json(self, values: Values) -> str:
        """Return the values of the columns as a list."""
        return _as_json([values[name] for name in self._columns])

    def genes_json(self, values: Values) -> str:
        """Return the genotypes as an object."""
        if not self._genes:
            return "{}"
        return _as_json({name.removeprefix(GENOTYPE): values[name] for name in self._genes})

    def values(self, columns: str, *genes: str) -> dict[str, str | None]:
        """Return the values from the texts of the columns and of the genes; later genes count."""
        values = dict(zip(self._columns, json.loads(columns), strict=True))
        values.update((f"{GENOTYPE}{gene}", text) for gene, text in _merged(genes).items())
        return values

    def are_same_columns(self, columns: str, stored: str) -> bool:
        """Return True if the columns have the stored values, which are a list of all columns."""
        # Most animals have not changed, and equal texts need no parsing.
        if columns == stored:
            return True
        values: list[str | None] = json.loads(columns)
        stored_values: list[str | None] = json.loads(stored)
        return values == [stored_values[index] or None for index in self._indices]


# A colony has few different genotypes, each of them many times.
@lru_cache(_CACHE_SIZE)
def _are_same_genes(stored: str, has_all_genes: bool, *genes: str) -> bool:
    """Return True if the genes are the stored ones: all of them, or else those that the source has."""
    stored_genes: dict[str, str] = json.loads(stored)
    merged = _merged(genes)
    if has_all_genes:
        return {gene: text for gene, text in merged.items() if text is not None} == stored_genes
    return all(stored_genes.get(gene) == text for gene, text in merged.items())


def _merged(genes: Sequence[str]) -> dict[str, str | None]:
    return {gene: text for some in genes for gene, text in json.loads(some).items()}
