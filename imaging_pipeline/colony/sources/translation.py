"""From a source's own names and values to ours, as the configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.colony.animal import COLUMNS, GENOTYPE
from imaging_pipeline.colony.sources.columns import is_column, plain
from imaging_pipeline.config.kinds import NotAllowedError, a_text, an_object

Columns = Mapping[str, str]
"""Column of ours → what the source calls it."""

_NAMES = ("animal_id", *COLUMNS, f"{GENOTYPE}<gene>")


@dataclass(frozen=True)
class Translation:
    """What the source's values mean.

    Attributes
    ----------
    values
        Column → text of the source → ours; None is nothing. ``genotype`` counts for every gene. A text
        that is not in it stays as it is.
    date_format
        How the source writes days, as `datetime.strptime` takes it; None is year-month-day.
    """

    values: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    date_format: str | None = None

    def of(self, column: str) -> Mapping[str, str | None]:
        """Return what the texts of a column mean."""
        kind = "genotype" if column.startswith(GENOTYPE) else column
        return {**self.values.get(kind, {}), **self.values.get(column, {})}


def a_column_map(value: object) -> Columns:
    """Accept an object from columns of ours to names or expressions of the source."""
    columns = {plain(name): a_text(theirs) for name, theirs in an_object(value).items()}
    for name in columns:
        if name != "animal_id" and not is_column(name):
            raise _no_column(name)
    if "animal_id" not in columns:
        raise NotAllowedError("also animal_id, by which the animals are told from each other")
    return columns


def a_value_map(value: object) -> Mapping[str, Mapping[str, str | None]]:
    """Accept an object from columns to objects from texts of the source to ours, or to null."""
    translated: dict[str, Mapping[str, str | None]] = {}
    for column, meanings in an_object(value).items():
        if column not in ("animal_id", "genotype") and not is_column(column):
            raise _no_column(column)
        translated[column] = {
            theirs.strip(): None if ours is None else a_text(ours)
            for theirs, ours in an_object(meanings).items()
        }
    return translated


def a_date_format(value: object) -> str:
    """Accept a format in which a day can be written and read again."""
    text = a_text(value)
    day = datetime(2026, 3, 14)
    try:
        is_read_again = datetime.strptime(day.strftime(text), text).date() == day.date()
    except ValueError:
        is_read_again = False
    if not is_read_again:
        raise NotAllowedError("a format with day, month and year, such as %d.%m.%Y")
    return text


def _no_column(name: str) -> NotAllowedError:
    meant = with_alike(repr(name), near(name, _NAMES))
    return NotAllowedError(f"columns of animals ({', '.join(_NAMES)}), not {meant}")
