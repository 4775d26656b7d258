"""What was read of a source, on the disk until all of it is there: nothing is changed by half a source."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType

from imaging_pipeline.colony.animal import Animal, AnimalKey
from imaging_pipeline.colony.likeness import Fields, are_genes_stored
from imaging_pipeline.colony.sources.record import Genotype, RowProblem
from imaging_pipeline.colony.stored import Account
from imaging_pipeline.errors import StoreError

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE animal (
    animal_id TEXT, datasource_id INTEGER, source_row TEXT,
    fields INTEGER, columns TEXT, genes TEXT, has_all_genes INTEGER
);
CREATE TABLE genotype (animal_id TEXT, gene TEXT, genotype TEXT, source_row TEXT);
CREATE TABLE unclear (animal_id TEXT PRIMARY KEY);
CREATE TABLE skipped (animal_id TEXT, datasource_id INTEGER);
CREATE TABLE stored (
    animal_id TEXT, datasource_id INTEGER, is_gone INTEGER, columns TEXT, genes TEXT,
    PRIMARY KEY (animal_id, datasource_id)
) WITHOUT ROWID;
"""
# The orders in which batches are taken, and in which rows are looked for.
_INDICES = """
CREATE INDEX animal_key ON animal (animal_id, datasource_id);
CREATE INDEX genotype_animal ON genotype (animal_id);
CREATE INDEX skipped_animal ON skipped (animal_id);
"""
_REPEATED = """
SELECT animal.animal_id, animal.datasource_id, source_row, all_rows FROM animal JOIN (
    SELECT animal_id, datasource_id, group_concat(source_row, ', ') AS all_rows
    FROM (SELECT * FROM animal ORDER BY rowid) GROUP BY animal_id, datasource_id HAVING count(*) > 1
) AS repeated USING (animal_id, datasource_id) ORDER BY animal.rowid
"""
_CONTRADICTED = """
SELECT animal_id, gene, group_concat(DISTINCT genotype), group_concat(source_row, ', ')
FROM genotype GROUP BY animal_id, gene HAVING count(DISTINCT genotype) > 1
"""
# What is told of an animal, and beside it what is stored.
_SIDE_BY_SIDE = """
SELECT animal_id, datasource_id, fields, animal.columns, animal.genes,
    (SELECT json_group_object(gene, genotype) FROM genotype WHERE genotype.animal_id = animal.animal_id),
    has_all_genes AND animal_id NOT IN (SELECT animal_id FROM unclear),
    is_gone, stored.columns, stored.genes
FROM animal LEFT JOIN stored USING (animal_id, datasource_id) ORDER BY animal_id, datasource_id
"""
_MISSING = """
SELECT animal_id FROM stored WHERE NOT is_gone
AND animal_id NOT IN (SELECT animal_id FROM animal) AND animal_id NOT IN (SELECT animal_id FROM skipped)
ORDER BY animal_id
"""


