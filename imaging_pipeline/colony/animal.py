"""An animal as a source tells it, every value as the text that the tables hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

GENOTYPE = "genotype:"

Values = Mapping[str, str | None]
"""Column, or ``genotype:<gene>``, → text; days as year-month-day, None where there is nothing."""

COLUMNS = (
    *("animal_name", "animal_species", "animal_sex", "animal_dob", "animal_notes", "color"),
    *("strain", "background_strain", "generation", "litter", "purpose", "death_date", "death_cause"),
)
"""What may be told of an animal beside what identifies it and its genotypes."""

# What the tables hold where nothing is known; elsewhere that is nothing.
_WHERE_NOTHING_IS_KNOWN = (("animal_species", "mouse"), ("animal_sex", "unknown"))


class AnimalKey(NamedTuple):
    """What identifies an animal.

    Attributes
    ----------
    animal_id
        The colony system's own identifier.
    datasource_id
        Which colony system it comes from.
    """

    animal_id: str
    datasource_id: int


@dataclass(frozen=True)
class Animal:
    """An animal.

    Attributes
    ----------
    key
        What identifies it.
    values
        What the source says of it. A column that is not in it is one that the source knows nothing of.
    has_all_genes
        Whether a gene that is not in it is one that the animal was not typed for.
    """

    key: AnimalKey
    values: Values
    has_all_genes: bool = False


def fill_in(values: dict[str, str | None], key: AnimalKey) -> None:
    """Put what the tables hold where nothing is known; an animal without a name has its identifier's."""
    for column, text in (("animal_name", key.animal_id), *_WHERE_NOTHING_IS_KNOWN):
        if column in values and values[column] is None:
            values[column] = text
