"""A row of a source, and the animal or the genotype that it tells of."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from imaging_pipeline.colony.animal import Animal, AnimalKey, fill_in
from imaging_pipeline.colony.sources.columns import NotTakenError, parser
from imaging_pipeline.colony.sources.translation import Translation

_LONGEST_FOUND = 255
_NUM_REMEMBERED = 2000


Cell = str | bytes | None
"""A text, or the bytes of one in UTF-8; what could not be decoded in a text is lone surrogates."""


class Record(NamedTuple):
    """A row as the source has it; there are hundreds of thousands of them.

    Attributes
    ----------
    row
        Its number, as the source counts.
    cells
        Column → what stands there, None where nothing does.
    """

    row: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class RowProblem:
    """Why a row is skipped.

    Attributes
    ----------
    row
        Its number, as the source counts.
    animal_id
        Whose row it is; empty where that cannot be told.
    what
        What is wrong.
    found, allowed
        What stands there, and what would have been accepted.
    """

    row: str
    animal_id: str
    what: str
    found: str
    allowed: str


class Genotype(NamedTuple):
    """What one animal carries of one gene; there are hundreds of thousands of them."""

    animal_id: str
    gene: str
    genotype: str


class _Readers(dict[str, Callable[[Cell], str | None]]):
    """Column → what gives of its cells what the tables would hold, None where nothing is said."""

    def __init__(self, translation: Translation) -> None:
        self._translation = translation

    def __missing__(self, column: str) -> Callable[[Cell], str | None]:
        meanings = self._translation.of(column)
        parse = parser(column, self._translation.date_format)

        # Most columns have few texts, many times.
        @lru_cache(_NUM_REMEMBERED)
        def read(cell: Cell) -> str | None:
            if cell is None:
                return None
            text = _decoded(cell).strip()
            if not text.isascii():
                if not is_utf8(text):
                    raise NotTakenError("text in UTF-8")
                text = unicodedata.normalize("NFC", text)
            meant = meanings.get(text, text)
            return parse(meant) if meant else None

        self[column] = read
        return read


class AnimalReader:
    """Makes animals of records.

    Parameters
    ----------
    translation
        What the source's texts mean.
    datasource
        Number of the colony system; None where a column of the records may say it, which else is 0.
    has_all_genes
        Whether genotypes come by themselves, and all of them.
    """

    def __init__(
        self, translation: Translation, datasource: int | None = None, *, has_all_genes: bool = False
    ) -> None:
        self._readers = _Readers(translation)
        self._datasource = datasource
        self._has_all_genes = has_all_genes

    def read(self, record: Record) -> Animal | list[RowProblem]:
        """Return the animal, or everything that is wrong with the record."""
        wrong: list[tuple[str, str, str]] = []
        try:
            values = {column: self._readers[column](cell) for column, cell in record.cells.items()}
        except NotTakenError:
            values, wrong = self._one_by_one(record)
        animal_id = values.pop("animal_id", None)
        datasource = values.pop("datasource_id", None)
        if not animal_id and not any(what.startswith("animal_id ") for what, _, _ in wrong):
            wrong.append(("The row has no animal_id", _nothing_beside(values), "the colony's identifier"))
        if values.get("death_date") or values.get("death_cause"):
            wrong += _contradictions(values, record.cells)
        if wrong or not animal_id:
            return [RowProblem(record.row, animal_id or "", *each) for each in wrong]
        key = AnimalKey(animal_id, int(datasource or 0) if self._datasource is None else self._datasource)
        if "death_date" not in values:
            # A cause says nothing where the source knows no dates of death.
            values.pop("death_cause", None)
        fill_in(values, key)
        return Animal(key, values, self._has_all_genes)

    def _one_by_one(self, record: Record) -> tuple[dict[str, str | None], list[tuple[str, str, str]]]:
        """Return the values that can be taken, and what is wrong with the others."""
        values: dict[str, str | None] = {}
        wrong = []
        for column, cell in record.cells.items():
            try:
                values[column] = self._readers[column](cell)
            except NotTakenError as error:
                wrong.append((f"{column} cannot be taken", shown(_decoded(cell)), str(error)))
        return values, wrong


def _nothing_beside(values: Mapping[str, str | None]) -> str:
    """Say that something is not there, with what is: a database's rows are found by no number."""
    told = ", ".join(f"{column} {value}" for column, value in values.items() if value is not None)
    return shown(f"nothing beside {told}" if told else "nothing")


def _contradictions(
    values: Mapping[str, str | None], cells: Mapping[str, Cell]
) -> Iterator[tuple[str, str, str]]:
    cause, born, died = values.get("death_cause"), values.get("animal_dob"), values.get("death_date")
    # A date that cannot be taken is told by itself.
    if cause and not died and ("death_date" in values or "death_date" not in cells):
        yield "A cause of death needs a date of death", cause, "both, or neither"
    if born and died and died < born:
        yield "The animal died before it was born", died, f"{born} or later"


class GenotypeReader:
    """Makes genotypes of records that tell one each.

    Parameters
    ----------
    translation
        What the source's texts mean.
    """

    def __init__(self, translation: Translation) -> None:
        self._readers = _Readers(translation)

    def read(self, record: Record) -> Genotype | RowProblem | None:
        """Return the genotype, why the record cannot be taken, or None where it tells nothing."""
        found: list[str] = []
        for column in Genotype._fields:
            cell = record.cells[column]
            try:
                text = self._readers[column](cell)
            except NotTakenError as error:
                what = f"{column} cannot be taken"
                return RowProblem(record.row, _first(found), what, shown(_decoded(cell)), str(error))
            if text is None:
                what = f"The row has no {column}"
                is_lacking = column != "genotype"
                return (
                    RowProblem(record.row, _first(found), what, "nothing", "a text") if is_lacking else None
                )
            found.append(text)
        return Genotype(*found)


def _first(found: Sequence[str]) -> str:
    return found[0] if found else ""


def _decoded(cell: Cell) -> str:
    return cell.decode("utf-8", "surrogateescape") if isinstance(cell, bytes) else cell or ""


def is_utf8(text: str) -> bool:
    """Return True if a text holds no bytes that could not be decoded."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def shown(text: str) -> str:
    """Return the beginning of a text, printable, with bytes that are not UTF-8 as numbers."""
    cut = text[:_LONGEST_FOUND].replace("\0", "\\0")
    try:
        return cut.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return cut.encode("utf-8", "backslashreplace").decode("utf-8")
