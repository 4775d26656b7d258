"""Choices in forms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.tables import Tables

_MOST_ANIMALS = 20


@dataclass(frozen=True)
class AnimalChoice:
    """An animal that matches what was typed.

    Attributes
    ----------
    value
        Its name, or its identifier where several animals have that name.
    about
        Facts that distinguish it from others.
    """

    value: str
    about: str


def users(tables: Tables) -> list[str]:
    """Return the names of people who may register folders."""
    return sorted(map(str, (tables.imaging.User & {"is_active": True}).to_arrays("username")))


def experiment_types(tables: Tables) -> list[str]:
    """Return the names of all experiment types."""
    return sorted(map(str, tables.imaging.ExperimentType().to_arrays("experiment_type")))


def setups(tables: Tables) -> list[str]:
    """Return the names of all setups, whatever their calibrations."""
    return sorted(set(map(str, tables.imaging.Setup().to_arrays("setup_name"))))


def scopes(tables: Tables) -> list[str]:
    """Return the names of all microscope heads."""
    return sorted(map(str, tables.imaging.Scope().to_arrays("scope_name")))


def option_sets(tables: Tables) -> list[str]:
    """Return the names of all option sets."""
    return sorted(map(str, tables.imaging.Suite2pyOps().to_arrays("ops_name")))


def session_types(tables: Tables) -> list[str]:
    """Return the names of all session types."""
    return sorted(map(str, tables.imaging.SessionType().to_arrays("sessiontype")))


def apparatus(tables: Tables) -> list[str]:
    """Return the names of all apparatus."""
    return sorted(map(str, tables.imaging.Apparatus().to_arrays("apparatus")))


def animals_like(tables: Tables, typed: str) -> list[AnimalChoice]:
    """Return the first animals whose name or identifier begins with what was typed, by name."""
    if not typed.isprintable() or not typed:
        return []
    animal = tables.mlims.Animal.full_table_name
    query = (
        # Several animals may have one name; then only the identifier tells them apart. All are counted, also
        # those that do not match what was typed, or that come after the last one shown.
        "SELECT a.animal_name, a.animal_id, a.animal_sex, a.animal_dob,"
        f" (SELECT COUNT(*) FROM {animal} AS same WHERE same.animal_name = a.animal_name)"
        f" FROM {animal} AS a"
        # Not escaped by a backslash: MySQL reads one as its own escape in texts, PostgreSQL does not.
        " WHERE LOWER(a.animal_name) LIKE %s ESCAPE '!' OR LOWER(a.animal_id) LIKE %s ESCAPE '!'"
        f" ORDER BY a.animal_name, a.animal_id, a.datasource_id LIMIT {_MOST_ANIMALS}"
    )
    rows = plain_rows.fetch(tables.connection, query, [f"{plain_rows.like_literal(typed)}%"] * 2)
    return [
        AnimalChoice(name if num_animals == 1 else animal_id, _about(name, animal_id, sex, born))
        for name, animal_id, sex, born, num_animals in rows
    ]


def _about(name: str, animal_id: str, sex: str, born: date | None) -> str:
    return ", ".join([name, animal_id, sex, *([] if born is None else [f"born {born}"])])
