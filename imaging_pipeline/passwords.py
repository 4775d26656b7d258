"""Passwords: which are allowed, and their hashes."""

from __future__ import annotations

import secrets
from functools import cache
from typing import TYPE_CHECKING

from imaging_pipeline.errors import InputError, MissingPackageError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST = 10
LONGEST = 256
# Five groups of four from 32 characters that nobody confuses: 100 bits.
_SIGNS = "abcdefghijkmnpqrstuvwxyz23456789"


def generated() -> str:
    """Return a new password that can be read out: five groups of four letters and digits."""
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(5))


def checked(password: str) -> str:
    """Return a password if it is allowed.

    Raises
    ------
    InputError
        The password is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(
            "The password cannot be taken",
            found=f"{len(password)} characters",
            allowed=f"{SHORTEST} to {LONGEST} characters, of any kind",
            remedy="Take another one; a few words that do not belong together are easy to remember.",
            field="password",
        )
    return password


def hashed(password: str) -> str:
    """Return the argon2id hash of a password, with salt and parameters.

    Raises
    ------
    MissingPackageError
        argon2 is not installed.
    """
    return str(_hasher().hash(password))


def is_right(password_hash: str | None, password: str) -> bool:
    """Return True if a password has this hash. Without a hash it takes as long, so that times say nothing."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        _hasher().verify(password_hash or _hash_of_nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _hash_of_nobody() -> str:
    return hashed(secrets.token_urlsafe())


@cache
def _hasher() -> PasswordHasher:
    try:
        from argon2 import PasswordHasher
    except ImportError as error:
        raise MissingPackageError(
            "Passwords need the package argon2-cffi, which is not installed",
            remedy='Install the extra "web": pip install "imaging-pipeline[web]".',
        ) from error
    return PasswordHasher()
