"""The log of what people changed."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.htmx import rendered
from imaging_pipeline.web.pages.administration.subjects import blueprint
from imaging_pipeline.web.paging import page_number
from imaging_pipeline.web.queries import administration as queries


@blueprint.get("/changes")
def changes() -> ResponseReturnValue:
    """List changes, the newest first."""
    return rendered(
        "administration/changes.html",
        "administration/_changes.html",
        changes=queries.changes(tables(), page_number()),
    )
