"""The web page on a lab's database, and people who visit it as their browsers would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from imaging_pipeline.schemas import imaging
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.server.connection_errors import server_name
from imaging_pipeline.web import connections, links
from imaging_pipeline.web.app import create_app
from imaging_pipeline.web.serve import make_server
from tests.makers.lab import Lab

ON_ONE_SERVER = pytest.mark.parametrize("server_config", ["postgresql"], indirect=True)
"""For tests in which the kind of database server makes no difference."""

ADMINISTRATOR = "bob"
EXPERIMENTER = "anna"


@dataclass(frozen=True)
class HtmlForm:
    """A form of a page.

    Attributes
    ----------
    action, method
        Where it is sent, and how.
    fields
        Name → value of each field as the page shows it.
    files
        Names of the fields that take a file.
    choices
        Name → values of each field with fixed choices: selects, boxes and buttons.
    token
        The token of the page, which htmx sends.
    """

    action: str
    method: str
    fields: dict[str, str]
    files: tuple[str, ...]
    choices: dict[str, tuple[str, ...]]
    token: str


@dataclass(frozen=True)
class Site:
    """The web page of a lab."""

    lab: Lab
    app: Flask

    def visitor(self, username: str | None = None) -> Visitor:
        """Return a browser, in which a user is signed in already, or nobody."""
        visitor = Visitor(self)
        if username is not None:
            link = f"/sign-in/link/{self.app.extensions[links.EXTENSION].create(username)}"
            assert visitor.send(visitor.form(visitor.get(link), link)).status_code == 302
        return visitor


class Visitor:
    """A person's browser: it stores cookies, and sends forms with their fields and tokens."""

    def __init__(self, site: Site) -> None:
        self.client = site.app.test_client()

    def get(self, path: str, **how: Any) -> TestResponse:
        return self.client.get(path, buffered=True, **how)

    def part(self, path: str, **headers: str) -> TestResponse:
        """Request a part of a page, as htmx does."""
        return self.client.get(path, headers={"HX-Request": "true", **headers})

    def form(self, page: TestResponse, action: str) -> HtmlForm:
        """Return the form of a page that is sent to an address."""
        return next(form for form in html_forms(page) if form.action == action)

    def fill(self, path: str, typed: Mapping[str, Any] | None = None, *, action: str = "") -> TestResponse:
        """Open a page, type into its form, and send it."""
        return self.send(self.form(self.get(path), action or path), typed)

    def send(self, form: HtmlForm, typed: Mapping[str, Any] | None = None) -> TestResponse:
        """Send a form with what was typed into it; as a browser does, with the page's origin."""
        values = {**form.fields, **(typed or {})}
        if form.method == "get":
            return self.get(form.action, query_string=values)
        headers = {"Origin": "http://localhost"}
        if "csrf_token" not in form.fields:
            headers |= {"HX-Request": "true", "X-CSRFToken": form.token}
        response = self.client.post(form.action, data=values, headers=headers)
        # The client leaves what it sent open, a large file on disk; a server would close the connection.
        response.request.environ["wsgi.input"].close()
        return response


def html_forms(page: TestResponse) -> list[HtmlForm]:
    """Return the forms of a page, and the requests that htmx sends without one."""
    parser = _Forms(page.request.path)
    parser.feed(page.get_data(as_text=True))
    return parser.forms


def links_of(page: TestResponse) -> set[str]:
    """Return the addresses that a page leads to, on this site."""
    parser = _Forms(page.request.path)
    parser.feed(page.get_data(as_text=True))
    return {link for link in parser.links if link.startswith("/")}


# Application and connection by server: compiling templates and connecting takes longer than most tests.
_apps: dict[str, Flask] = {}
_tables: dict[str, Tables] = {}


