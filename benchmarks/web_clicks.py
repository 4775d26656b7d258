"""People who click through the site, and how long they wait."""

from __future__ import annotations

import http.client
import itertools
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from benchmarks.web_server import WORK_HEADER, RunningSite

_TIMEOUT_S = 120


@dataclass(frozen=True)
class Click:
    """One request.

    Attributes
    ----------
    address
        Address of the page.
    work_s
        How long the site worked on it.
    wall_s
        How long the person waited for the whole response.
    """

    address: str
    work_s: float
    wall_s: float


class Person:
    """Somebody who is signed in, with one connection to the site."""

    def __init__(self, site: RunningSite, cookie: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=_TIMEOUT_S)
        self._headers = {"Cookie": cookie, "Accept-Encoding": "gzip"}

    def click(self, address: str, headers: Mapping[str, str] | None = None) -> tuple[Click, str]:
        """Request a page; return the click, and the page's ETag.

        Raises
        ------
        RuntimeError
            The site responds with an error.
        """
        start = time.perf_counter()
        self._connection.request("GET", address, headers={**self._headers, **(headers or {})})
        response = self._connection.getresponse()
        response.read()
        took_s = time.perf_counter() - start
        if response.status >= 400:
            raise RuntimeError(f"{address} has status {response.status}")
        return Click(address, float(response.headers[WORK_HEADER]), took_s), response.headers.get("ETag", "")

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def clicks(site: RunningSite, pages: Sequence[str], number: int, pause_s: float) -> list[Click]:
    """Let all people click at the same time, each through all pages in turn.

    Parameters
    ----------
    site
        The site.
    pages
        Their addresses.
    number
        Clicks of all people together.
    pause_s
        How long a person looks at a page, on average.
    """
    share = -(-number // len(site.cookies))

    def click_through(person_number: int) -> list[Click]:
        chance = random.Random(person_number)
        own = list(pages)
        chance.shuffle(own)
        made = []
        with closing(Person(site, site.cookies[person_number])) as person:
            for address in itertools.islice(itertools.cycle(own), share):
                time.sleep(chance.uniform(0, 2 * pause_s))
                made.append(person.click(address)[0])
        return made

    with ThreadPoolExecutor(len(site.cookies)) as pool:
        return [click for made in pool.map(click_through, range(len(site.cookies))) for click in made]
