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
from benchmarks.web_content import CellSession, fill
from benchmarks.web_server import RunningSite, kind, running_site
from imaging_pipeline.config.config import Config

_FLOOR = "/health"
_PAGE_MS, _FIRST_MS, _ZOOMED_MS = 150, 100, 50
_FEW = 1000
"""Requests after which memory is measured first: by then every thread has served every page."""


@dataclass(frozen=True)
class Size:
    """What is in the database, how many clicks are made, and after how many requests memory is measured."""

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
    cell_session = call_fresh(fill, config, lab, size.sessions, size.cells, size.frames).result
    with running_site(config, lab, size.people) as site:
        yield from _page_rows(size, site, cell_session)
        with closing(Person(site, site.cookies[0])) as person:
            yield from _viewer_rows(size, person, cell_session)
        yield from _memory_rows(size, site)


def _page_rows(size: Size, site: RunningSite, cell_session: CellSession) -> Iterator[Measurement]:
    pages = (*site.pages, *cell_session.pages, _FLOOR)
    # Each thread connects, and compiles templates, once.
    once = len(pages) * size.people
    clicks(site, pages, once, 0)
    before_s = _cpu_s(site)
    timed = clicks(site, pages, max(size.clicks, once), size.pause_ms / 1e3)
    cpu_ms = (_cpu_s(site) - before_s) / len(timed) * 1e3
    by_page: dict[str, list[Click]] = defaultdict(list)
    for click in timed:
        by_page[_label(click.address, site)].append(click)
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
    waited, waited_floor = (_percentile_ms([click.wall_s for click in some]) for some in (timed, floor))
    yield Measurement(
        f"any page, as {size.people} people wait, {cell_session.num_jobs:,} jobs",
        waited,
        "ms",
        _FLOOR,
        waited_floor,
    )
    yield Measurement("processor time of the site for a click, mean", cpu_ms, "ms")


def _viewer_rows(size: Size, person: Person, cell_session: CellSession) -> Iterator[Measurement]:
    """Measure the viewer with one person, while nobody else clicks."""
    floor_ms = _work_ms([person.click(_FLOOR)[0] for _ in range(size.looks)])
    traces, middle = f"{cell_session.address}traces?points=2000", size.frames // 2
    zoomed = f"&first={middle}&end={min(middle + 2000, size.frames)}"
    of_one = "&cells={cell}&quantities=fluo,neuropil,df_f,spikes"
    cells = [number % min(size.cells, 24) for number in range(size.looks)]
    regions = f"{cell_session.address}regions"
    tagged = [person.click(regions) for _ in range(size.looks)]
    again = [person.click(regions, {"If-None-Match": tag})[0] for _, tag in tagged]
    for name, made, at_most in (
        (
            "first trace of a cell, four quantities",
            _clicks(person, traces + of_one, cells),
            _FIRST_MS,
        ),
        ("the same, zoomed in", _clicks(person, traces + of_one + zoomed, cells), _ZOOMED_MS),
        (f"regions of {size.cells:,} cells", [click for click, _ in tagged], None),
        ("the same, known to the browser", again, None),
    ):
        yield Measurement(name, _work_ms(made), "ms", _FLOOR, floor_ms, at_most=at_most)


def _clicks(person: Person, address: str, cells: Sequence[int]) -> list[Click]:
    return [person.click(address.format(cell=cell))[0] for cell in cells]


def _memory_rows(size: Size, site: RunningSite) -> Iterator[Measurement]:
    few = min(_FEW, size.requests // 2)
    clicks(site, site.pages, few, 0)
    before = _resident_mb(site)
    clicks(site, site.pages, size.requests - few, 0)
    yield Measurement(
        f"memory of the site after {size.requests:,} requests",
        _resident_mb(site),
        "MB",
        f"after {few:,}",
        before,
        at_most_ratio=1.05,
    )


def _label(address: str, site: RunningSite) -> str:
    """Return the name of a kind of page; of pages far down in lists, the address."""
    first = next((page for page in site.pages if kind(page) == kind(address)), address)
    return kind(address) if first == address else address


def _work_ms(made: Sequence[Click]) -> float:
    return _percentile_ms([click.work_s for click in made])


def _percentile_ms(seconds: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return float(np.percentile(seconds, 95)) * 1e3


def _cpu_s(site: RunningSite) -> float:
    times = psutil.Process(site.pid).cpu_times()
    return float(times.user + times.system)


def _resident_mb(site: RunningSite) -> float:
    return psutil.Process(site.pid).memory_info().rss / 1e6


SCRIPT = Script(
    full=Size(),
    tiny=Size(sessions=2, cells=3, frames=30, people=2, clicks=1, pause_ms=0, looks=1, requests=80),
    measure=measure,
    on_servers=True,
)

if __name__ == "__main__":
    run(SCRIPT)
