"""The site in a process of its own, with a header that says how long it worked on a request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.fresh_process import PROCESSES
from benchmarks.web_content import site_config
from imaging_pipeline.config.config import Config

if TYPE_CHECKING:
    from tests.makers.site import Visitor

WORK_HEADER = "X-Work-Seconds"
_THREADS = 8

# Far down in long lists, and searches over all rows.
_DEEP = (
    "/folders/?page=100",
    "/folders/?state=error",
    "/folders/?animal=90218&page=50",
    "/sessions/?page=100",
    "/sessions/?name=openfield&animal=90218&page=50",
    "/jobs/list?status=success&page=1000",
    "/jobs/list?status=error",
)

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class RunningSite:
    """A site that runs.

    Attributes
    ----------
    port
        Its port on loopback.
    pid
        Number of its process.
    cookies
        One for each person, who is signed in.
    pages
        The address of one page of each kind that others lead to, and some far down in lists.
    """

    port: int
    pid: int
    cookies: tuple[str, ...]
    pages: tuple[str, ...]


@contextmanager
def running_site(config: Config, folder: Path, people: int) -> Iterator[RunningSite]:
    """Run the site of the laboratory in a folder."""
    receiver, sender = PROCESSES.Pipe()
    process = PROCESSES.Process(target=_serve, args=(config, folder, people, sender))
    process.start()
    sender.close()
    try:
        port, cookies, pages = receiver.recv()
        yield RunningSite(port, int(process.pid or 0), cookies, pages)
    finally:
        process.terminate()
        process.join()


def _serve(config: Config, folder: Path, people: int, sender: Any) -> None:
    # There are more people than threads: it warns each time that one waits.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    from imaging_pipeline import database
    from imaging_pipeline.web.app import create_app
    from imaging_pipeline.web.serve import make_server
    from tests.makers.lab import Lab
    from tests.makers.site import ADMINISTRATOR, Site

    here = site_config(config, folder)
    site = Site(Lab(here, database.connect(here), folder), create_app(here, secret_key="of the benchmark"))
    visitors = [site.visitor(ADMINISTRATOR) for _ in range(people)]
    name = str(site.app.config["SESSION_COOKIE_NAME"])
    cookies = [f"{name}={visitor.client.get_cookie(name).value}" for visitor in visitors]
    pages = (*_one_of_each_kind(visitors[0]), *_DEEP)
    site.app.wsgi_app = _timed(site.app.wsgi_app)
    server = make_server(site.app, host="127.0.0.1", port=0, threads=_THREADS)
    sender.send((server.effective_port, tuple(cookies), pages))
    server.run()


def _timed(app: Wsgi) -> Wsgi:
    def timed(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start = time.perf_counter()

        def respond(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            took_s = time.perf_counter() - start
            return start_response(status, [*headers, (WORK_HEADER, f"{took_s:.6f}")], *rest)

        return app(environ, respond)

    return timed


def _one_of_each_kind(visitor: Visitor) -> Iterator[str]:
    from tests.makers.site import links_of

    queue, seen = ["/"], {kind("/")}
    while queue:
        address = queue.pop(0)
        page = visitor.get(address)
        yield address
        if page.mimetype == "text/html":
            redirects = {page.headers["Location"]} if "Location" in page.headers else set()
            # A link to another part of the same page has no query.
            for link in sorted((links_of(page) | redirects) - {page.request.path}):
                if kind(link) not in seen and not link.startswith("/static/"):
                    seen.add(kind(link))
                    queue.append(link)


def kind(address: str) -> str:
    """Return the kind of a page: its address without names and values."""
    from tests.makers.crawler import shape

    names = sorted(parse_qs(urlsplit(address).query))
    return f"{shape(address)}{'?' if names else ''}{'&'.join(names)}"
