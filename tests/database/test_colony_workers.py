"""Workers on the lane `mlims`, beside others that carry out what waited for an animal."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from imaging_pipeline.config.config import Config, Secret
from imaging_pipeline.lanes import LANES
from imaging_pipeline.schemas import imaging, mlims, tables
from imaging_pipeline.schemas.register.pending_animals import PendingAnimalWarning
from imaging_pipeline.workers.messages import Event, Finished, Idle
from imaging_pipeline.workers.pipeline_tables import PipelineTables
from imaging_pipeline.workers.run import run_worker
from tests.makers.colony_sources import KINDS, PASSWORD, CsvKind, MysqlKind
from tests.makers.folders import OPEN_FIELD, write_folder
from tests.makers.lab import Lab
from tests.makers.processes import at_once, fast_processes

IDLE_S = 0.1
EVERY_MIN = 30
NUM_ASKED = 3
"""How often it is asked whether it is time, before it is and after it was."""
HERE = {"animal_id": "a0f1", "animal_name": "90218"}
NEW = {"animal_id": "b1", "animal_name": "90300"}

INGEST = next(lane for lane in LANES if lane.name == "ingest")
MLIMS = next(lane for lane in LANES if lane.name == "mlims")
(COMPARISON,) = MLIMS.periodic_tasks
ASKING_OFTEN = replace(MLIMS, periodic_tasks=(replace(COMPARISON, every_s=IDLE_S),))

Source = CsvKind | MysqlKind


@pytest.fixture(params=KINDS, ids=[kind.kind for kind in KINDS])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    """Return a colony system of each kind."""
    needs_server = request.param is MysqlKind
    source: Source = request.param(
        tmp_path, request.getfixturevalue("mariadb_server") if needs_server else None
    )
    return source


@pytest.fixture
def config(lab: Lab, source: Source) -> Iterator[Config]:
    """Return the configuration of a worker whose machine names the source, which the lab has, too."""
    source.write([HERE, NEW])
    config = replace(
        lab.config,
        mlims_source=source.settings(),
        mlims_password=Secret(PASSWORD),
        mlims_every_min=EVERY_MIN,
    )
    bound = tables.default_tables()
    tables.bind(replace(bound, config=config))
    yield config
    tables.bind(replace(tables.default_tables(), config=lab.config))


def work(config: Config, on_event: Callable[[Event], None], *, once: bool = True) -> None:
    tables = PipelineTables(fast_processes().get_start_method())
    run_worker((ASKING_OFTEN, INGEST), once, IDLE_S, config, on_event, tables=tables)


def messages(events: list[Event]) -> list[str]:
    """Return what came of what was done."""
    return [event.message for event in events if isinstance(event, Finished) and event.message]


def pass_minutes(minutes: int) -> None:
    """Let all comparisons be older by some minutes."""
    connection = tables.default_tables().connection
    ago = connection.adapter.interval_expr(60 * minutes, "second")
    connection.query(f"UPDATE {mlims.Sync.full_table_name} SET sync_started = sync_started - {ago}")


def test_a_worker_takes_up_an_animal_and_then_the_folder_that_waited_for_it(lab: Lab, config: Config) -> None:
    folder = write_folder(lab.share / "90300" / "day1", OPEN_FIELD)
    with pytest.warns(PendingAnimalWarning, match="the colony system was not compared with yet"):
        imaging.BaseFolder.add(**lab.request(folder, combined=True) | {"animal": "90300"})
    events: list[Event] = []
    work(config, events.append)
    source = mlims.Sync().fetch1("sync_source")
    assert messages(events) == [
        f"Compared 2 animals with {source}: 1 added, 0 changed, 0 gone, 0 rows skipped",
        "90300/day1: 1 session new",
    ]
    assert imaging.MetaSession().fetch1("animal_id") == "b1"


@pytest.mark.skipif(os.name == "nt", reason="the worker is stopped by a signal")
@pytest.mark.parametrize("source", [CsvKind], ids=["csv"], indirect=True)
def test_a_worker_compares_again_when_it_is_due_and_not_before(config: Config, source: Source) -> None:
    events: list[Event] = []

    def hear(event: Event) -> None:
        events.append(event)
        if not isinstance(event, Idle):
            return
        num_idle = sum(isinstance(each, Idle) for each in events)
        if num_idle == NUM_ASKED:
            assert len(mlims.Sync()) == 1
            source.write([HERE, NEW | {"death_date": "2025-06-01"}])
            pass_minutes(EVERY_MIN)
        elif num_idle >= 2 * NUM_ASKED and len(mlims.Sync()) > 1:
            os.kill(os.getpid(), signal.SIGTERM)

    work(config, hear, once=False)
    assert [message.partition(": ")[2] for message in messages(events)] == [
        "1 added, 0 changed, 0 gone, 0 rows skipped",
        "0 added, 1 changed, 0 gone, 0 rows skipped",
    ]
    assert len(mlims.Animal.Death()) == 1


@pytest.mark.parametrize("source", [CsvKind], ids=["csv"], indirect=True)
def test_of_two_workers_that_begin_together_one_compares(config: Config) -> None:
    at_once(work_together, [(config,)] * 2)
    assert len(mlims.Sync()) == 1
    assert len(mlims.Animal()) == 2


def work_together(config: Config, start: Barrier) -> None:
    start.wait()
    run_worker((MLIMS,), True, IDLE_S, config, lambda event: None)
