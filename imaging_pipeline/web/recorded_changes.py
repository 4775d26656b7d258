"""Changes: each is made on the connection of this request, and kept with who made it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from imaging_pipeline.schemas.administer.change_log import kept_change
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.people import me


@contextmanager
def kept(action: str, subject: object, details: Mapping[str, Any] | None = None) -> Iterator[Tables]:
    """Return the tables for a change, and keep that it was made, in one transaction.

    Parameters
    ----------
    action
        What is done, in the past tense, such as ``added the option set``.
    subject
        To what: a name or number.
    details
        The values given, as JSON has them; never a password.
    """
    bound = tables()
    with kept_change(bound, me().username, action, subject, details):
        yield bound
