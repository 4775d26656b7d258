"""Every page that is linked, in a real browser: a new page is tested without further code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.makers.browser import OpenSite, faults
from tests.makers.crawler import Crawler
from tests.makers.furnished import furnish
from tests.makers.site import ON_ONE_SERVER

WIDTHS = (1280, 800)


@pytest.mark.slow(reason="axe examines every page of the site, and each is laid out in two widths")
@ON_ONE_SERVER
@pytest.mark.parametrize("username", ["anna", "bob"])
def test_pages_have_no_serious_fault_and_fit_the_window(
    opened: OpenSite, look: Callable[[Page, str], Path], username: str
) -> None:
    furnish(opened.site.lab)
    page = opened.signed_in(username, "/")
    wrong = []
    for path in Crawler(opened.site, username).kinds_of_pages():
        page.goto(opened.address + path)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            look(page, f"{path.strip('/').replace('/', '_').partition('?')[0]}_{width}")
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                wrong.append(f"{path} is wider than {width} pixels")
        wrong += [f"{path}: {fault}" for fault in faults(page)]
    assert wrong == []
