"""Users, repositories, microscopes, apparatus, and the log of changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imaging_pipeline.errors import NothingFoundError
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.web.paging import Paged, paged


@dataclass(frozen=True)
class UserRow:
    """A person.

    Attributes
    ----------
    name
        First and last name, as far as they are recorded.
    password_time
        When the password was set, UTC; None where there is none.
    """

    username: str
    name: str
    email: str
    is_administrator: bool
    is_active: bool
    password_time: datetime | None

    @property
    def role(self) -> str:
        """Return the name of the role."""
        return "administrator" if self.is_administrator else "experimenter"


@dataclass(frozen=True)
class RepositoryRow:
    """A repository.

    Attributes
    ----------
    roots
        Spellings of its folder that people type.
    folder
        Its folder on this machine; empty where the configuration names none.
    is_mounted
        Whether that folder exists.
    """

    name: str
    roots: tuple[str, ...]
    folder: str
    is_mounted: bool


@dataclass(frozen=True)
class ScopeRow:
    """A microscope head."""

    name: str
    notes: str
    added: datetime


@dataclass(frozen=True)
class ApparatusRow:
    """An arena, a wheel, or what else animals move in or on."""

    name: str
    category: str
    note: str


@dataclass(frozen=True)
class ChangeRow:
    """A change that a person made.

    Attributes
    ----------
    made
        Time in UTC.
    details
        The values that it was made with.
    """

    made: datetime
    username: str
    action: str
    subject: str
    details: Mapping[str, Any]


def users(tables: Tables) -> list[UserRow]:
    """Return all people, by username."""
    return _users(tables, tables.imaging.User())


def user(tables: Tables, username: str) -> UserRow:
    """Return a person.

    Raises
    ------
    NothingFoundError
        There is none of this name.
    """
    for row in _users(tables, tables.imaging.User & {"username": username}):
        return row
    raise NothingFoundError("There is no such user", found=username, remedy="Take one from the list.")


def repositories(tables: Tables) -> list[RepositoryRow]:
    """Return all repositories, by name."""
    roots = tables.roots()
    names = sorted(map(str, tables.imaging.Repository().to_arrays("repository_name")))
    folders = {name: tables.config.repositories.get(name) for name in names}
    return [
        RepositoryRow(
            name,
            tuple(sorted(root.root for root in roots if root.repository_name == name)),
            str(folder or ""),
            folder is not None and folder.is_dir(),
        )
        for name, folder in folders.items()
    ]


def scopes(tables: Tables) -> list[ScopeRow]:
    """Return all microscope heads, by name."""
    rows = tables.imaging.Scope().to_dicts(order_by="scope_name")
    return [ScopeRow(row["scope_name"], row["scope_notes"], row["entry_time_scope"]) for row in rows]


def apparatus(tables: Tables) -> list[ApparatusRow]:
    """Return all apparatus, by name."""
    rows = tables.imaging.Apparatus().to_dicts(order_by="apparatus")
    return [ApparatusRow(row["apparatus"], row["category"], row["apparatus_note"]) for row in rows]


def categories(tables: Tables) -> list[str]:
    """Return the kinds of apparatus."""
    return sorted(map(str, tables.imaging.ApparatusCategory().to_arrays("category")))


def changes(tables: Tables, number: int) -> Paged[ChangeRow]:
    """Return a page of what people changed, the newest first."""
    return paged(tables.imaging.Change(), number, order_by=("change_time DESC", "change_id")).map(_change)


def _users(tables: Tables, users: Any) -> list[UserRow]:
    accounts = (tables.imaging.Account & users.proj()).to_dicts()
    password_times = {row["username"]: row["password_time"] for row in accounts}
    return [
        UserRow(
            row["username"],
            f"{row['first_name']} {row['last_name']}".strip(),
            row["email"],
            bool(row["is_staff"] or row["is_superuser"]),
            bool(row["is_active"]),
            password_times.get(row["username"]),
        )
        for row in users.to_dicts(order_by="username")
    ]


def _change(row: Row) -> ChangeRow:
    return ChangeRow(
        row["change_time"],
        row["change_username"],
        row["change_action"],
        row["change_subject"],
        row["change_details"],
    )
