"""An animal as a source describes it, every value as the text that the tables store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

Values = Mapping[str, str | None]
"""Column, or ``genotype:<gene>``, → text; days as year-month-day, None where there is nothing."""

# The tables store these where nothing is known; all other columns are empty then.
_DEFAULTS = (("animal_species", "mouse"), ("animal_sex", "unknown"))


class AnimalKey(NamedTuple):
    """What identifies an animal.

    Attributes
    ----------
    animal_id
        The colony system's own identifier.
    datasource_id
        Number of the colony system.
    """

    animal_id: str
    datasource_id: int


@dataclass(frozen=True)
class Animal:
    """An animal as a source describes it.

    Attributes
    ----------
    key
        What identifies it.
    values
        What the source says of it. A column that is not in it is one that the source does not have.
    has_all_genes
        Whether the animal was not typed for a gene that is not in it.
    """

    key: AnimalKey
    values: Values
    has_all_genes: bool = False


def fill_defaults(values: dict[str, str | None], key: AnimalKey) -> None:
    """Fill the columns that are never empty; an animal without a name is called by its identifier."""
    for column, text in (("animal_name", key.animal_id), *_DEFAULTS):
        if column in values and values[column] is None:
            values[column] = text
