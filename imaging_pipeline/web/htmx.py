"""Requests of parts of a page, which htmx puts in their place."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request

MESSAGES = "#messages"


def is_asking() -> bool:
    """Return True if a part is asked for, and no whole page."""
    is_part = request.headers.get("HX-Request") == "true"
    return is_part and request.headers.get("HX-History-Restore-Request") != "true"


def rendered(page: str, part: str, **values: Any) -> str:
    """Return the part where htmx asks, else the page, which includes it.

    Parameters
    ----------
    page, part
        Templates; the part's name begins with an underscore.
    **values
        What both show.
    """
    return render_template(part if is_asking() else page, **values)


def message(template: str, status: int, **values: Any) -> Response:
    """Return a message that stands above the page, whichever part was asked for; the page stays as it is."""
    response = make_response(render_template(f"messages/{template}", **values), status)
    response.headers["HX-Retarget"] = MESSAGES
    response.headers["HX-Reswap"] = "innerHTML"
    return response
