"""The columns of an animal: their names, what a source calls them, and how their texts are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.config.kinds import NotAllowedError, a_text, an_object
from imaging_pipeline.whole_numbers import has_exponent, is_float, without_point

GENOTYPE = "genotype:"

COLUMNS = (
    *("animal_name", "animal_species", "animal_sex", "animal_dob", "animal_notes", "color"),
    *("strain", "background_strain", "generation", "litter", "purpose", "death_date", "death_cause"),
)
"""What a source may say of an animal beside its identifier and its genotypes."""

SEXES = ("male", "female", "unknown")
DAYS = ("animal_dob", "death_date")
# Numbers in many colonies, which a program writes with a decimal point if the column has gaps.
_NUMBERED = ("animal_name", "litter", "generation")
# Lengths of the tables' columns, which the server would otherwise refuse or cut.
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
# The largest int32, the type of the column.
MAX_DATASOURCE_ID = 2**31 - 1
# A time behind the day is dropped: databases often have a DATETIME for a day.
_ISO_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([ T][0-9:.]+)?")
_NAMES = ("animal_id", *COLUMNS, f"{GENOTYPE}<gene>")

ColumnMap = Mapping[str, str]
"""Column → what the source calls it."""

Parser = Callable[[str], str]
"""From a text that is not empty to the text that the tables store; raises `InvalidTextError`."""


class InvalidTextError(ValueError):
    """A text is not valid in its column; the message says what is."""


@dataclass(frozen=True)
class Translation:
    """What the values of a source mean.

    Attributes
    ----------
    values
        Column → text of the source → text of the tables; None is nothing. ``genotype`` counts for every
        gene. A text that is not in it stays as it is.
    date_format
        How the source writes days, as `datetime.strptime` takes it; None is year-month-day.
    """

    values: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    date_format: str | None = None

    def of(self, column: str) -> Mapping[str, str | None]:
        """Return what the texts of a column mean; ``1`` and ``1.0`` mean the same unless both are there."""
        kind = "genotype" if column.startswith(GENOTYPE) else column
        meanings = {**self.values.get(kind, {}), **self.values.get(column, {})}
        return {without_point(text): meaning for text, meaning in meanings.items()} | meanings


def is_column(name: str) -> bool:
    """Return True if a column of an animal may have this name."""
    return name in COLUMNS or (name.startswith(GENOTYPE) and 0 < len(_gene_of(name)) <= MAX_LENGTHS["gene"])


def normalised(column: str) -> str:
    """Return the name of a column without blanks around its gene."""
    return f"{GENOTYPE}{_gene_of(column)}" if column.startswith(GENOTYPE) else column


def a_column_map(value: object) -> ColumnMap:
    """Accept an object from columns to names or expressions of the source."""
    columns = {normalised(name): a_text(source_name) for name, source_name in an_object(value).items()}
    for name in columns:
        if name != "animal_id" and not is_column(name):
            raise _no_column(name)
    if "animal_id" not in columns:
        raise NotAllowedError("also animal_id, which identifies the animals")
    return columns


def a_value_map(value: object) -> Mapping[str, Mapping[str, str | None]]:
    """Accept an object from columns to objects from texts of the source to texts of the tables, or null."""
    translated: dict[str, Mapping[str, str | None]] = {}
    for column, meanings in an_object(value).items():
        if column not in ("animal_id", "genotype") and not is_column(column):
            raise _no_column(column)
        translated[column] = {
            source_text.strip(): None if meaning is None else a_text(meaning)
            for source_text, meaning in an_object(meanings).items()
        }
    return translated


def a_date_format(value: object) -> str:
    """Accept a format in which a day can be written and read again."""
    text = a_text(value)
    # A 14th can be no month, so that a format with two days or two months is noticed.
    day = datetime(2026, 3, 14)
    try:
        is_read_again = datetime.strptime(day.strftime(text), text).date() == day.date()
    except ValueError:
        is_read_again = False
    if not is_read_again:
        raise NotAllowedError("a format with day, month and year, such as %d.%m.%Y")
    return text


def parser(column: str, date_format: str | None = None) -> Parser:
    """Return the function that parses the texts of a column.

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
    if column == "animal_id":
        return _identifier
    if column in _NUMBERED:
        return lambda text: _numbered(text, MAX_LENGTHS[column])
    if column in DAYS:
        return _iso_day if date_format is None else lambda text: _formatted_day(text, date_format)
    max_length = MAX_LENGTHS["genotype" if column.startswith(GENOTYPE) else column]
    return lambda text: _text(text, max_length)


def _gene_of(column: str) -> str:
    return column.removeprefix(GENOTYPE).strip()


def _no_column(name: str) -> NotAllowedError:
    meant = with_alike(repr(name), near(name, _NAMES))
    return NotAllowedError(f"columns of animals ({', '.join(_NAMES)}), not {meant}")


def _text(text: str, max_length: int) -> str:
    if len(text) > max_length:
        raise InvalidTextError(f"at most {max_length} characters, these are {len(text)}")
    # PostgreSQL stores no zero bytes.
    if "\0" in text:
        raise InvalidTextError("text without zero bytes")
    return text


def _identifier(text: str) -> str:
    whole = without_point(text)
    # Which animal was meant is lost: 1.2E+05 may be 120,000 or 123,456.
    if is_float(whole):
        raise InvalidTextError("an identifier, and no number with a decimal point or comma, or an exponent")
    return _text(whole, MAX_LENGTHS["animal_id"])


def _numbered(text: str, max_length: int) -> str:
    # An ear tag may have a point, but no exponent.
    if has_exponent(text):
        raise InvalidTextError("all digits of the number, and no exponent")
    return _text(without_point(text), max_length)


def _number(text: str) -> str:
    whole = without_point(text)
    if not re.fullmatch(r"[0-9]{1,10}", whole) or int(whole) > MAX_DATASOURCE_ID:
        raise InvalidTextError(f"a whole number from 0 to {MAX_DATASOURCE_ID}")
    return whole


def _sex(text: str) -> str:
    if text.lower() not in SEXES:
        raise InvalidTextError(", ".join(SEXES))
    return text.lower()


def _iso_day(text: str) -> str:
    # `fromisoformat` alone would also accept weeks and dates without dashes.
    match = _ISO_DAY.fullmatch(text)
    if match is None:
        raise InvalidTextError("year-month-day, such as 2026-03-14")
    try:
        date.fromisoformat(match[1])
    except ValueError:
        raise InvalidTextError("a day that there is") from None
    return match[1]


def _formatted_day(text: str, date_format: str) -> str:
    try:
        return datetime.strptime(text, date_format).date().isoformat()
    except ValueError:
        example = date(2026, 3, 14).strftime(date_format)
        raise InvalidTextError(f"a day written as {date_format}, such as {example}") from None
