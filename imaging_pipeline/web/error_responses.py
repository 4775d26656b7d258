"""Responses to errors: what happened, what to do, and a link back."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass

from flask import Flask, g, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from imaging_pipeline.errors import (
    DatabaseError,
    ForbiddenError,
    NotHereError,
    NothingFoundError,
    PipelineError,
    SchemaError,
    StillCopyingError,
    TooOftenError,
    UnreachableError,
)
from imaging_pipeline.server.connection_errors import is_loss
from imaging_pipeline.web import htmx
from imaging_pipeline.web.people import current_path, sign_in_response
from imaging_pipeline.web.submitted_fields import Fields, submitted_fields

_log = logging.getLogger(__name__)

RETRY_S = 10
"""After how many seconds a page reloads itself while the database is away."""

# The first class that fits counts, so subclasses stand before their bases.
_STATUS: tuple[tuple[type[PipelineError], int], ...] = (
    (TooOftenError, 429),
    (ForbiddenError, 403),
    (NothingFoundError, 404),
    (StillCopyingError, 409),
    (NotHereError, 409),
    (UnreachableError, 503),
    (DatabaseError, 500),
    (SchemaError, 503),
    (PipelineError, 400),
)


@dataclass(frozen=True)
class _ErrorPage:
    """What the page of an error shows."""

    status: int
    what: str
    details: tuple[str, ...]
    remedy: str
    error_id: str | None = None


_OF_STATUS = {
    400: ("The request was not understood", "Go back, and try it once more."),
    403: ("This is not allowed", "Ask an administrator."),
    404: ("There is no such page", "Look at the address, or take a page from the navigation."),
    405: ("This address is only for forms", "Take a page from the navigation."),
    409: ("This does not go together with what is there", "Go back, and look at it again."),
    413: ("What was sent is too large", "Send a smaller file; an option set has some kilobytes."),
}


def install(app: Flask) -> None:
    """Have a site answer every error with a page or message of its own."""
    app.register_error_handler(CSRFError, _expired_form)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(PipelineError, _of_pipeline)
    app.register_error_handler(Exception, _unforeseen)


def status_of(error: PipelineError) -> int:
    """Return the HTTP status of an error of the pipeline."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def _of_http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    # Werkzeug raises redirects too, such as that to an address with a final slash.
    if status < 400:
        return error.get_response()
    what, remedy = _OF_STATUS.get(status, (error.name, "Go back, and try it once more."))
    return _response(_ErrorPage(status, what, (), remedy))


def _of_pipeline(error: PipelineError) -> ResponseReturnValue:
    values = (("File", error.path), ("Found", error.found), ("Allowed", error.allowed))
    details = tuple(f"{label}: {value}" for label, value in values if value is not None)
    status = status_of(error)
    error_id = _logged_id(error) if status >= 500 else None
    return _response(_ErrorPage(status, error.what, details, error.remedy, error_id))


def _unforeseen(error: Exception) -> ResponseReturnValue:
    if is_loss(error):
        remedy = "Nothing: it is tried again by itself. Where it lasts, tell an administrator."
        away = "The connection to the database was lost"
        return _response(_ErrorPage(503, away, (), remedy, _logged_id(error)))
    remedy = "Tell an administrator the number below. Nothing that you see was changed by halves."
    return _response(
        _ErrorPage(500, "Something went wrong that nobody foresaw", (), remedy, _logged_id(error))
    )


def _expired_form(error: CSRFError) -> ResponseReturnValue:
    """Return the response to a form whose token does not fit the browser's cookie, or that has none."""
    fields = submitted_fields()
    # A sign-in is not offered to be sent again: passwords are never carried over.
    if not fields or htmx.wants_part() or request.blueprint == "sign_in":
        remedy = "Load the page again, and do it once more. The browser has to keep this site's cookie."
        return _response(_ErrorPage(400, "The page is out of date", (), remedy))
    if g.get("person") is None:
        return sign_in_response()
    return send_again_page(fields, current_path()), 400


def send_again_page(fields: Fields, path: str) -> str:
    """Return a page with what was typed, from which it can be sent again to a path of this site."""
    return render_template("send_again.html", fields=fields, action=request.script_root + path)


def _logged_id(error: Exception) -> str:
    error_id = secrets.token_hex(4)
    _log.error("Error %s at %s %s", error_id, request.method, request.path, exc_info=error)
    return error_id


def _response(error: _ErrorPage) -> ResponseReturnValue:
    if htmx.wants_part():
        return htmx.message_response("error.html", error.status, error=error)
    # A page that answers a form is not reloaded by itself: that would send the form again.
    retry_s = RETRY_S if error.status == 503 and request.method == "GET" else None
    page = render_template("error.html", error=error, back=_back(), retry_s=retry_s, fields=_fields(error))
    response = make_response(page, error.status)
    if error.status == 503:
        response.headers["Retry-After"] = str(RETRY_S)
    return response


def _fields(error: _ErrorPage) -> Fields:
    """Return what was typed, where sending it again may help: the database was away."""
    return submitted_fields() if error.status == 503 else ()


def _back() -> str:
    """Return the page that the person came from, if it is of this site, else the first page."""
    came_from = request.referrer or ""
    # `host_url` ends with a slash, so that no longer host name begins with it.
    is_ours = came_from.startswith(request.host_url) and came_from != request.url
    return came_from if is_ours else url_for("home.index")
