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

from benchmarks.web_server import WORK_HEADER, Served

_TIMEOUT_S = 120


@dataclass(frozen=True)
class Click:
    """One request.

    Attributes
    ----------
    address
        What was asked for.
    work_s
        How long the site was at work on it.
    wall_s
        How long the person waited for the whole answer.
    """

    address: str
    work_s: float
    wall_s: float


class Person:
    """Somebody who is signed in, with one connection to the site."""

    def __init__(self, served: Served, cookie: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=_TIMEOUT_S)
        self._headers = {"Cookie": cookie, "Accept-Encoding": "gzip"}

    def click(self, address: str, headers: Mapping[str, str] | None = None) -> tuple[Click, str]:
        """Ask for a page, and give the mark of its content, too.

        Raises
        ------
        RuntimeError
            The site refuses it.
        """
        start = time.perf_counter()
        self._connection.request("GET", address, headers={**self._headers, **(headers or {})})
        answer = self._connection.getresponse()
        answer.read()
        took_s = time.perf_counter() - start
        if answer.status >= 400:
            raise RuntimeError(f"{address} answers {answer.status}")
        return Click(address, float(answer.headers[WORK_HEADER]), took_s), answer.headers.get("ETag", "")

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def clicks(served: Served, pages: Sequence[str], number: int, pause_s: float) -> list[Click]:
    """Let all people click at the same time, ``number`` times together, each through all pages in turn.

    Parameters
    ----------
    served
        The site.
    pages
        Their addresses.
    number
        Clicks in all.
    pause_s
        How long a person looks at a page, on average.
    """
    share = -(-number // len(served.cookies))

    def go_through(place: int) -> list[Click]:
        chance = random.Random(place)
        own = list(pages)
        chance.shuffle(own)
        made = []
        with closing(Person(served, served.cookies[place])) as person:
            for address in itertools.islice(itertools.cycle(own), share):
                time.sleep(chance.uniform(0, 2 * pause_s))
                made.append(person.click(address)[0])
        return made

    with ThreadPoolExecutor(len(served.cookies)) as pool:
        return [click for made in pool.map(go_through, range(len(served.cookies))) for click in made]
