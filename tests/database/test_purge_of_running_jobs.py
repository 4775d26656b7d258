"""A recording that is replaced and registered anew while a worker is at it: nothing of the old one stays."""

from __future__ import annotations

import os
import pkgutil
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from imaging_pipeline.config.config import Config
from imaging_pipeline.lanes import LANES, short_name
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer.administration import add_options
from imaging_pipeline.workers.messages import Advanced, Event, Finished, Idle, Outcome, Started
from imaging_pipeline.workers.run import run_worker
from imaging_pipeline.workers.settings import Timing
from tests.makers.chaos.share import OPS_NAME, Requested, write_share
from tests.makers.chaos.table_contents import contents, differences, num_left
from tests.makers.chaos.transactions import in_transaction
from tests.makers.folders import COPIED, aged
from tests.makers.lab import Lab, emptied_lab
from tests.makers.stand_in_suite2p import StandIn, stand_in_suite2p
from tests.makers.suite2p_runs import RIGID
from tests.makers.toy_workers import wait_until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are suspended by signals")

# Of what is derived of a run, any job will do.
DERIVED = tuple(f"imaging.{name}" for name in ("ImagingAnalysis", "Projection", "Cell", "FilteredSpikes"))
TIMING = Timing(patience=0.01)
IDLE_S = 0.1

# Of who has a transaction open, from MariaDB.
OLD_ANSWER_S = 0.15

Replace = Callable[[], None]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    return stand_in_suite2p(tmp_path / "packages", monkeypatch)


def prepared_lab(config: Config, folder: Path) -> tuple[Lab, Requested]:
    folder.mkdir()
    lab = emptied_lab(config, folder)
    add_options(tables.default_tables(), OPS_NAME, RIGID)
    return lab, *write_share(lab.share, 1)


def replace_first_tif(folder: Path) -> None:
    """Return the first file another last pixel, as if another recording had been copied over it."""
    tif = min(folder.glob("*.tif"))
    content = tif.read_bytes()
    tif.write_bytes(content[:-2] + bytes([content[-2] ^ 1, content[-1]]))
    aged(tif, COPIED + timedelta(days=1))


def work_until_all_is_made(lab: Lab, on_event: Callable[[Event], None]) -> None:
    """Let a worker of this process work until nothing is left."""

    def hear(event: Event) -> None:
        on_event(event)
        if isinstance(event, Idle) and not num_left():
            os.kill(os.getpid(), signal.SIGTERM)

    run_worker(LANES, False, IDLE_S, lab.config, hear, timing=TIMING)


def in_suite2p(event: Event, stand_in: StandIn, replace: Replace) -> bool:
    """Replace while Suite2p waits in the middle of a run."""
    if not (isinstance(event, Advanced) and "the stand-in waits" in event.progress.message):
        return False
    replace()
    stand_in.order()
    return True


def in_import(event: Event, stand_in: StandIn, replace: Replace) -> bool:
    """Replace while the job process sleeps in the middle of a job, before it holds a lock."""
    if not (isinstance(event, Started) and short_name(event.table) in DERIVED):
        return False
    job_process = psutil.Process(event.pid)
    job_process.suspend()
    try:
        if holds_locks(event):
            return False
        replace()
    finally:
        job_process.resume()
    return True


def holds_locks(started: Started) -> bool:
    jobs = pkgutil.resolve_name(started.table)().jobs
    since = time.monotonic()
    wait_until(lambda: time.monotonic() > since + OLD_ANSWER_S)
    (number,) = (jobs & dict(started.key)).to_arrays("connection_id")
    return number in in_transaction(jobs.connection)


@pytest.mark.parametrize("moment", [in_suite2p, in_import])
@pytest.mark.slow(reason="a worker is interrupted in its job, and does all of it again")
def test_what_is_under_way_when_its_tif_is_replaced_is_made_anew(
    moment: Callable[[Event, StandIn, Replace], bool],
    server_config: Config,
    stand_in: StandIn,
    tmp_path: Path,
) -> None:
    lab, requested = prepared_lab(server_config, tmp_path / "disturbed")
    replaced: list[Event] = []
    told: list[Event] = []

    def replace() -> None:
        replace_first_tif(requested.folder)
        requested.request(lab)
        imaging.MakeDatasetSessions.populate()
        assert len(imaging.MakeDatasetSessions.Purge()) > 0

    def hear(event: Event) -> None:
        told.append(event)
        if not replaced and moment(event, stand_in, replace):
            replaced.append(event)

    if moment is in_suite2p:
        stand_in.order("wait", "registration")
    requested.request(lab)
    work_until_all_is_made(lab, hear)
    assert replaced
    assert [event for event in told if isinstance(event, Finished) and event.outcome is Outcome.ERROR] == []
    found = contents()

    lab, requested = prepared_lab(server_config, tmp_path / "in peace")
    replace_first_tif(requested.folder)
    requested.request(lab)
    work_until_all_is_made(lab, lambda _event: None)
    assert list(differences(found, contents())) == []
