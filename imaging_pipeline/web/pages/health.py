"""Whether the site and its database answer, for programs that monitor them."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from imaging_pipeline.errors import DatabaseError
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.page import Page
from imaging_pipeline.web.people import public

blueprint = Blueprint("health", __name__)
PAGE = Page(blueprint)


@blueprint.get("/health")
@public
def index() -> ResponseReturnValue:
    """Answer in JSON: 200, or 503 where the database does not answer."""
    try:
        # It pings the server, and connects again where that fails.
        tables()
    except DatabaseError:
        return {"database": "away"}, 503
    return {"database": "answers"}
