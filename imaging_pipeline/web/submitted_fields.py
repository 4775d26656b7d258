"""What a person typed into a form that could not be taken: it is shown again, to be sent once more."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request

PREFIX = "typed-"

Fields = tuple[tuple[str, str], ...]


def typed_fields() -> Fields:
    """Return the fields of the form that was sent, but no passwords, and nothing that another site sent."""
    if request.method != "POST" or not _is_ours():
        return ()
    return tuple(
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != "csrf_token" and "password" not in name
    )


def carried_fields() -> Fields:
    """Return the fields that came along with a sign-in."""
    return tuple(
        (name.removeprefix(PREFIX), value)
        for name, value in request.form.items(multi=True)
        if name.startswith(PREFIX)
    )


def _is_ours() -> bool:
    """Return True if a page of this site sent the form; browsers tell."""
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc == request.host
