"""What a source says of animals, against what the tables hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imaging_pipeline.colony.animal import Animal, AnimalKey, Value

Stored = Mapping[AnimalKey, Mapping[str, Value]]


@dataclass(frozen=True)
class FieldChange:
    """A value of an animal that was another one, or was not there (None)."""

    key: AnimalKey
    column: str
    before: Value | None
    after: Value


@dataclass(frozen=True)
class Changes:
    """What is new, what differs field by field, and how many animals stay as they are."""

    added: tuple[Animal, ...]
    changed: tuple[FieldChange, ...]
    num_unchanged: int

    @property
    def num_changed(self) -> int:
        """How many animals differ."""
        return len({change.key for change in self.changed})


def compare(animals: Iterable[Animal], stored: Stored) -> Changes:
    """Compare animals with those stored: what a source does not say stays as it is.

    Parameters
    ----------
    animals
        Each animal once.
    stored
        Columns of each animal that is there, as `Animal.columns` names them.
    """
    added, changed, num_unchanged = [], [], 0
    for animal in animals:
        before = stored.get(animal.key)
        if before is None:
            added.append(animal)
            continue
        differing = [
            FieldChange(animal.key, column, before.get(column), value)
            for column, value in animal.columns().items()
            if before.get(column) != value
        ]
        changed += differing
        num_unchanged += not differing
    return Changes(tuple(added), tuple(changed), num_unchanged)
