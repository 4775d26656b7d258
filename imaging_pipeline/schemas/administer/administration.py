"""What an administrator does: people, repositories, setups, scopes, apparatus and option sets.

What is added again and is the same is no error, and told as there already; what is there with other
values is never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from imaging_pipeline.errors import InputError, PathError, Responsible
from imaging_pipeline.paths import Root, clean, resolve
from imaging_pipeline.schemas.administer.change_log import record_change
from imaging_pipeline.schemas.administer.option_sets import AddedOptions, add_options
from imaging_pipeline.schemas.administer.setup_parts import exists, part_rows
from imaging_pipeline.schemas.checked_rows import add_row, checked_name, checked_row, exclusive, existing
from imaging_pipeline.schemas.tables import Tables

__all__ = [
    "Added",
    "AddedOptions",
    "AddedRepository",
    "AddedSetup",
    "add_apparatus",
    "add_options",
    "add_repository",
    "add_scope",
    "add_setup",
    "add_user",
]

_WHAT_DIFFERS = (
    "Leave out what differs, or change it in the row with update1; for another one, take another name."
)


@dataclass(frozen=True)
class Added:
    """What was added, or existed already.

    Attributes
    ----------
    name
        What it is called.
    is_new
        Whether it did not exist before.
    """

    name: str
    is_new: bool


@dataclass(frozen=True)
class AddedRepository(Added):
    """A repository with the roots that are new, and those among the typed ones that it had."""

    new_roots: tuple[str, ...]
    known_roots: tuple[str, ...]


@dataclass(frozen=True)
class AddedSetup(Added):
    """A calibration of a setup with the parts that are new, and those among the typed ones that it had."""

    setup_date: date
    new_parts: tuple[str, ...]
    known_parts: tuple[str, ...]


def add_user(
    tables: Tables,
    username: str,
    *,
    email: str | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    is_staff: bool | None = None,
    by: str | None = None,
) -> Added:
    """Add a person who registers folders.

    Parameters
    ----------
    tables
        The database.
    username
        What the person is called in requests.
    email, first_name, last_name
        Of the person.
    is_staff
        Whether the person is an administrator.
    by
        Who adds them, for the log of changes; by default the account of the database.

    Raises
    ------
    InputError
        A value is not allowed, or a user of this name exists with other values.
    """
    name = checked_name(username, "A user", field="username")
    values = {"email": email, "first_name": first_name, "last_name": last_name, "is_staff": is_staff}
    user = tables.imaging.User
    row = checked_row(user, {"username": name, **values}, what="A user")
    with exclusive(tables):
        is_new = add_row(user, row, what=f"The user {name}", remedy=_WHAT_DIFFERS)
        if is_new:
            details = {column: row[column] for column in values if column in row}
            record_change(tables, by, "added the user", name, details)
    return Added(name, is_new)


def add_scope(tables: Tables, name: str, *, notes: str | None = None) -> Added:
    """Add a microscope head.

    Raises
    ------
    InputError
        A value is not allowed, or a scope of this name exists with other notes.
    """
    name = checked_name(name, "A scope", field="scope_name")
    scope = tables.imaging.Scope
    row = checked_row(scope, {"scope_name": name, "scope_notes": notes}, what="A scope")
    with exclusive(tables):
        is_new = add_row(scope, row, what=f"The scope {name}", remedy=_WHAT_DIFFERS)
    return Added(name, is_new)


def add_apparatus(tables: Tables, name: str, category: str, *, note: str | None = None) -> Added:
    """Add an arena, a wheel or another thing that an animal moves in or on.

    Parameters
    ----------
    tables
        The database.
    name
        What it is called.
    category
        A row of ``ApparatusCategory``.
    note
        Anything worth keeping.

    Raises
    ------
    InputError
        A value is not allowed, or an apparatus of this name exists with other values.
    """
    name = checked_name(name, "An apparatus", field="apparatus")
    existing(tables.imaging.ApparatusCategory, "category", category)
    apparatus = tables.imaging.Apparatus
    values = {"apparatus": name, "category": category, "apparatus_note": note}
    row = checked_row(apparatus, values, what="An apparatus")
    with exclusive(tables):
        is_new = add_row(apparatus, row, what=f"The apparatus {name}", remedy=_WHAT_DIFFERS)
    return Added(name, is_new)


def add_repository(tables: Tables, name: str, roots: Sequence[str]) -> AddedRepository:
    r"""Add a repository, or roots to an existing one.

    Parameters
    ----------
    tables
        The database.
    name
        What the repository is called, in the configuration of each machine too.
    roots
        Spellings that people type for it, such as ``N:\moser``, ``\\server\share`` or ``/mnt/moser``.

    Raises
    ------
    PathError
        A root is not a whole path.
    InputError
        A root belongs to another repository, or a name is not allowed.
    """
    imaging = tables.imaging
    row = {"repository_name": checked_name(name, "A repository", field="repository_name")}
    row = checked_row(imaging.Repository, row, what="A repository")
    # Or two people could add the same root to two repositories.
    with exclusive(tables):
        # No remedy: it is for a row with other values, and this one has nothing but its name.
        is_new = add_row(imaging.Repository, row, what=f"The repository {name}", remedy="")
        new, known_roots = _new_and_known(row["repository_name"], roots, tables.roots())
        imaging.Repository.Root.insert(
            checked_row(imaging.Repository.Root, {"root": root}, what="A root", key=row, field="roots")
            for root in new
        )
    return AddedRepository(row["repository_name"], is_new, new, known_roots)


def add_setup(
    tables: Tables,
    name: str,
    setup_date: date,
    experiment_type: str,
    *,
    note: str | None = None,
    parts: Mapping[str, Any] | None = None,
) -> AddedSetup:
    """Add a calibration of a setup, or parts that it does not have yet.

    Parameters
    ----------
    tables
        The database.
    name
        What the setup is called.
    setup_date
        First day of the calibration.
    experiment_type
        A row of ``ExperimentType``.
    note
        Anything worth keeping.
    parts
        Name of a part table of ``Setup`` → its columns; for ``Sync`` a list of these.

    Raises
    ------
    InputError
        A value is not allowed, or a calibration of this day exists with other values.
    """
    setup = tables.imaging.Setup
    name = checked_name(name, "A setup", field="setup_name")
    existing(tables.imaging.ExperimentType, "experiment_type", experiment_type)
    values = {
        "setup_name": name,
        "setup_date": setup_date,
        "experiment_type": experiment_type,
        "setup_note": note,
    }
    row = checked_row(setup, values, what="A setup")
    key = {column: row[column] for column in setup.primary_key}
    rows = part_rows(setup, key, parts or {})
    with exclusive(tables):
        remedy = "give a calibration that changed a date of its own."
        is_new = add_row(setup, row, what=f"The setup {name} of {setup_date}", remedy=remedy)
        known_parts = tuple(part for part in rows if exists(getattr(setup, part), key, rows[part]))
        new_parts = tuple(part for part in rows if part not in known_parts)
        for part in new_parts:
            # One by one: all rows of one insert need the same columns, and a row may leave out optional ones.
            for part_row in rows[part]:
                getattr(setup, part).insert1(part_row)
    return AddedSetup(name, is_new, setup_date, new_parts, known_parts)


def _new_and_known(
    name: str, typed_roots: Iterable[str], spelled: Sequence[Root]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the roots that are new, and those that the repository has in one spelling or another."""
    spelled = list(spelled)
    new, known_roots = [], []
    for typed in typed_roots:
        root = Root(name, clean(typed))
        owner = _owner(root, spelled)
        if owner is None:
            # So that a root that is typed in two spellings is added once.
            spelled.append(root)
            new.append(root.root)
        elif owner.repository_name == name:
            known_roots.append(root.root)
        else:
            raise InputError(
                f"The root {root.root} belongs to the repository '{owner.repository_name}'",
                found=f"{owner.root} ({owner.repository_name})",
                remedy="leave each root to one repository.",
                responsible=Responsible.ADMINISTRATOR,
                field="roots",
            )
    return tuple(new), tuple(known_roots)


def _owner(root: Root, spelled: Iterable[Root]) -> Root | None:
    """Return the root that is the same folder, if any; raise `PathError` if this one is not a whole path."""
    try:
        resolve(root.root, [root])
    except PathError as error:
        raise error.of(root.root, Responsible.ADMINISTRATOR, field="roots") from error
    for other in spelled:
        # The error means that it lies elsewhere.
        with suppress(PathError):
            if not resolve(root.root, [other]).path:
                return other
    return None
