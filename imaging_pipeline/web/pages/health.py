"""Whether the site and its database answer, for whoever watches over them."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.page import Page
from imaging_pipeline.web.people import public

blueprint = Blueprint("health", __name__)
PAGE = Page(blueprint)


@blueprint.get("/health")
@public
def index() -> ResponseReturnValue:
    """Say it in JSON: 200, or 503 where the database does not answer."""
    try:
        tables().connection.query("SELECT 1", reconnect=False).fetchone()
    except Exception:  # each driver has its own classes; who watches is told no more than that
        return {"database": "away"}, 503
    return {"database": "answers"}
