"""From the rows of a source to animals and genotypes in the staging file."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from imaging_pipeline import progress
from imaging_pipeline.colony.animal import Animal, AnimalKey, fill_defaults
from imaging_pipeline.colony.sources.columns import InvalidTextError, Translation, parser
from imaging_pipeline.colony.sources.contract import Source
from imaging_pipeline.colony.sources.record import Cell, Record, RowProblem, decoded, is_utf8, shown
from imaging_pipeline.colony.staging import Genotype, Staging
from imaging_pipeline.whole_numbers import without_point

_ROWS_PER_BATCH = 1000
# Different texts of one column that are kept with what they mean.
_CACHE_SIZE = 2000
# A mapping that is wrong makes every row a problem: the first thousand are enough to see why.
_MAX_RECORDED = 1000

_Error = tuple[str, str, str]
"""What is wrong with a row, the text in it, and what is accepted."""


@dataclass
class Problems:
    """Why rows are skipped.

    Attributes
    ----------
    recorded
        The first of them, at most a thousand.
    num_rows
        How many rows are skipped.
    has_unnamed
        Whether one of the rows has no identifier, so that it may be any animal's.
    """

    recorded: list[RowProblem] = field(default_factory=list)
    num_rows: int = 0
    has_unnamed: bool = False
    _last_row: str = ""

    def add(self, problems: Iterable[RowProblem], *, of_animals: bool = True) -> None:
        """Add problems; those of one row follow each other."""
        for problem in problems:
            # A row may have several problems, and is counted once.
            self.num_rows += problem.row != self._last_row
            self._last_row = problem.row
            self.has_unnamed |= of_animals and not problem.animal_id
            if len(self.recorded) < _MAX_RECORDED:
                self.recorded.append(problem)


class _CellReaders(dict[str, Callable[[Cell], str | None]]):
    """Column → function from a cell to the text that the tables store, None for an empty cell."""

    def __init__(self, translation: Translation) -> None:
        self._translation = translation

    def __missing__(self, column: str) -> Callable[[Cell], str | None]:
        meanings = self._translation.of(column)
        parse = parser(column, self._translation.date_format)

        # Most columns have few different texts, each of them many times.
        @lru_cache(_CACHE_SIZE)
        def read(cell: Cell) -> str | None:
            if cell is None:
                return None
            text = decoded(cell).strip()
            if not text.isascii():
                if not is_utf8(text):
                    raise InvalidTextError("text in UTF-8")
                # Else one name typed on two systems would be two names.
                text = unicodedata.normalize("NFC", text)
            meaning = meanings.get(text, meanings.get(without_point(text), text))
            return parse(meaning) if meaning else None

        self[column] = read
        return read


class AnimalReader:
    """Converts records to animals.

    Parameters
    ----------
    translation
        What the source's texts mean.
    datasource_id
        Number of the colony system; None where the records may have a column of it, else it is 0.
    has_all_genes
        Whether genotypes are rows of their own, and all of them.
    """

    def __init__(
        self, translation: Translation, datasource_id: int | None = None, *, has_all_genes: bool = False
    ) -> None:
        self._readers = _CellReaders(translation)
        self._datasource_id = datasource_id
        self._has_all_genes = has_all_genes

    def read(self, record: Record) -> Animal | list[RowProblem]:
        """Return the animal, or everything that is wrong with the record."""
        errors: list[_Error] = []
        try:
            values = {column: self._readers[column](cell) for column, cell in record.cells.items()}
        # Nearly all rows are valid, so that only the others are read cell by cell.
        except InvalidTextError:
            values, errors = self._cell_by_cell(record)
        animal_id = values.pop("animal_id", None)
        datasource_id = values.pop("datasource_id", None)
        if not animal_id and not any(what.startswith("animal_id ") for what, _, _ in errors):
            errors.append(("The row has no animal_id", _other_values(values), "the colony's identifier"))
        if values.get("death_date") or values.get("death_cause"):
            errors += _contradictions(values, record.cells)
        if errors or not animal_id:
            return [RowProblem(record.row, animal_id or "", *error) for error in errors]
        key = AnimalKey(
            animal_id, int(datasource_id or 0) if self._datasource_id is None else self._datasource_id
        )
        if "death_date" not in values:
            # A cause says nothing where the source has no dates of death.
            values.pop("death_cause", None)
        fill_defaults(values, key)
        return Animal(key, values, self._has_all_genes)

    def _cell_by_cell(self, record: Record) -> tuple[dict[str, str | None], list[_Error]]:
        """Return the values of the valid cells, and what is wrong with the others."""
        values: dict[str, str | None] = {}
        errors = []
        for column, cell in record.cells.items():
            try:
                values[column] = self._readers[column](cell)
            except InvalidTextError as error:
                errors.append((f"{column} cannot be taken", shown(decoded(cell)), str(error)))
        return values, errors


class GenotypeReader:
    """Converts records of one genotype each.

    Parameters
    ----------
    translation
        What the source's texts mean.
    """

    def __init__(self, translation: Translation) -> None:
        self._readers = _CellReaders(translation)

    def read(self, record: Record) -> Genotype | RowProblem | None:
        """Return the genotype, what is wrong with the record, or None where its genotype is empty."""
        texts: list[str] = []
        for column in Genotype._fields:
            cell = record.cells[column]
            animal_id = texts[0] if texts else ""
            try:
                text = self._readers[column](cell)
            except InvalidTextError as error:
                what = f"{column} cannot be taken"
                return RowProblem(record.row, animal_id, what, shown(decoded(cell)), str(error))
            if text is None:
                # An empty genotype is one that is not known yet.
                if column == "genotype":
                    return None
                return RowProblem(record.row, animal_id, f"The row has no {column}", "nothing", "a text")
            texts.append(text)
        return Genotype(*texts)


def read(source: Source, staging: Staging, renew: Callable[[], None]) -> Problems:
    """Read all of a source into the staging file.

    Parameters
    ----------
    source
        The source.
    staging
        The file.
    renew
        Called after each batch of rows.

    Returns
    -------
    Problems
        Why rows were skipped.

    Raises
    ------
    ColonyError, NothingFoundError, StillCopyingError, FormatError, InputError
        The source does not answer, breaks off, or is not as its settings say; the staging file is then
        incomplete.
    """
    problems = Problems()
    datasource_id = source.datasource_id
    with source.snapshot() as snapshot:
        has_all_genes = snapshot.genotypes is not None
        animals = AnimalReader(source.translation, datasource_id, has_all_genes=has_all_genes)
        for records in _batches(snapshot.animals, "read animals", renew):
            _stage_animals(records, animals, staging, problems, datasource_id or 0)
        genotypes = GenotypeReader(source.translation)
        for records in _batches(snapshot.genotypes or iter(()), "read genotypes", renew):
            _stage_genotypes(records, genotypes, staging, problems)
    # At the end: that a row is a duplicate shows only when all are there.
    problems.add(staging.drop_duplicates())
    return problems


def _batches(
    records: Iterator[Record | RowProblem], step: str, renew: Callable[[], None]
) -> Iterator[list[Record | RowProblem]]:
    done = 0
    while batch := list(islice(records, _ROWS_PER_BATCH)):
        yield batch
        done += len(batch)
        progress.report(step, done)
        renew()


def _stage_animals(
    records: Iterable[Record | RowProblem],
    reader: AnimalReader,
    staging: Staging,
    problems: Problems,
    datasource_id: int,
) -> None:
    animals: list[tuple[str, Animal]] = []
    skipped: list[RowProblem] = []
    for record in records:
        result = [record] if isinstance(record, RowProblem) else reader.read(record)
        if isinstance(result, Animal):
            animals.append((record.row, result))
        else:
            skipped += result
    staging.add_animals(animals)
    staging.add_skipped(skipped, datasource_id)
    problems.add(skipped)


def _stage_genotypes(
    records: Iterable[Record | RowProblem], reader: GenotypeReader, staging: Staging, problems: Problems
) -> None:
    genotypes: list[tuple[str, Genotype]] = []
    skipped: list[RowProblem] = []
    for record in records:
        result = record if isinstance(record, RowProblem) else reader.read(record)
        if isinstance(result, Genotype):
            genotypes.append((record.row, result))
        elif result is not None:
            skipped.append(result)
    staging.add_genotypes(genotypes)
    staging.mark_incomplete(skipped)
    problems.add(skipped, of_animals=False)


def _other_values(values: Mapping[str, str | None]) -> str:
    """Return the other values of a row without identifier: in a database no number finds it again."""
    known = ", ".join(f"{column} {value}" for column, value in values.items() if value is not None)
    return shown(f"nothing beside {known}" if known else "nothing")


def _contradictions(values: Mapping[str, str | None], cells: Mapping[str, Cell]) -> Iterator[_Error]:
    cause, born, died = values.get("death_cause"), values.get("animal_dob"), values.get("death_date")
    # A date that is not valid is a problem of its own.
    if cause and not died and ("death_date" in values or "death_date" not in cells):
        yield "A cause of death needs a date of death", cause, "both, or neither"
    # Days are texts as year-month-day, whose alphabetical order is that of time.
    if born and died and died < born:
        yield "The animal died before it was born", died, f"{born} or later"
