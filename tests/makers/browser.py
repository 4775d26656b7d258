"""The Chromium of the distribution, and a site that it can reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from imaging_pipeline.web import links
from tests.makers.chromium import CHROMIUM
from tests.makers.site import Site, listening

AXE = Path(__file__).parents[1] / "web" / "browser" / "axe" / "axe.min.js"

_FLAGS = (
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)
_OF_RESPONSES = ("Failed to load resource", "Response Status Error Code")
_SERIOUS = ("serious", "critical")
# More than any page takes on a busy machine.
_TIMEOUT_MS = 30_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium."""
    expect.set_options(timeout=_TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        yield browser
        browser.close()


@dataclass
class OpenSite:
    """A site that is served on the loopback address, and a browser to look at it.

    Attributes
    ----------
    site
        The site.
    address
        Where it is served.
    complaints
        Errors on the browser's console: refused scripts and styles, errors of scripts.
    """

    site: Site
    address: str
    browser: Browser
    complaints: list[str]

    def page(self, path: str, *, width: int = 1280, height: int = 800) -> Page:
        """Return a window of a new person who opens a page."""
        context = self.browser.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(_TIMEOUT_MS)
        page = context.new_page()
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(self.address + path)
        return page

    def signed_in(self, username: str, path: str, **how: Any) -> Page:
        """Return a window of a person who is signed in and opens a page."""
        token = self.site.app.extensions[links.EXTENSION].create(username)
        page = self.page(f"/sign-in/link/{token}", **how)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/sign-in/" not in url)
        page.goto(self.address + path)
        return page

    def _on_console(self, message: ConsoleMessage) -> None:
        # Browser and htmx log every response without success; what such a page shows is for the tests.
        if message.type == "error" and not message.text.startswith(_OF_RESPONSES):
            self.complaints.append(message.text)


@contextmanager
def served(site: Site, browser: Browser) -> Iterator[OpenSite]:
    """Serve a site in a thread, and yield it with a browser."""
    with listening(site.app) as address:
        yield OpenSite(site, address, browser, [])
        # Before the site closes: open pages would send requests to a server that is gone.
        for context in browser.contexts:
            context.close()


def faults(page: Page) -> list[str]:
    """Return the serious accessibility faults that axe finds on a page, each with its element."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    results = page.evaluate("axe.run()")
    return [
        f"{fault['id']}: {fault['help']} at {node['target']}"
        for fault in results["violations"]
        if fault["impact"] in _SERIOUS
        for node in fault["nodes"]
    ]
