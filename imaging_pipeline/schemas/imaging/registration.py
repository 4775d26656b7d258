"""Registering a folder: from a request to the plan, and from the plan to rows.

Reading the folder happens outside any transaction. Comparing with the database and writing happen in
one, under a lock on the animal, so that requests that meet at the same sessions give one result.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.planned import Plan, Request
from imaging_pipeline.schemas.tables import Tables

from . import known
from .fetching import Row


@dataclass(frozen=True)
class Planned:
    """A plan, with what of the request is not in it.

    Attributes
    ----------
    base_folder
        The row of the request.
    plan
        What the folder holds.
    """

    base_folder: Row
    plan: Plan


@dataclass(frozen=True)
class Report:
    """What registering did: the row of ``MakeDatasetSessions``, and those of its parts by their names."""

    row: Row
    parts: dict[str, list[Row]] = field(default_factory=dict)


def plan(tables: Tables, base_folder: Row) -> Planned:
    """Scan the folder of a request and say what it holds; reads the database, writes nothing.

    Raises
    ------
    NotMountedError, NothingFoundError, NamingError, FormatError, StillCopyingError
    """
    request = _request(base_folder)
    listing = scan(tables.local_path(request.repository_name, request.folder))
    return Planned(
        base_folder,
        make_plan(
            request,
            listing,
            known.contents(tables, request),
            known.option_settings(tables),
            assigned_options=known.assigned_options(tables, request),
        ),
    )


def _request(base_folder: Row) -> Request:
    return Request(
        repository_name=base_folder["repository_name"],
        folder=base_folder["folder"],
        experiment_type=base_folder["experiment_type"],
        combined=base_folder["combined"] == "yes",
        animal_id=base_folder["animal_id"],
        datasource_id=base_folder["datasource_id"],
        ops_name=base_folder["ops_name"],
    )
