"""Links that sign a person in once: for whoever started the site on their own machine."""

from __future__ import annotations

import secrets
import threading
import time
from typing import cast

from flask import current_app

from imaging_pipeline.errors import ForbiddenError, Responsible

EXTENSION = "imaging_pipeline_links"
"""Under this name a site has them."""

LIFETIME_S = 600
"""How long a link can be used."""


class Links:
    """The links of a site that were not used yet; they end with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of_token: dict[str, tuple[str, float]] = {}

    def made(self, username: str) -> str:
        """Return a new token that signs a user in."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._of_token[token] = (username, time.monotonic() + LIFETIME_S)
        return token

    def username(self, token: str) -> str:
        """Return whom a token signs in.

        Raises
        ------
        ForbiddenError
            It was used, is too old, or never was one.
        """
        with self._lock:
            username, until = self._of_token.get(token, ("", 0.0))
        if time.monotonic() >= until:
            raise _used_up()
        return username

    def used(self, token: str) -> str:
        """Return whom a token signs in, once.

        Raises
        ------
        ForbiddenError
            As of `username`.
        """
        with self._lock:
            username, until = self._of_token.pop(token, ("", 0.0))
        if time.monotonic() >= until:
            raise _used_up()
        return username


def links() -> Links:
    """Return the links of the site that answers."""
    return cast(Links, current_app.extensions[EXTENSION])


def _used_up() -> ForbiddenError:
    return ForbiddenError(
        "This link was used already, or is too old",
        allowed=f"once, within {LIFETIME_S // 60} minutes",
        remedy="Sign in with your password, or start the site again for another link.",
        responsible=Responsible.EXPERIMENTER,
    )
