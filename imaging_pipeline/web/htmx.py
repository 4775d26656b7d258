"""Requests by htmx for parts of a page."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request

MESSAGES = "#messages"


def wants_part() -> bool:
    """Return True if the request is for a part of a page."""
    # Going back in history, htmx also sets the first header, but needs the whole page.
    is_part = request.headers.get("HX-Request") == "true"
    return is_part and request.headers.get("HX-History-Restore-Request") != "true"


def rendered(page: str, part: str, **values: Any) -> str:
    """Return the part if htmx requests it, else the page, which includes it.

    Parameters
    ----------
    page, part
        Templates; the part's name begins with an underscore.
    **values
        What both show.
    """
    return render_template(part if wants_part() else page, **values)


def message_response(template: str, status: int, **values: Any) -> Response:
    """Return a message that htmx shows above the page, whichever part it requested."""
    response = make_response(render_template(f"messages/{template}", **values), status)
    response.headers["HX-Retarget"] = MESSAGES
    response.headers["HX-Reswap"] = "innerHTML"
    return response
