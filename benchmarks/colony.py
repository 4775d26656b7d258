"""How long a comparison with a whole colony takes, and how much memory it needs."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fresh_process import FreshCall, call_fresh
from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from imaging_pipeline.config.config import Config, Secret
from tests.makers import mariadb
from tests.makers.colony import PASSWORD, Colony, many_mice


@dataclass(frozen=True)
class Size:
    """How many animals there are, how many in a small colony, and how often it is compared unchanged."""

    animals: int = 50_000
    few: int = 5_000
    repeats: int = 3


def measure(size: Size, folder: Path, config: Config) -> Iterator[Measurement]:
    if not mariadb.is_installed():
        return
    with _colony() as colony:
        colony.add(*many_mice(size.few))
        few = _compared(colony, config, 1, 1)
        colony.add(*many_mice(size.animals)[size.few :])
        all_animals = _compared(colony, config, 2, size.repeats)
    first_s, again_s, read_s = all_animals.result
    name = f"{size.animals:,} animals"
    yield Measurement(f"take in {name} from a colony", first_s, "s", "only read them", read_s, at_most=60)
    yield Measurement("the same, unchanged", again_s, "s", "only read them", read_s, at_most=5)
    yield Measurement(
        f"memory to take in {name}",
        all_animals.peak_mb,
        "MB",
        f"{size.few:,}",
        few.peak_mb,
        at_most_ratio=1.2,
    )


@contextmanager
def _colony() -> Iterator[Colony]:
    """Run a colony system's database on a server of its own."""
    with tempfile.TemporaryDirectory() as data, mariadb.running(Path(data)) as server:
        yield Colony(server)


def _compared(colony: Colony, config: Config, datasource_id: int, repeats: int) -> FreshCall:
    settings = colony.settings(datasource_id=datasource_id)
    configured = dataclasses.replace(config, mlims_source=settings, mlims_password=Secret(PASSWORD))
    # A process of its own: tables are bound to one database, and memory is the peak of a process.
    return call_fresh(_compare, configured, repeats)


def _compare(config: Config, repeats: int) -> tuple[float, float, float]:
    """Return the seconds of a first comparison, of one without changes, and of reading alone."""
    from imaging_pipeline import database
    from imaging_pipeline.colony.sources.registry import configured_source
    from imaging_pipeline.colony.sync import sync
    from imaging_pipeline.schemas import tables

    database.init_db(config)
    source: Any = configured_source(config)
    start = time.perf_counter()
    sync(tables.default_tables(), source)
    first_s = time.perf_counter() - start
    again_s, read_s = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        sync(tables.default_tables(), source)
        again_s.append(time.perf_counter() - start)
        start = time.perf_counter()
        _read(source)
        read_s.append(time.perf_counter() - start)
    return first_s, min(again_s), min(read_s)


def _read(source: Any) -> None:
    with source.snapshot() as snapshot:
        for records in (snapshot.animals, snapshot.genotypes):
            for _ in records:
                pass


SCRIPT = Script(full=Size(), tiny=Size(animals=30, few=10, repeats=1), measure=measure, on_servers=True)

if __name__ == "__main__":
    run(SCRIPT)
