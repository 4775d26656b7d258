"""How animals of a source differ from those that the tables store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imaging_pipeline.colony.animal import Animal, AnimalKey, Values
from imaging_pipeline.colony.sources.columns import GENOTYPE

GONE = "gone"
"""The field of a change that says whether the animal is missing in the source."""


@dataclass(frozen=True)
class StoredAnimal:
    """An animal as the tables store it.

    Attributes
    ----------
    values
        Every column, and every gene that it was typed for.
    is_gone
        Whether it was missing in the source.
    """

    values: Values
    is_gone: bool = False


@dataclass(frozen=True)
class FieldChange:
    """A value of an animal that changes; None where nothing is known."""

    key: AnimalKey
    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class AnimalChanges:
    """Which animals are new, and which fields of the others differ."""

    added: tuple[Animal, ...]
    changed: tuple[FieldChange, ...]

    @property
    def num_changed(self) -> int:
        """How many animals have a value that differs."""
        return len({change.key for change in self.changed if change.field != GONE})

    @property
    def num_returned(self) -> int:
        """How many animals were missing in the source and are there again."""
        return sum(change.field == GONE for change in self.changed)


def compare(animals: Iterable[Animal], stored: Mapping[AnimalKey, StoredAnimal]) -> AnimalChanges:
    """Compare animals with the stored ones; a column that a source does not have stays as it is.

    Parameters
    ----------
    animals
        Animals of a source, each key once.
    stored
        Those of them that are in the tables.
    """
    added, changed = [], []
    for animal in animals:
        before = stored.get(animal.key)
        if before is None:
            added.append(animal)
        else:
            changed += _differences(animal, before)
    return AnimalChanges(tuple(added), tuple(changed))


def gone(key: AnimalKey) -> FieldChange:
    """Return the change of an animal that is missing in the source for the first time."""
    return FieldChange(key, GONE, None, "yes")


def _differences(animal: Animal, stored: StoredAnimal) -> list[FieldChange]:
    before, after = stored.values, animal.values
    changes = [
        FieldChange(animal.key, field, before.get(field), value)
        for field, value in after.items()
        if before.get(field) != value
    ]
    if animal.has_all_genes:
        changes += [
            FieldChange(animal.key, field, value, None)
            for field, value in before.items()
            if field.startswith(GENOTYPE) and field not in after
        ]
    if stored.is_gone:
        changes.append(FieldChange(animal.key, GONE, "yes", None))
    return changes
