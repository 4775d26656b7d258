"""Security of the site: cookies, headers, and limits of request sizes."""

from __future__ import annotations

import zlib
from itertools import chain
from typing import Any

from flask import Flask, Response, abort, request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect

from imaging_pipeline.config.config import Config
from imaging_pipeline.schemas.administer.sign_in import LIFETIME
from imaging_pipeline.server.connection_errors import server_name

LARGEST_REQUEST = 8 * 1024 * 1024
"""Bytes of a request with its files. An option set has some kilobytes."""
LARGEST_FIELDS = 1024 * 1024
"""Bytes of all fields of a form except files."""

# uPlot sets styles by the DOM, which the policy does not concern; nothing inline is needed.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


# Flask's own settings are the same for all requests, while one process may be reached with and without TLS,
# and under a prefix that a proxy names.
class _Cookies(SecureCookieSessionInterface):
    """The session cookie: secure where the request came by TLS, and restricted to the path of this site."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure

    def get_cookie_path(self, app: Flask) -> str:
        return request.script_root or "/"


def settings(config: Config, secret_key: str) -> dict[str, Any]:
    """Return Flask's settings."""
    # Browsers share cookies between ports, and the sites of the demo and the lab may run on one machine.
    database = zlib.crc32(f"{server_name(config)} {config.prefix}".encode())
    return {
        "SECRET_KEY": secret_key,
        "SESSION_COOKIE_NAME": f"imaging_pipeline_{database:08x}",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": LIFETIME,
        "MAX_CONTENT_LENGTH": LARGEST_REQUEST,
        "MAX_FORM_MEMORY_SIZE": LARGEST_FIELDS,
        # Tokens are valid as long as the session: a form that was open over lunch can still be sent.
        "WTF_CSRF_TIME_LIMIT": None,
    }


def install(app: Flask) -> None:
    """Have a site refuse requests that are too large, and send its security headers."""
    app.session_interface = _Cookies()
    app.before_request(_limit)
    app.after_request(_with_headers)


def install_for_forms(app: Flask) -> None:
    """Have a site refuse forms of other sites; installed after `people`, which says whose request it is."""
    app.before_request(_refuse_nul)
    CSRFProtect(app)


def _limit() -> None:
    """Apply the lower limit to requests without files: their fields are read into memory at once."""
    if request.mimetype != "multipart/form-data":
        request.max_content_length = LARGEST_FIELDS


def _refuse_nul() -> None:
    """Refuse NUL, which PostgreSQL cannot store and nobody types."""
    files = (file.filename for file in request.files.values())
    texts = chain(*request.args.listvalues(), *request.form.listvalues(), files, (request.path,))
    if any("\0" in (text or "") for text in texts):
        abort(400)


def _with_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint == "static":
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        # The browser may store a page for its back button, but asks whether it has changed.
        response.headers.setdefault("Cache-Control", "private, no-cache")
        # Page and part have one address: a cache must not confuse them.
        response.vary.add("HX-Request")
        response.vary.add("Cookie")
    return response
