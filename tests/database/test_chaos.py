"""Workers that are killed, suspended and cut off at random moments make what undisturbed ones make."""

from __future__ import annotations

import os
import random
import secrets
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from imaging_pipeline.config.config import CONFIG_NAME, Config
from imaging_pipeline.lanes import LANES
from imaging_pipeline.schemas import tables
from imaging_pipeline.schemas.administer.administration import add_options
from imaging_pipeline.workers.run import run_worker
from tests.makers.chaos.disturbed_lab import DisturbedLab
from tests.makers.chaos.schedule import disturb, plan
from tests.makers.chaos.service import Service
from tests.makers.chaos.share import OPS_NAME, Requested, write_share
from tests.makers.chaos.table_contents import Contents, contents, differences, num_left
from tests.makers.config_file import write_config
from tests.makers.lab import Lab, emptied_lab
from tests.makers.server_process import ServerProcess
from tests.makers.stand_in_suite2p import stand_in_suite2p
from tests.makers.suite2p_runs import RIGID

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are killed and suspended by signals")

NUM_WORKERS = 4
TO_END_S = 20.0
KILLED = -9


@dataclass(frozen=True)
class Dose:
    """How much happens: folders, kills, and as often each restart, absence of the share and suspension."""

    folders: int
    kills: int
    others: int
    deadline_s: float


SHORT = Dose(folders=5, kills=5, others=1, deadline_s=600)
LONG = Dose(folders=60, kills=60, others=2, deadline_s=7200)


@pytest.fixture
def dose(request: pytest.FixtureRequest) -> Dose:
    return LONG if request.config.getoption("chaos") else SHORT


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Return what decides on everything; its seed is printed, and may be an option of a later run."""
    option = request.config.getoption("chaos_seed")
    seed = secrets.randbits(32) if option is None else option
    print(f"--chaos-seed {seed}")
    return random.Random(seed)


@pytest.fixture
def config(
    server: ServerProcess, embedded_lab_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Config:
    stand_in_suite2p(tmp_path / "packages", monkeypatch)
    (tmp_path / "store").mkdir()
    return server.configured(embedded_lab_config, tmp_path / "store")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    folder = tmp_path / "workers"
    folder.mkdir()
    service = Service(folder / CONFIG_NAME, folder, NUM_WORKERS)
    yield service
    service.kill()


def prepared_lab(config: Config, folder: Path, num_folders: int) -> tuple[Lab, list[Requested]]:
    folder.mkdir()
    lab = emptied_lab(config, folder)
    add_options(tables.default_tables(), OPS_NAME, RIGID)
    return lab, write_share(lab.share, num_folders)


@pytest.fixture
def undisturbed(config: Config, dose: Dose, tmp_path: Path) -> Contents:
    """Return what an undisturbed worker makes of the same folders."""
    lab, requested = prepared_lab(config, tmp_path / "in peace", dose.folders)
    for each in requested:
        each.request(lab)
    summary = run_worker(LANES, True, 0.1, lab.config, lambda _event: None)
    assert (summary.errors, summary.left, num_left()) == (0, (), 0)
    return contents()


@pytest.mark.slow(reason="four workers are killed, suspended and cut off; all is made twice, to be compared")
def test_whatever_happens_to_workers_all_is_made_once_and_to_the_bit(
    config: Config,
    server: ServerProcess,
    service: Service,
    undisturbed: Contents,
    dose: Dose,
    chance: random.Random,
    tmp_path: Path,
) -> None:
    lab, requested = prepared_lab(config, tmp_path / "disturbed", dose.folders)
    write_config(lab.config, service.config_file)
    disturbed = DisturbedLab(lab, server, service, chance, deque(requested))
    for message in disturb(disturbed, plan(chance, dose.kills, dose.others), dose.deadline_s):
        print(message)
    assert service.stop() == [0] * NUM_WORKERS
    assert set(service.ended) <= {KILLED}
    # What a killed process leaves behind ends by itself, as soon as its pipe is closed.
    _, alive = psutil.wait_procs(list(service.processes()), TO_END_S)
    assert alive == []
    assert list(differences(contents(), undisturbed)) == []
    assert disturbed.unsettled() == []
    assert [path for path in lab.config.scratch.iterdir() if path.is_dir()] == []
    assert list(lab.share.rglob("*.partial-*")) == []
