"""Changes that people make by a page, recorded with who made them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from imaging_pipeline.schemas.administer.change_log import recorded_change
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.people import current_person


@contextmanager
def recorded(action: str, subject: object, details: Mapping[str, Any] | None = None) -> Iterator[Tables]:
    """Run a change on the tables of this request, and record it, in one transaction.

    Parameters
    ----------
    action
        What is done, in the past tense, such as ``added the option set``.
    subject
        What it is done to: a name or number.
    details
        The values given, as JSON has them; never a password.
    """
    bound = tables()
    with recorded_change(bound, current_person().username, action, subject, details):
        yield bound
