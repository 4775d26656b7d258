"""How long the site works on each kind of page while people click, and whether its memory stays flat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks.fresh_process import call_fresh
from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from benchmarks.web_clicks import Click, Person, clicks
from benchmarks.web_content import Viewed, fill
from benchmarks.web_server import Served, kind, serving
from imaging_pipeline.config.config import Config

_FLOOR = "/health"
_PAGE_MS, _FIRST_MS, _ZOOMED_MS = 150, 100, 50
_FEW = 1000
"""Requests after which memory is looked at first: by then every thread has answered every page."""


@dataclass(frozen=True)
class Size:
    """What is in the database, how many clicks are made, and after how many requests memory is looked at."""

    sessions: int = 11_200  # with nine job rows each
    cells: int = 2000
    frames: int = 100_000
    people: int = 20
    clicks: int = 4000
    pause_ms: int = 1000
    looks: int = 40
    requests: int = 10_000


def measure(size: Size, folder: Path, config: Config) -> Iterator[Measurement]:
    # The tables are bound to one database a process.
    lab = folder / "lab"
    viewed = call_fresh(fill, config, lab, size.sessions, size.cells, size.frames).result
    with serving(config, lab, size.people) as served:
        yield from _of_pages(size, served, viewed)
        with closing(Person(served, served.cookies[0])) as person:
            yield from _of_viewer(size, person, viewed)
        yield from _of_memory(size, served)


def _of_pages(size: Size, served: Served, viewed: Viewed) -> Iterator[Measurement]:
    pages = (*served.pages, *viewed.pages, _FLOOR)
    # Each thread connects, and compiles templates, once.
    once = len(pages) * size.people
    clicks(served, pages, once, 0)
    before_s = _cpu_s(served)
    found = clicks(served, pages, max(size.clicks, once), size.pause_ms / 1e3)
    cpu_ms = (_cpu_s(served) - before_s) / len(found) * 1e3
    by_page: dict[str, list[Click]] = defaultdict(list)
    for click in found:
        by_page[_label(click.address, served)].append(click)
    floor = by_page.pop(_FLOOR)
    for page, made in sorted(by_page.items()):
        yield Measurement(
            f"page {page}",
            _work_ms(made),
            "ms",
            _FLOOR,
            _work_ms(floor),
            at_most=_PAGE_MS,
        )
    waited, waited_floor = (_late_ms([each.wall_s for each in some]) for some in (found, floor))
    yield Measurement(
        f"any page, as {size.people} people wait, {viewed.num_jobs:,} jobs",
        waited,
        "ms",
        _FLOOR,
        waited_floor,
    )
    yield Measurement("processor time of the site for a click, mean", cpu_ms, "ms")


def _of_viewer(size: Size, person: Person, viewed: Viewed) -> Iterator[Measurement]:
    """Let one person ask, with nobody else there."""
    floor_ms = _work_ms([person.click(_FLOOR)[0] for _ in range(size.looks)])
    traces, middle = f"{viewed.address}traces?points=2000", size.frames // 2
    zoomed = f"&first={middle}&end={min(middle + 2000, size.frames)}"
    of_one = "&cells={cell}&quantities=fluo,neuropil,df_f,spikes"
    cells = [number % min(size.cells, 24) for number in range(size.looks)]
    regions = f"{viewed.address}regions"
    marks = [person.click(regions) for _ in range(size.looks)]
    again = [person.click(regions, {"If-None-Match": mark})[0] for _, mark in marks]
    for name, made, at_most in (
        ("first trace of a cell, four quantities", _asked(person, traces + of_one, cells), _FIRST_MS),
        ("the same, zoomed in", _asked(person, traces + of_one + zoomed, cells), _ZOOMED_MS),
        (f"regions of {size.cells:,} cells", [click for click, _ in marks], None),
        ("the same, known to the browser", again, None),
    ):
        yield Measurement(name, _work_ms(made), "ms", _FLOOR, floor_ms, at_most=at_most)


def _asked(person: Person, address: str, cells: Sequence[int]) -> list[Click]:
    return [person.click(address.format(cell=cell))[0] for cell in cells]


def _of_memory(size: Size, served: Served) -> Iterator[Measurement]:
    few = min(_FEW, size.requests // 2)
    clicks(served, served.pages, few, 0)
    before = _resident_mb(served)
    clicks(served, served.pages, size.requests - few, 0)
    yield Measurement(
        f"memory of the site after {size.requests:,} requests",
        _resident_mb(served),
        "MB",
        f"after {few:,}",
        before,
        at_most_ratio=1.05,
    )


def _label(address: str, served: Served) -> str:
    """Name a kind of page; those far down in lists by their address."""
    first = next((page for page in served.pages if kind(page) == kind(address)), address)
    return kind(address) if first == address else address


def _work_ms(made: Sequence[Click]) -> float:
    return _late_ms([each.work_s for each in made])


def _late_ms(seconds: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return float(np.percentile(seconds, 95)) * 1e3


def _cpu_s(served: Served) -> float:
    times = psutil.Process(served.pid).cpu_times()
    return float(times.user + times.system)


def _resident_mb(served: Served) -> float:
    return psutil.Process(served.pid).memory_info().rss / 1e6


SCRIPT = Script(
    full=Size(),
    tiny=Size(sessions=2, cells=3, frames=30, people=2, clicks=1, pause_ms=0, looks=1, requests=80),
    measure=measure,
    on_servers=True,
)

if __name__ == "__main__":
    run(SCRIPT)