@contextmanager
def running_site(lab: Lab) -> Iterator[Site]:
    """Yield the site of a lab, which has an administrator and an experimenter."""
    imaging.User.insert1({"username": ADMINISTRATOR, "first_name": "Bob", "is_staff": True})
    server = server_name(lab.config)
    if server not in _apps:
        _apps[server] = create_app(lab.config, secret_key="of the tests")
    app = _apps[server]
    of_site = app.extensions[connections.EXTENSION] = connections.Connections(lab.config)
    if server in _tables:
        of_site._of_thread.tables = replace(_tables[server], config=lab.config)
    else:
        _tables[server] = of_site.tables()
        of_site._all.clear()
    yield Site(lab, app)
    of_site.close()


@contextmanager
def listening(app: Flask, **how: Any) -> Iterator[str]:
    """Serve a site in a thread, and yield its address."""
    server = make_server(app, host="127.0.0.1", port=0, threads=4, **how)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # First: a thread that has just answered still uses the server.
        server.task_dispatcher.shutdown()
        # In the thread of the server: it must not select sockets that are closed already.
        server.trigger.pull_trigger(partial(_close, server))
        thread.join()
        app.extensions[connections.EXTENSION].close()


def _close(server: Any) -> None:
    """Take no more connections, and end those that are open."""
    server.close()
    for channel in list(server.active_channels.values()):
        channel.handle_close()


class _Forms(HTMLParser):
    """Finds links, forms, and elements with ``hx-post``."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self.forms: list[HtmlForm] = []
        self.links: set[str] = set()
        self._in: HtmlForm | None = None
        self._text = self._select = self._token = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        attrs = {name: value or "" for name, value in attributes}
        if "hx-headers" in attrs:
            self._token = json.loads(attrs["hx-headers"])["X-CSRFToken"]
        for link in ("href", "hx-get"):
            if link in attrs and tag != "link" and not attrs[link].startswith("#"):
                self.links.add(urljoin(self._path, attrs[link]).partition("#")[0])
        if tag == "form":
            method = "post" if "hx-post" in attrs else attrs.get("method", "get").lower()
            self._in = self._form(attrs.get("action") or attrs.get("hx-post") or self._path, method)
        elif "hx-post" in attrs:
            around = self._in.fields if self._in is not None else {}
            sent = {**around, **json.loads(attrs.get("hx-vals") or "{}")}
            self._form(attrs["hx-post"], "post").fields.update(sent)
        elif self._in is not None and tag in ("input", "select", "textarea", "option", "button"):
            self._field(self._in, tag, attrs)

    def handle_data(self, data: str) -> None:
        if self._text and self._in is not None:
            self._in.fields[self._text] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in = None
        elif tag in ("textarea", "select"):
            if self._text and self._in is not None:  # the line break that follows the tag is none of the text
                self._in.fields[self._text] = self._in.fields[self._text].lstrip("\r\n")
            self._text = self._select = ""

    def _form(self, action: str, method: str) -> HtmlForm:
        form = HtmlForm(urljoin(self._path, action), method, {}, (), {}, self._token)
        self.forms.append(form)
        return form

    def _field(self, form: HtmlForm, tag: str, attrs: dict[str, str]) -> None:
        name = attrs.get("name", "")
        if tag == "option":
            self._option(form, attrs)
        elif tag == "select":
            self._select = name
            form.choices[name] = ()
        elif tag == "textarea":
            self._text = name
            form.fields[name] = ""
        elif tag == "input" and attrs.get("type") == "file":
            self._in = self.forms[-1] = replace(form, files=(*form.files, name))
        elif name:
            is_chosen = tag == "button" or attrs.get("type") in ("checkbox", "radio")
            if is_chosen:
                form.choices[name] = (*form.choices.get(name, ()), attrs.get("value", "on"))
            if tag == "button" or not is_chosen or "checked" in attrs:
                form.fields[name] = attrs.get("value", "on" if is_chosen else "")

    def _option(self, form: HtmlForm, attrs: dict[str, str]) -> None:
        value = attrs.get("value", "")
        form.choices[self._select] += (value,)
        if "selected" in attrs or self._select not in form.fields:
            form.fields[self._select] = value
