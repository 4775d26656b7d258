"""What each column takes, and the text that the tables then hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

from imaging_pipeline.colony.animal import COLUMNS, GENOTYPE

SEXES = ("male", "female", "unknown")
DAYS = ("animal_dob", "death_date")
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
    "gene": 128,
    "genotype": 64,
}
MAX_DATASOURCE_ID = 2**31 - 1
_ISO_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([ T][0-9:.]+)?")


class NotTakenError(ValueError):
    """A text cannot be taken; the message says what would be."""


Parser = Callable[[str], str]
"""From a text that is not empty to the text that the tables hold; raises `NotTakenError`."""


def is_column(name: str) -> bool:
    """Return True if a column of an animal may have this name."""
    return name in COLUMNS or (name.startswith(GENOTYPE) and 0 < len(gene_of(name)) <= MAX_LENGTHS["gene"])


def gene_of(column: str) -> str:
    """Return the gene of ``genotype:<gene>``."""
    return column.removeprefix(GENOTYPE).strip()


def plain(column: str) -> str:
    """Return the name of a column without the blanks that may stand before a gene."""
    return f"{GENOTYPE}{gene_of(column)}" if column.startswith(GENOTYPE) else column


def parser(column: str, date_format: str | None = None) -> Parser:
    """Return what reads the texts of a column.

    Parameters
    ----------
    column
        A column, ``genotype:<gene>``, or ``gene``, ``genotype`` and ``datasource_id`` by themselves.
    date_format
        How days are written, as `datetime.strptime` takes it; else year-month-day.
    """
    if column == "animal_sex":
        return _sex
    if column == "datasource_id":
        return _number
    if column in DAYS:
        return _iso_day if date_format is None else lambda text: _day_as(text, date_format)
    max_length = MAX_LENGTHS["genotype" if column.startswith(GENOTYPE) else column]
    return lambda text: _text(text, max_length)


def _text(text: str, max_length: int) -> str:
    if len(text) > max_length:
        raise NotTakenError(f"at most {max_length} characters, these are {len(text)}")
    if "\0" in text:
        raise NotTakenError("text without zero bytes")
    return text


def _number(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > MAX_DATASOURCE_ID:
        raise NotTakenError(f"a whole number from 0 to {MAX_DATASOURCE_ID}")
    return text


def _sex(text: str) -> str:
    if text.lower() not in SEXES:
        raise NotTakenError(", ".join(SEXES))
    return text.lower()


def _iso_day(text: str) -> str:
    # `fromisoformat` alone would also take weeks and dates without dashes.
    match = _ISO_DAY.fullmatch(text)
    if match is None:
        raise NotTakenError("year-month-day, such as 2026-03-14")
    try:
        date.fromisoformat(match[1])
    except ValueError:
        raise NotTakenError("a day that there is") from None
    return match[1]


def _day_as(text: str, date_format: str) -> str:
    try:
        return datetime.strptime(text, date_format).date().isoformat()
    except ValueError:
        raise NotTakenError(f"a day written as {date_format}, such as {_example(date_format)}") from None


def _example(date_format: str) -> str:
    return date(2026, 3, 14).strftime(date_format)
