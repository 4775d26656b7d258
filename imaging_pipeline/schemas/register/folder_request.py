"""A request for a folder, from its row of ``BaseFolder`` to a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.ingest.damaged_tifs import DamagedTifs
from imaging_pipeline.ingest.records import Request


@dataclass(frozen=True)
class FolderRequest:
    """A request whose animal is in the database.

    Attributes
    ----------
    number
        Its ``basefolder_id``.
    typed
        The folder's path as a person typed it.
    request
        The folder, and how it is to be registered.
    setup, scope_name, sessiontype
        What is noted of its MetaSessions and of new sessions; None where nothing is.
    consent
        Full name of a table → the most rows of it that may be deleted; None where all may be deleted that
        is out of date.
    """

    number: int
    typed: str
    request: Request
    setup: str | None
    scope_name: str | None
    sessiontype: str | None
    consent: Mapping[str, int] | None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> FolderRequest:
        """Return the request of a row of ``BaseFolder``."""
        request = Request(
            repository_name=row["repository_name"],
            folder=row["folder"],
            experiment_type=row["experiment_type"],
            combined=row["combined"] == "yes",
            animal_id=row["animal_id"],
            datasource_id=row["datasource_id"],
            ops_name=row["ops_name"],
            username=row["username"],
            damaged_tifs=DamagedTifs(row["damaged_tifs"]),
        )
        return cls(
            number=row["basefolder_id"],
            typed=row["path"],
            request=request,
            setup=row["setup"],
            scope_name=row["scope_name"],
            sessiontype=row["sessiontype"],
            # A row that is not inserted yet, as for a preview, has no consent.
            consent=row.get("consent"),
        )
