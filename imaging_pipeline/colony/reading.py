"""Reading a source to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from imaging_pipeline import progress
from imaging_pipeline.colony.animal import Animal
from imaging_pipeline.colony.sources.contract import Source
from imaging_pipeline.colony.sources.record import AnimalReader, Genotype, GenotypeReader, Record, RowProblem
from imaging_pipeline.colony.staging import Spool

_ROWS_AT_ONCE = 1000
MAX_PROBLEMS = 1000


@dataclass
class Problems:
    """Why rows are skipped.

    Attributes
    ----------
    told
        The first of them; more are not kept.
    num_rows
        How many rows are skipped.
    has_unnamed
        Whether one of them could be any animal's.
    """

    told: list[RowProblem] = field(default_factory=list)
    num_rows: int = 0
    has_unnamed: bool = False
    _last_row: str = ""

    def add(self, problems: Iterable[RowProblem], *, of_animals: bool = True) -> None:
        """Take note of problems; those of one row follow each other."""
        for problem in problems:
            self.num_rows += problem.row != self._last_row
            self._last_row = problem.row
            self.has_unnamed |= of_animals and not problem.animal_id
            if len(self.told) < MAX_PROBLEMS:
                self.told.append(problem)


def read(source: Source, spool: Spool, alive: Callable[[], None]) -> Problems:
    """Read all of a source into the spool.

    Parameters
    ----------
    source
        What is read.
    spool
        Where it goes.
    alive
        Called now and then.

    Returns
    -------
    Problems
        Why rows were skipped.

    Raises
    ------
    ColonyError, NothingFoundError, StillCopyingError, FormatError, InputError
        The source is away, breaks off, or is not as it should be; the spool is then of no use.
    """
    problems = Problems()
    datasource = source.datasource_id
    with source.reading() as reading:
        animals = AnimalReader(source.translation, datasource, has_all_genes=reading.genotypes is not None)
        for records in _chunks(reading.animals, "read animals", alive):
            _take_animals(records, animals, spool, problems, datasource or 0)
        genotypes = GenotypeReader(source.translation)
        for records in _chunks(reading.genotypes or iter(()), "read genotypes", alive):
            _take_genotypes(records, genotypes, spool, problems)
    problems.add(spool.drop_repeated())
    return problems


def _chunks(
    records: Iterator[Record | RowProblem], step: str, alive: Callable[[], None]
) -> Iterator[list[Record | RowProblem]]:
    done = 0
    while chunk := list(islice(records, _ROWS_AT_ONCE)):
        yield chunk
        done += len(chunk)
        progress.report(step, done)
        alive()


def _take_animals(
    records: Iterable[Record | RowProblem],
    reader: AnimalReader,
    spool: Spool,
    problems: Problems,
    datasource_id: int,
) -> None:
    taken: list[tuple[str, Animal]] = []
    wrong: list[RowProblem] = []
    for record in records:
        found = [record] if isinstance(record, RowProblem) else reader.read(record)
        if isinstance(found, Animal):
            taken.append((record.row, found))
        else:
            wrong += found
    spool.add_animals(taken)
    spool.skip(wrong, datasource_id)
    problems.add(wrong)


def _take_genotypes(
    records: Iterable[Record | RowProblem], reader: GenotypeReader, spool: Spool, problems: Problems
) -> None:
    taken: list[tuple[str, Genotype]] = []
    wrong: list[RowProblem] = []
    for record in records:
        found = record if isinstance(record, RowProblem) else reader.read(record)
        if isinstance(found, Genotype):
            taken.append((record.row, found))
        elif found is not None:
            wrong.append(found)
    spool.add_genotypes(taken)
    spool.keep_genes_of(wrong)
    problems.add(wrong, of_animals=False)
