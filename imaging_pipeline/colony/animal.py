"""An animal as a colony system tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import NamedTuple

GENOTYPE = "genotype:"

Value = str | date


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
    """An animal; None where the source says nothing.

    The attributes are named as the columns of the tables. ``genotypes`` is gene → genotype.
    """

    animal_id: str
    datasource_id: int = 0
    animal_name: str | None = None
    animal_species: str | None = None
    animal_sex: str | None = None
    animal_dob: date | None = None
    animal_notes: str | None = None
    color: str | None = None
    strain: str | None = None
    background_strain: str | None = None
    generation: str | None = None
    litter: str | None = None
    purpose: str | None = None
    death_date: date | None = None
    death_cause: str | None = None
    genotypes: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> AnimalKey:
        """What identifies the animal."""
        return AnimalKey(self.animal_id, self.datasource_id)

    def columns(self) -> dict[str, Value]:
        """Give what the source says, without the key; genotypes as ``genotype:<gene>``."""
        said = {name: getattr(self, name) for name in COLUMNS if name not in AnimalKey._fields}
        genotypes = {f"{GENOTYPE}{gene}": genotype for gene, genotype in self.genotypes.items()}
        return {name: value for name, value in said.items() if value is not None} | genotypes


COLUMNS = tuple(column.name for column in fields(Animal) if column.name != "genotypes")
