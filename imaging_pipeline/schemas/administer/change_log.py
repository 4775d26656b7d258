"""The log of changes: who changed what, and when."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from imaging_pipeline.schemas.locks import in_transaction
from imaging_pipeline.schemas.tables import Tables

# As the column of ``Change``.
_SUBJECT_MAX_CHARACTERS = 255


@contextmanager
def recorded_change(
    tables: Tables, username: str, action: str, subject: object, details: Mapping[str, Any] | None = None
) -> Iterator[None]:
    """Make the change in the enclosed code and record it, in one transaction.

    Parameters
    ----------
    tables
        The database.
    username
        Who makes it.
    action
        What was done, in the past tense, such as ``added the option set``.
    subject
        To what: a name or number; cut to 255 characters.
    details
        The values, as JSON; never a password.
    """
    with in_transaction(tables.connection):
        yield
        record_change(tables, username, action, subject, details)


def record_change(
    tables: Tables,
    username: str | None,
    action: str,
    subject: object,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Record that a change was made, within its transaction.

    The parameters are those of `recorded_change`; by default the username is the account of the database.
    """
    tables.imaging.Change.insert1(
        {
            # At random, so that two who change something at once do not wait for each other.
            "change_id": secrets.token_hex(8),
            "change_time": utc_now(),
            "change_username": username or tables.connection.get_user(),
            "change_action": action,
            "change_subject": str(subject)[:_SUBJECT_MAX_CHARACTERS],
            "change_details": dict(details or {}),
        }
    )


def utc_now() -> datetime:
    """Return the time in UTC without a zone, as columns hold it."""
    return datetime.now(UTC).replace(tzinfo=None)
