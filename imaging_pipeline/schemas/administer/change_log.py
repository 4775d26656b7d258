"""Every change that a person makes is kept: who, when, what."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from imaging_pipeline.schemas.locks import in_transaction
from imaging_pipeline.schemas.tables import Tables

_SUBJECT_ROOM = 255


@contextmanager
def kept_change(
    tables: Tables, username: str, action: str, subject: object, details: Mapping[str, Any] | None = None
) -> Iterator[None]:
    """Run a change, and keep that it was made; both are in the database, or neither is.

    Parameters
    ----------
    tables
        The database.
    username
        Who makes it.
    action
        What is done, in the past tense, such as ``added the option set``.
    subject
        To what: a name or number; cut to 255 characters.
    details
        The values given, as JSON has them; never a password.
    """
    with in_transaction(tables.connection):
        yield
        keep(tables, username, action, subject, details)


def keep(
    tables: Tables,
    username: str | None,
    action: str,
    subject: object,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Keep that a change was made, within its transaction.

    The parameters are those of `kept_change`; where nobody is named it is the account of the database.
    """
    tables.imaging.Change.insert1(
        {
            "change_id": secrets.token_hex(8),
            "change_time": utc_now(),
            "change_username": username or tables.connection.get_user(),
            "change_action": action,
            "change_subject": str(subject)[:_SUBJECT_ROOM],
            "change_details": dict(details or {}),
        }
    )


def utc_now() -> datetime:
    """Return the time in UTC, as tables take it."""
    return datetime.now(UTC).replace(tzinfo=None)
