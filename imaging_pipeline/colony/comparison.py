"""What a source says of animals, against what the tables hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imaging_pipeline.colony.animal import GENOTYPE, Animal, AnimalKey, Values

GONE = "gone"


@dataclass(frozen=True)
class StoredAnimal:
    """An animal as the tables hold it.

    Attributes
    ----------
    values
        Every column, and every gene that it was typed for.
    is_gone
        Whether the colony system told of it no longer.
    """

    values: Values
    is_gone: bool = False


@dataclass(frozen=True)
class FieldChange:
    """A value of an animal that is another one; None where nothing is known."""

    key: AnimalKey
    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Changes:
    """What is new, and what differs field by field."""

    added: tuple[Animal, ...]
    changed: tuple[FieldChange, ...]

    @property
    def num_changed(self) -> int:
        """How many animals differ in what is known of them."""
        return len({change.key for change in self.changed if change.field != GONE})

    @property
    def num_returned(self) -> int:
        """How many animals were gone and are there again."""
        return sum(change.field == GONE for change in self.changed)


def compare(animals: Iterable[Animal], stored: Mapping[AnimalKey, StoredAnimal]) -> Changes:
    """Compare animals with those stored: a column that a source does not have stays as it is.

    Parameters
    ----------
    animals
        Each animal once.
    stored
        Those of them that are there.
    """
    added, changed = [], []
    for animal in animals:
        before = stored.get(animal.key)
        if before is None:
            added.append(animal)
        else:
            changed += _differing(animal, before)
    return Changes(tuple(added), tuple(changed))


def went(key: AnimalKey) -> FieldChange:
    """Return the change of an animal that is missed for the first time."""
    return FieldChange(key, GONE, None, "yes")


def _differing(animal: Animal, stored: StoredAnimal) -> list[FieldChange]:
    before, after = stored.values, animal.values
    found = [
        FieldChange(animal.key, field, before.get(field), value)
        for field, value in after.items()
        if before.get(field) != value
    ]
    if animal.has_all_genes:
        found += [
            FieldChange(animal.key, field, value, None)
            for field, value in before.items()
            if field.startswith(GENOTYPE) and field not in after
        ]
    if stored.is_gone:
        found.append(FieldChange(animal.key, GONE, "yes", None))
    return found
