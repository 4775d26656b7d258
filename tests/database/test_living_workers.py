"""Who lives, and what each can do, on both backends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from imaging_pipeline.lanes import Need
from imaging_pipeline.living_worker import Lack
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.jobs.living_workers import living, living_hosts, silent
from imaging_pipeline.workers.worker_rows import Identity, WorkerRows, WorkerState
from tests.makers.lab import Lab
from tests.makers.living import add_worker

NO_SUITE2P = Lack(Need.SUITE2P, "", "Suite2p is not installed.", "Install it.")
NOT_MOUNTED = Lack(Need.REPOSITORY, "moser", "/mnt/moser is not there.", "Mount it.")


def test_a_worker_that_beats_lives_and_tells_what_it_does_and_lacks(lab: Lab) -> None:
    add_worker(
        imaging.Worker,
        "vm7",
        "ingest,imported",
        processes={12: "imaging.Tif", 11: "", 13: "imaging.Cell"},
        lacks=(NO_SUITE2P, NOT_MOUNTED),
        worker_restriction="animal_name='90218'",
        worker_scratch_bytes=105_000_000_000,
    )
    (worker,) = living(tables.default_tables())
    assert (worker.name, worker.host, worker.pid, worker.version) == ("vm7", "vm7", 1, "1")
    assert worker.lanes == ("ingest", "imported")
    assert [process.pid for process in worker.processes] == [11, 12, 13]
    assert worker.doing == "imaging.Tif; imaging.Cell"
    assert worker.lacks == (NOT_MOUNTED, NO_SUITE2P)
    assert worker.restriction == "animal_name='90218'"
    assert (worker.scratch_bytes, worker.memory_bytes) == (105_000_000_000, None)
    assert 0 <= worker.heartbeat_age_s < 20
    assert silent(tables.default_tables()) == ()


def test_a_worker_that_missed_its_beats_lives_no_more(lab: Lab) -> None:
    add_worker(imaging.Worker, "vm7", "ingest", silent_for_s=25)
    add_worker(imaging.Worker, "vm8", "ingest", silent_for_s=35)
    assert [worker.name for worker in living(tables.default_tables())] == ["vm7"]
    (gone,) = silent(tables.default_tables())
    assert gone.name == "vm8"
    assert 35 <= gone.heartbeat_age_s < 55
    assert living_hosts(tables.default_tables(), "ingest") == ("vm7",)


def test_a_worker_whose_row_others_removed_while_it_was_suspended_still_tells_when_it_began(lab: Lab) -> None:
    identity = Identity("ingest", "", 30.0)
    rows = WorkerRows(lab.connection, imaging.Worker.full_table_name, identity)
    rows.write(WorkerState())
    began = imaging.Worker().fetch1("worker_started")
    lab.connection.query(f"DELETE FROM {imaging.Worker.full_table_name}")
    woken = replace(identity, started=identity.started - 8 * 3600.0)
    WorkerRows(lab.connection, imaging.Worker.full_table_name, woken).write(WorkerState())
    assert began - imaging.Worker().fetch1("worker_started") > timedelta(hours=7)


def test_the_time_zone_of_a_connection_changes_nothing(lab: Lab) -> None:
    """Wall time jumps twice a year, and clients may have zones of their own."""
    add_worker(imaging.Worker, "vm7", "ingest")
    is_postgresql = lab.connection.adapter.backend == "postgresql"
    set_zone = "SET TIME ZONE {}" if is_postgresql else "SET time_zone = {}"
    lab.connection.query(set_zone.format("'-7'" if is_postgresql else "'-07:00'"))
    (worker,) = living(tables.default_tables())
    lab.connection.query(set_zone.format("DEFAULT" if is_postgresql else "@@global.time_zone"))
    assert 0 <= worker.heartbeat_age_s < 20
