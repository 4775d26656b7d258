"""A crawler of the site: it opens every page that another page links to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import TestResponse

from tests.makers.site import HtmlForm, Site, html_forms, links_of

_MANY_PAGES = 300


class Crawler:
    """A signed-in person who opens every page, and signs in again where a form signed them out."""

    def __init__(self, site: Site, username: str) -> None:
        self._site = site
        self._username = username
        self.visitor = site.visitor(username)
        self.pages = dict(self._pages())

    def kinds_of_pages(self) -> list[str]:
        """Return the address of one page of each kind, and of no part of a page."""
        kinds: dict[str, str] = {}
        for path, page in self.pages.items():
            if page.status_code == 200 and page.text.startswith("<!doctype html>"):
                kinds.setdefault(shape(path), path)
        return list(kinds.values())

    def forms(self) -> dict[tuple[Any, ...], tuple[str, HtmlForm]]:
        """Return each form once, with a page that has it."""
        forms: dict[tuple[Any, ...], tuple[str, HtmlForm]] = {}
        for path, page in self.pages.items():
            for form in html_forms(page):
                kind = (shape(form.action), form.method, tuple(sorted({*form.fields, *form.files})))
                forms.setdefault(kind, (path, form))
        return forms

    def stay(self) -> None:
        """Sign in again where the last form has ended the session."""
        if self.visitor.get("/password").status_code == 302:
            self.visitor = self._site.visitor(self._username)

    def _pages(self) -> Iterator[tuple[str, TestResponse]]:
        waiting, seen = ["/"], {"/"}
        while waiting and len(seen) < _MANY_PAGES:
            path = waiting.pop(0)
            page = self.visitor.get(path)
            assert page.status_code < 400, f"{path} is linked, and answers {page.status_code}"
            yield path, page
            if page.mimetype == "text/html":
                leads = {urlsplit(page.headers["Location"]).path} if "Location" in page.headers else set()
                new = {link for link in links_of(page) | leads if not link.startswith("/static/")} - seen
                waiting += sorted(new)
                seen |= new


def shape(address: str) -> str:
    """Return an address without numbers, hashes and names: of addresses with one shape, one is tested."""
    path = urlsplit(address).path
    return re.sub(r"/[^/]*\d[^/]*", "/…", re.sub(r"/set/[^/]*", "/set/…", path))
