"""Fields of a form that could not be processed: they are shown again, so that they can be sent once more."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request

PREFIX = "typed-"
"""Before the names of carried fields, so that none is taken for a field of the sign-in form itself."""

Fields = tuple[tuple[str, str], ...]


def submitted_fields() -> Fields:
    """Return the fields of the submitted form, without passwords; none of a form of another site."""
    if request.method != "POST" or not _is_ours():
        return ()
    return tuple(
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != "csrf_token" and "password" not in name
    )


def carried_fields() -> Fields:
    """Return the fields that a sign-in form carries for the page after it."""
    return tuple(
        (name.removeprefix(PREFIX), value)
        for name, value in request.form.items(multi=True)
        if name.startswith(PREFIX)
    )


def _is_ours() -> bool:
    """Return True if a page of this site sent the form; browsers name the site in a header."""
    # Browsers send it with every POST; without it the sender is unknown.
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc == request.host
