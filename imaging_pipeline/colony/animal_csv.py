"""Animals from a CSV file, as Excel or a colony system writes it.

Commas, semicolons or tabs between cells, any line ends, UTF-8 with or without a byte-order mark. An
empty cell says nothing. A row that cannot be taken is told and skipped, and the rest goes on.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from imaging_pipeline.colony.animal import COLUMNS, GENOTYPE, Animal, AnimalKey
from imaging_pipeline.errors import (
    FormatError,
    InputError,
    Move,
    NothingFoundError,
    PipelineError,
    near,
    with_alike,
)

SEXES = ("male", "female", "unknown")
MAX_GENE_LENGTH = 128
# What the tables have room for.
MAX_LENGTHS: Mapping[str, int] = {
    "animal_id": 36,
    "animal_name": 128,
    "animal_species": 64,
    "animal_notes": 4096,
    "color": 64,
    "strain": 128,
    "background_strain": 128,
    "generation": 64,
    "litter": 64,
    "purpose": 255,
    "death_cause": 255,
    "genotype": 64,
}
_DELIMITERS = ",;\t"
_MAX_DATASOURCE_ID = 2**31 - 1


@dataclass(frozen=True)
class RowProblem:
    """Why a row was skipped.

    Attributes
    ----------
    row
        Number of the row as a spreadsheet counts: the header is row 1.
    what
        What is wrong.
    found, allowed
        What stands there, and what would have been accepted.
    """

    row: int
    what: str
    found: str
    allowed: str


@dataclass(frozen=True)
class AnimalFile:
    """What a file says.

    Attributes
    ----------
    animals
        One for each row that can be taken.
    problems
        Why the others cannot; a row may have several.
    """

    animals: tuple[Animal, ...]
    problems: tuple[RowProblem, ...]

    @property
    def num_skipped(self) -> int:
        """How many rows cannot be taken."""
        return len({problem.row for problem in self.problems})


class _NotAllowedError(ValueError):
    """A cell cannot be taken; the text says what would be."""


def read_animals(path: Path) -> AnimalFile:
    """Read animals from a CSV file.

    The first row names the columns: those of `Animal`, and ``genotype:<gene>`` for any gene.

    Raises
    ------
    NothingFoundError
        The file is not there, or has no animals.
    FormatError
        The file is no CSV.
    InputError
        A column is not known, given twice, or ``animal_id`` is missing.
    """
    try:
        return _read(path)
    except PipelineError as error:
        raise error.of(path, Move.ADMINISTRATOR) from error


def _read(path: Path) -> AnimalFile:
    numbered = _read_rows(path)
    _, header = next(numbered, (0, []))
    columns = _checked_columns(header, path)
    animals: dict[int, Animal] = {}
    problems: list[RowProblem] = []
    for number, cells in numbered:
        found = _read_row(number, columns, cells)
        if isinstance(found, Animal):
            animals[number] = found
        else:
            problems += found
    problems += _repeated(animals)
    skipped = {problem.row for problem in problems}
    if not animals and not problems:
        raise NothingFoundError("The file holds no animals", path=path, remedy="add a row for each animal.")
    taken = tuple(animal for number, animal in animals.items() if number not in skipped)
    return AnimalFile(taken, tuple(sorted(problems, key=lambda problem: problem.row)))


def _read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Give the cells of each row that is not empty; bytes that are not UTF-8 stay as lone surrogates."""
    number = 0
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            delimiter = max(_DELIMITERS, key=file.readline().count)
            file.seek(0)
            for number, cells in enumerate(csv.reader(file, delimiter=delimiter, strict=True), start=1):
                stripped = [unicodedata.normalize("NFC", cell.strip()) for cell in cells]
                if any(stripped):
                    yield number, stripped
    except FileNotFoundError:
        raise NothingFoundError("The file is not there", path=path, remedy="check the spelling.") from None
    except OSError as error:
        raise NothingFoundError(
            "The file cannot be read",
            path=path,
            found=error.strerror,
            remedy="Give a file that this account may read.",
        ) from error
    except csv.Error as error:
        raise FormatError(
            f"The file is no CSV from row {number + 1} on",
            path=path,
            found=error,
            allowed="quotes in pairs",
            remedy="correct this row, or save the file as CSV again.",
        ) from error


