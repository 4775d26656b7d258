"""Who may sign in: passwords, disabled users and roles. Each change is recorded with who made it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from imaging_pipeline import passwords
from imaging_pipeline.errors import ForbiddenError, InputError, Responsible
from imaging_pipeline.schemas.administer.change_log import record_change, utc_now
from imaging_pipeline.schemas.administer.sign_in import count_attempt
from imaging_pipeline.schemas.checked_rows import existing
from imaging_pipeline.schemas.locks import in_transaction
from imaging_pipeline.schemas.tables import Tables


def set_password(tables: Tables, username: str, password: str, *, by: str | None = None) -> None:
    """Give a user a password for the web page, and end their running sessions.

    Attempts that failed before no longer count.

    Parameters
    ----------
    tables
        The database.
    username, password
        Whose, and which.
    by
        Who does it; by default the account of the database.

    Raises
    ------
    InputError
        There is no such user, or the password is too short or too long.
    """
    imaging = tables.imaging
    key = {"username": existing(imaging.User, "username", username)}
    values = {"password_hash": passwords.hashed(passwords.checked(password)), "password_time": utc_now()}
    with in_transaction(tables.connection):
        if imaging.Account & key:
            imaging.Account.update1({**key, **values})
        else:
            imaging.Account.insert1({**key, **values})
        # The person may have tried the old password too often. The name is as `sign_in` counts it.
        (imaging.SignInFailure & {"failed_by": f"name {username}"}).delete_quick()
        _end_sessions(imaging, key)
        record_change(
            tables, by, "changed the password of" if by == username else "reset the password of", username
        )


def check_password(tables: Tables, username: str, password: str, *, address: str) -> None:
    """Check a person's password; the attempt counts as one to sign in.

    Raises
    ------
    ForbiddenError
        The password is not right.
    TooOftenError
        There were too many attempts.
    """
    count_attempt(tables, username, address=address, now=utc_now())
    accounts = (tables.imaging.Account & {"username": username}).to_dicts()
    if not passwords.is_right(accounts[0]["password_hash"] if accounts else None, password):
        raise ForbiddenError("The password is not right", remedy="Type it again.", field="password")


def set_active(tables: Tables, username: str, *, is_active: bool, by: str | None = None) -> bool:
    """Enable or disable a user; disabling ends their running sessions.

    Parameters
    ----------
    tables
        The database.
    username, is_active
        Who, and whether they may.
    by
        As in `set_password`.

    Returns
    -------
    bool
        Whether this changed anything.

    Raises
    ------
    InputError
        There is no such user.
    """
    imaging = tables.imaging
    key = {"username": existing(imaging.User, "username", username)}
    with in_transaction(tables.connection):
        was_active = bool((imaging.User & key).fetch1("is_active"))
        imaging.User.update1({**key, "is_active": is_active})
        if not is_active:
            _end_sessions(imaging, key)
        if was_active != is_active:
            record_change(tables, by, "enabled the user" if is_active else "disabled the user", username)
    return was_active != is_active


def set_administrator(
    tables: Tables, username: str, *, is_administrator: bool, by: str | None = None
) -> bool:
    """Make a user an administrator or an experimenter.

    Parameters
    ----------
    tables
        The database.
    username, is_administrator
        Who, and whether they may.
    by
        As in `set_password`.

    Returns
    -------
    bool
        Whether this changed anything.

    Raises
    ------
    InputError
        There is no such user.
    """
    user = tables.imaging.User
    key = {"username": existing(user, "username", username)}
    with in_transaction(tables.connection):
        is_staff, is_superuser = (user & key).fetch1("is_staff", "is_superuser")
        # A superuser is an administrator, too, so that both end together; nobody becomes a superuser here.
        values = {"is_staff": is_administrator, "is_superuser": bool(is_superuser) and is_administrator}
        user.update1({**key, **values})
        is_new = bool(is_staff or is_superuser) != is_administrator
        if is_new:
            role = "administrator" if is_administrator else "experimenter"
            record_change(tables, by, "gave another role to", username, {"role": role})
    return is_new


def require_no_sessions(tables: Tables, usernames: Sequence[str]) -> None:
    """Raise an error if one of some people has registered sessions, which would be deleted with the person.

    Raises
    ------
    InputError
        One has; the message names them and how many.
    """
    owned = tables.imaging.MetaSession & [{"username": name} for name in usernames]
    owners = Counter(str(name) for name in owned.to_arrays("username"))
    if owners:
        raise InputError(
            "People whose sessions are registered cannot be deleted",
            found=", ".join(f"{name}: {number} MetaSessions" for name, number in sorted(owners.items())),
            remedy="let them register no more: imaging-pipeline users disable NAME.",
            responsible=Responsible.ADMINISTRATOR,
        )


def _end_sessions(imaging: Any, key: dict[str, str]) -> None:
    (imaging.SignIn & key).delete_quick()
