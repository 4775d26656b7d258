"""Who may sign in to the web page, who is signed in, and who tried in vain."""

from __future__ import annotations

import datajoint as dj

from imaging_pipeline.schemas.imaging.reference import User
from imaging_pipeline.schemas.imaging.schema import schema

__all__ = ["Account", "SignIn", "SignInFailure", "User"]


@schema
class Account(dj.Manual):
    """Passwords for the web page; a user without one cannot sign in."""

    definition = """
    -> User
    ---
    password_hash : varchar(255)  # argon2id, with its salt and parameters
    password_time : datetime(6)  # when it was set, UTC
    """


@schema
class SignIn(dj.Manual):
    """Who is signed in to the web page; the row goes with signing out, a new password or a disabled user."""

    definition = """
    sign_in_hash : varchar(64)  # SHA-256 of what the person's browser holds
    ---
    -> User
    sign_in_address : varchar(64)  # from where
    sign_in_time : datetime(6)  # UTC
    sign_in_seen : datetime(6)  # last request, to a minute, UTC
    """


@schema
class SignInFailure(dj.Manual):
    """Attempts to sign in, counted for each name and each address until one succeeds or time has passed."""

    # No reference to User: attempts with names that nobody has count, too.
    definition = """
    failed_by : varchar(80)  # a name or an address, and which
    ---
    num_failures : int32
    first_failure : datetime(6)  # UTC
    """
