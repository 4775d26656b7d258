"""The site as a WSGI application."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from functools import cache, partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from flask import Flask, g
from werkzeug.middleware.proxy_fix import ProxyFix

from imaging_pipeline import wording
from imaging_pipeline.config.config import Config
from imaging_pipeline.schemas import table_names
from imaging_pipeline.web import error_responses, links, people, safety
from imaging_pipeline.web.connections import EXTENSION, Connections
from imaging_pipeline.web.registry import PAGES

_STATIC = Path(__file__).with_name("static")

_FILTERS: Mapping[str, Callable[..., Any]] = {
    "counted": wording.counted,
    "in_words": wording.in_words,
    "json_text": partial(json.dumps, indent=2, ensure_ascii=False),
    "schema_of": table_names.schema_of,
    "table_name": table_names.readable_name,
    "whose_move": attrgetter("phrase"),
    "zip": zip,
}


def create_app(config: Config, *, secret_key: str, is_behind_proxy: bool = False) -> Flask:
    """Return the site for a database that this process is connected to.

    Parameters
    ----------
    config
        What `imaging_pipeline.connect` was called with.
    secret_key
        Signs cookies; the same in all processes of a site.
    is_behind_proxy
        Whether headers of a proxy name the client and the address that it used; ignored otherwise.
    """
    app = Flask(__package__, static_folder=_STATIC, static_url_path="/static")
    app.config.update(safety.settings(config, secret_key))
    app.jinja_env.filters.update(_FILTERS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions[EXTENSION] = Connections(config)
    app.extensions[links.EXTENSION] = links.Links()
    for page in PAGES:
        app.register_blueprint(page.blueprint)
        # Registering adds the views to the application; only then can each of them be marked.
        if page.is_for_administrators:
            people.restrict_to_administrators(app, page.blueprint)
    # The order matters: limits before anything reads a form, then the person, and last the tokens of forms,
    # whose refusal is a page that depends on who is signed in.
    safety.install(app)
    people.install(app)
    safety.install_for_forms(app)
    error_responses.install(app)
    app.context_processor(_shown_everywhere)
    app.url_defaults(_with_version)
    # Without a proxy anybody could send these headers. Of each, only the value that the nearest proxy added
    # counts: what stands before it, the client may have sent.
    if is_behind_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)  # type: ignore[method-assign]
    return app


def _shown_everywhere() -> dict[str, Any]:
    """Return the variables of the layout; none reads the database, which may be away."""
    person = g.get("person")
    is_administrator = person is not None and person.is_administrator
    linked = [page for page in PAGES if page.title and (is_administrator or not page.is_for_administrators)]
    return {"person": person, "navigation": linked if person else []}


def _with_version(endpoint: str, values: dict[str, Any]) -> None:
    """Add a checksum to the address of a static file, so that browsers may cache it for ever."""
    if endpoint == "static":
        values["v"] = _version(str(values["filename"]))


@cache
def _version(name: str) -> str:
    return f"{zlib.crc32((_STATIC / name).read_bytes()):08x}"
