"""The first page."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from imaging_pipeline.web.page import Page

blueprint = Blueprint("home", __name__)
PAGE = Page(blueprint)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Redirect to the list of folders."""
    return redirect(url_for("folders.index"))
