"""A real browser; skipped where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.makers.chromium import CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.makers.browser import OpenSite
    from tests.makers.site import Site


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run the distribution's Chromium."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed here")
    from tests.makers.browser import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture
def opened(site: Site, browser: Browser) -> Iterator[OpenSite]:
    """Return the site, served; at its end the browser must have had nothing to complain of."""
    from tests.makers.browser import served

    with served(site, browser) as opened:
        yield opened
    assert opened.complaints == []


@pytest.fixture
def open_page(opened: OpenSite) -> Callable[..., Page]:
    """Return a function that opens a page for a user: ``open_page("anna", "/options/")``."""

    def open_page(username: str, path: str, **how: Any) -> Page:
        return opened.signed_in(username, path, **how)

    return open_page


@pytest.fixture
def look(tmp_path: Path) -> Callable[[Page, str], Path]:
    """Return a function that keeps a picture of a page, to be looked at."""

    def look(page: Page, name: str) -> Path:
        picture = tmp_path / f"{name}.png"
        page.screenshot(path=picture, full_page=True)
        return picture

    return look
