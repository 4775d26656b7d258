"""Links that sign a person in once, for people who start the site on their own machine."""

from __future__ import annotations

import secrets
import threading
import time
from typing import cast

from flask import current_app

from imaging_pipeline.errors import ForbiddenError, Responsible

EXTENSION = "imaging_pipeline_links"
"""Key of the `Links` among the extensions of a site."""

LIFETIME_S = 600
"""How long a link is valid."""


class Links:
    """The links of a site that were not used yet; they are lost with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of_token: dict[str, tuple[str, float]] = {}

    def create(self, username: str) -> str:
        """Return a new token by which a user signs in."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            # By a clock that never jumps: a wall clock that is set would extend links or end them.
            self._of_token[token] = (username, time.monotonic() + LIFETIME_S)
        return token

    def username(self, token: str) -> str:
        """Return the user whom a token signs in; it stays valid.

        Raises
        ------
        ForbiddenError
            The token was used, is too old, or was never created.
        """
        with self._lock:
            # The time of an unknown token is 0, which has always passed.
            username, until = self._of_token.get(token, ("", 0.0))
        if time.monotonic() >= until:
            raise _unusable()
        return username

    def consume(self, token: str) -> str:
        """Return the user whom a token signs in, and end the token.

        Raises
        ------
        ForbiddenError
            The token was used, is too old, or was never created.
        """
        with self._lock:
            username, until = self._of_token.pop(token, ("", 0.0))
        if time.monotonic() >= until:
            raise _unusable()
        return username


def links() -> Links:
    """Return the links of the current site."""
    return cast(Links, current_app.extensions[EXTENSION])


def _unusable() -> ForbiddenError:
    return ForbiddenError(
        "This link was used already, or is too old",
        allowed=f"once, within {LIFETIME_S // 60} minutes",
        remedy="Sign in with your password, or start the site again for another link.",
        responsible=Responsible.EXPERIMENTER,
    )