def _checked_columns(header: Sequence[str], path: Path) -> tuple[str, ...]:
    if any(not _is_utf8(name) or "\0" in name for name in header):
        raise FormatError(
            "The file is not UTF-8",
            path=path,
            found=_shown(";".join(header)[:80]),
            remedy="save it as 'CSV UTF-8'.",
        )
    unknown = [name for name in header if not _is_column(name)]
    if unknown:
        raise InputError(
            f"The file has columns that are not known: {', '.join(map(repr, unknown))}",
            path=path,
            found=", ".join(with_alike(name, near(name, COLUMNS)) for name in unknown),
            allowed=f"{', '.join(COLUMNS)}, {GENOTYPE}<gene>",
            remedy="correct or remove these columns.",
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError("The file has a column twice", found=", ".join(twice), remedy="leave one of them.")
    if "animal_id" not in header:
        raise InputError(
            "The file has no column animal_id",
            found=", ".join(header) or "an empty file",
            remedy="name the columns in the first row.",
        )
    return tuple(header)


def _is_column(name: str) -> bool:
    return name in COLUMNS or (name.startswith(GENOTYPE) and 0 < len(_gene(name)) <= MAX_GENE_LENGTH)


def _gene(column: str) -> str:
    return column.removeprefix(GENOTYPE).strip()


def _read_row(number: int, columns: Sequence[str], cells: Sequence[str]) -> Animal | list[RowProblem]:
    if not all(map(_is_utf8, cells)):
        bad = next(cell for cell in cells if not _is_utf8(cell))
        return [RowProblem(number, "The row is not UTF-8", _shown(bad), "a file saved as 'CSV UTF-8'")]
    if any(cells[len(columns) :]):
        allowed = f"{len(columns)} cells, as in the header; quotes around text with a delimiter in it"
        return [RowProblem(number, "The row is longer than the header", f"{len(cells)} cells", allowed)]
    # Excel leaves out the last delimiters of rows that end in empty cells.
    given = {column: cell for column, cell in zip(columns, cells, strict=False) if cell}
    values: dict[str, Any] = {}
    problems = []
    for column, cell in given.items():
        try:
            values[column] = _parser(column)(cell)
        except _NotAllowedError as error:
            problems.append(RowProblem(number, f"{column} cannot be taken", cell, str(error)))
    problems += _contradictions(number, given, values)
    return problems or _animal(values)


def _contradictions(number: int, given: Mapping[str, str], values: Mapping[str, Any]) -> Iterator[RowProblem]:
    if "animal_id" not in given:
        yield RowProblem(number, "The row has no animal_id", "an empty cell", "the colony's identifier")
    if "death_cause" in given and "death_date" not in given:
        yield RowProblem(
            number, "A cause of death needs a date of death", given["death_cause"], "both, or neither"
        )
    born, died = values.get("animal_dob"), values.get("death_date")
    if born and died and died < born:
        yield RowProblem(number, "The animal died before it was born", str(died), f"{born} or later")


def _animal(values: Mapping[str, Any]) -> Animal:
    genotypes = {_gene(name): value for name, value in values.items() if name.startswith(GENOTYPE)}
    rest = {name: value for name, value in values.items() if not name.startswith(GENOTYPE)}
    return Animal(**rest, genotypes=genotypes)


def _repeated(animals: Mapping[int, Animal]) -> Iterator[RowProblem]:
    """Tell of rows with one identifier: which of them is right, nobody knows."""
    rows: dict[AnimalKey, list[int]] = defaultdict(list)
    for number, animal in animals.items():
        rows[animal.key].append(number)
    for key, numbers in rows.items():
        if len(numbers) > 1:
            found = f"{key.animal_id} in rows {', '.join(map(str, numbers))}"
            for number in numbers:
                yield RowProblem(number, "Several rows have one animal_id", found, "one row for each animal")


def _parser(column: str) -> Callable[[str], object]:
    if column == "datasource_id":
        return _whole_number
    if column == "animal_sex":
        return _sex
    if column in ("animal_dob", "death_date"):
        return _date
    max_length = MAX_LENGTHS["genotype" if column.startswith(GENOTYPE) else column]
    return lambda cell: _text(cell, max_length)


def _text(cell: str, max_length: int) -> str:
    if len(cell) > max_length:
        raise _NotAllowedError(f"at most {max_length} characters, these are {len(cell)}")
    if "\0" in cell:
        raise _NotAllowedError("text without zero bytes")
    return cell


def _whole_number(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", cell) or int(cell) > _MAX_DATASOURCE_ID:
        raise _NotAllowedError(f"a whole number from 0 to {_MAX_DATASOURCE_ID}")
    return int(cell)


def _sex(cell: str) -> str:
    if cell.lower() not in SEXES:
        raise _NotAllowedError(", ".join(SEXES))
    return cell.lower()


def _date(cell: str) -> date:
    # `fromisoformat` would also take weeks and dates without dashes.
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
        try:
            return date.fromisoformat(cell)
        except ValueError:
            raise _NotAllowedError("a day that there is") from None
    raise _NotAllowedError("year-month-day, such as 2026-03-14")


def _is_utf8(text: str) -> bool:
    return not any("\udc80" <= character <= "\udcff" for character in text)


def _shown(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