class Spool:
    """A file of its own that goes with the block; memory stays the same, however large the source is.

    Raises
    ------
    StoreError
        The disk for temporary files has no room for it.
    """

    def __enter__(self) -> Spool:
        self._folder = tempfile.TemporaryDirectory(prefix="imaging-pipeline-animals-")
        self._file = sqlite3.connect(Path(self._folder.name) / "animals", isolation_level=None)
        self._file.executescript(_TABLES)
        self._any_gene_may_lack = False
        self._fields: dict[tuple[str, ...], Fields] = {}
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
        """Keep animals, each with the number of its row."""
        self._insert("animal", 7, (self._row(row, animal) for row, animal in animals))

    def add_genotypes(self, genotypes: Iterable[tuple[str, Genotype]]) -> None:
        """Keep genotypes, each with the number of its row."""
        self._insert(
            "genotype", 4, ((each.animal_id, each.gene, each.genotype, row) for row, each in genotypes)
        )

    def skip(self, problems: Iterable[RowProblem], datasource_id: int) -> None:
        """Keep who is in the source although the row cannot be taken."""
        self._insert("skipped", 2, ((each.animal_id, datasource_id) for each in problems if each.animal_id))

    def keep_genes_of(self, problems: Iterable[RowProblem]) -> None:
        """Keep whose genotypes are not all known, since a row of them cannot be taken."""
        problems = list(problems)
        self._any_gene_may_lack |= any(not each.animal_id for each in problems)
        rows = ((each.animal_id,) for each in problems if each.animal_id)
        self._file.executemany("INSERT OR IGNORE INTO unclear VALUES (?)", rows)

    def drop_repeated(self) -> Iterator[RowProblem]:
        """Drop animals that several rows tell of, and genotypes that rows contradict each other on.

        Which of them is right, nobody knows.
        """
        self._file.executescript(_INDICES)
        for animal_id, datasource, row, rows in self._file.execute(_REPEATED).fetchall():
            found = f"{animal_id} in rows {rows}"
            what = "Several rows have one animal_id"
            problem = RowProblem(row, animal_id, what, found, "one row for each animal")
            self.skip([problem], datasource)
            self._file.execute(
                "DELETE FROM animal WHERE animal_id = ? AND datasource_id = ?", (animal_id, datasource)
            )
            yield problem
        for animal_id, gene, genotypes, rows in self._file.execute(_CONTRADICTED).fetchall():
            what = f"Rows contradict each other on {gene}"
            problem = RowProblem(rows, animal_id, what, genotypes, "one genotype for each gene")
            self.keep_genes_of([problem])
            self._file.execute("DELETE FROM genotype WHERE animal_id = ? AND gene = ?", (animal_id, gene))
            yield problem

    def num_animals(self) -> int:
        """Return how many animals the source tells of, also those of rows that cannot be taken."""
        both = (
            "SELECT animal_id, datasource_id FROM animal UNION SELECT animal_id, datasource_id FROM skipped"
        )
        return int(self._file.execute(f"SELECT count(*) FROM ({both})").fetchone()[0])

    def keep_stored(self, accounts: Iterable[Account]) -> None:
        """Keep animals as the tables hold them, to hold them against what is told."""
        self._insert("stored", 5, accounts)

    def num_present(self) -> int:
        """Return how many of the stored animals are not gone."""
        return int(self._file.execute("SELECT count(*) FROM stored WHERE NOT is_gone").fetchone()[0])

    def batches(self, num_animals: int) -> Iterator[list[Animal]]:
        """Return the animals that are not stored as they are told, in order of their identifiers."""
        differing = self._differing()
        while batch := list(islice(differing, num_animals)):
            yield batch

    def missing(self, num_ids: int) -> Iterator[list[str]]:
        """Return which of the stored animals the source no longer tells of, in batches."""
        rows = self._file.execute(_MISSING)
        while batch := rows.fetchmany(num_ids):
            yield [animal_id for (animal_id,) in batch]

    def _row(self, row: str, animal: Animal) -> tuple[object, ...]:
        values = animal.values
        names = tuple(values)
        fields = self._fields.get(names)
        if fields is None:
            fields = self._fields[names] = Fields(len(self._fields), names)
        texts = (fields.columns_of(values), fields.genes_of(values))
        return (*animal.key, row, fields.number, *texts, animal.has_all_genes)

    def _differing(self) -> Iterator[Animal]:
        all_fields = list(self._fields.values())
        for row in self._file.execute(_SIDE_BY_SIDE):
            animal_id, datasource_id, number, columns, own_genes, genes, is_clear, *stored = row
            has_all_genes = bool(is_clear) and not self._any_gene_may_lack
            fields = all_fields[number]
            is_gone, stored_columns, stored_genes = stored
            if (
                is_gone == 0
                and fields.are_columns_stored(columns, stored_columns)
                and are_genes_stored(stored_genes, has_all_genes, own_genes, genes)
            ):
                continue
            values = fields.values(columns, own_genes, genes)
            yield Animal(AnimalKey(animal_id, datasource_id), values, has_all_genes)

    def _insert(self, table: str, num_columns: int, rows: Iterable[tuple[object, ...]]) -> None:
        self._file.execute("BEGIN")
        self._file.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * num_columns)})", rows)
        self._file.execute("COMMIT")
