"""Signing in to the web page. Attempts are counted, and tokens of browsers are stored as hashes only."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from imaging_pipeline import passwords
from imaging_pipeline.errors import ForbiddenError, TooOftenError
from imaging_pipeline.schemas.locks import in_transaction, lock_rows
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables

IDLE = timedelta(hours=12)
"""How long a person stays signed in without a request."""
LIFETIME = timedelta(days=7)
"""How long a person stays signed in at most."""

WINDOW = timedelta(minutes=15)
"""How long attempts count."""
MOST_OF_NAME, MOST_OF_ADDRESS = 10, 50
"""How many failed attempts are allowed for one name, and from one address, in that time."""

# Not at every request: each would write a row.
_SEEN_STEP = timedelta(minutes=1)
# As the columns; that of ``SignInFailure`` has room for either after the word that says which it is.
_NAME_MAX_CHARACTERS, _ADDRESS_MAX_CHARACTERS = 64, 64


@dataclass(frozen=True)
class Person:
    """A person who is signed in.

    Attributes
    ----------
    username
        A row of ``User``.
    name
        First and last name, or the username where there are none.
    is_administrator
        Whether the person is an administrator, or an experimenter.
    """

    username: str
    name: str
    is_administrator: bool

    def may_change_of(self, username: str | None) -> bool:
        """Return True if the person may change what belongs to a user or to nobody."""
        return self.is_administrator or self.username == username


def sign_in(tables: Tables, username: str, password: str, *, address: str, now: datetime) -> str:
    """Sign a person in, and return the token for their browser.

    Parameters
    ----------
    tables
        The database.
    username, password
        As typed.
    address
        From where.
    now
        The time, UTC.

    Raises
    ------
    ForbiddenError
        Name and password do not belong together, or the user is disabled; the message is the same.
    TooOftenError
        There were too many attempts; the password was not checked.
    """
    name = username.strip()[:_NAME_MAX_CHARACTERS]
    count_attempt(tables, name, address=address, now=now)
    account = (tables.imaging.Account * tables.imaging.User & {"username": name}).to_dicts()
    # Also without an account, which takes as long: else the time would tell which names exist.
    is_right = passwords.is_right(account[0]["password_hash"] if account else None, password)
    if not is_right or not account[0]["is_active"]:
        raise ForbiddenError(
            "Name and password do not belong together",
            remedy="Type both again. An administrator can give you a new password.",
        )
    for counted in _counted(name, address):
        (tables.imaging.SignInFailure & {"failed_by": counted}).delete_quick()
    return begin(tables, account[0]["username"], address=address, now=now)


def begin(tables: Tables, username: str, *, address: str, now: datetime) -> str:
    """Store that a person is signed in, and return the token for their browser."""
    token = secrets.token_urlsafe(32)
    # Here, since nobody else would ever delete them.
    expired = f"sign_in_seen < '{now - IDLE}' OR sign_in_time < '{now - LIFETIME}'"
    (tables.imaging.SignIn & expired).delete_quick()
    tables.imaging.SignIn.insert1(
        {
            "sign_in_hash": _hash(token),
            "username": username,
            "sign_in_address": address[:_ADDRESS_MAX_CHARACTERS],
            "sign_in_time": now,
            "sign_in_seen": now,
        }
    )
    return token


def person(tables: Tables, token: str, *, now: datetime) -> Person | None:
    """Return the person whom a token belongs to; None if there is none, or the token has expired."""
    key = {"sign_in_hash": _hash(token)}
    rows = (tables.imaging.SignIn * tables.imaging.User & key).to_dicts()
    if not rows or not _is_running(rows[0], now):
        return None
    row = rows[0]
    if now - row["sign_in_seen"] > _SEEN_STEP:
        tables.imaging.SignIn.update1({**key, "sign_in_seen": now})
    name = " ".join(filter(None, (row["first_name"], row["last_name"])))
    return Person(row["username"], name or row["username"], bool(row["is_staff"] or row["is_superuser"]))


def sign_out(tables: Tables, token: str) -> None:
    """Delete a token."""
    (tables.imaging.SignIn & {"sign_in_hash": _hash(token)}).delete_quick()


def _is_running(row: Row, now: datetime) -> bool:
    is_fresh = now - row["sign_in_seen"] < IDLE and now - row["sign_in_time"] < LIFETIME
    return is_fresh and bool(row["is_active"])


def _hash(token: str) -> str:
    # A fast hash is enough: unlike a password, a random token of 256 bits cannot be guessed.
    return hashlib.sha256(token.encode()).hexdigest()


def count_attempt(tables: Tables, username: str, *, address: str, now: datetime) -> None:
    """Count an attempt to sign in, before the password is checked, so that simultaneous attempts count too.

    Raises
    ------
    TooOftenError
        There were too many attempts for this name, or from this address.
    """
    for counted, most in _counted(username, address).items():
        _count(tables, counted, most, now)


def _counted(username: str, address: str) -> dict[str, int]:
    """Return what an attempt counts for, and how many are allowed."""
    return {f"name {username}": MOST_OF_NAME, f"address {address[:_ADDRESS_MAX_CHARACTERS]}": MOST_OF_ADDRESS}


def _count(tables: Tables, counted: str, most: int, now: datetime) -> None:
    failures = tables.imaging.SignInFailure
    key = {"failed_by": counted}
    with in_transaction(tables.connection):
        # A duplicate is skipped, not caught as an error, which would abort the transaction on PostgreSQL.
        failures.insert1({**key, "num_failures": 0, "first_failure": now}, skip_duplicates=True)
        # So that simultaneous attempts are counted one after the other.
        lock_rows(failures & key)
        row = (failures & key).fetch1()
        if now - row["first_failure"] > WINDOW:
            row = {**key, "num_failures": 0, "first_failure": now}
        if row["num_failures"] < most:
            failures.update1({**row, "num_failures": row["num_failures"] + 1})
            return
    minutes = int((row["first_failure"] + WINDOW - now).total_seconds() // 60) + 1
    raise TooOftenError(
        "There were too many attempts to sign in",
        found=f"{most} in {WINDOW.seconds // 60} minutes",
        remedy=f"Try again in {minutes} minutes, or ask an administrator for a new password.",
    )
