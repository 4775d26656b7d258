"""Servers of the test session; every test that asks for ``lab`` runs on each backend."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from imaging_pipeline.config.config import Config, embedded_config
from imaging_pipeline.suite2p_runner.run import is_available
from tests.makers import mariadb, postgresql
from tests.makers.chromium import CHROMIUM
from tests.makers.server_folder import hurry, make_server_folder
from tests.makers.server_process import ServerProcess

if TYPE_CHECKING:
    from tests.makers.lab import Lab

BACKENDS = ("postgresql", "mysql")
SAMPLES = Path(__file__).parents[2] / "shared" / "samples"

# The same examples in every run, however slow the machine is: a red build is a change's own fault.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--chaos", action="store_true", help="disturb more workers' jobs, for longer")
    parser.addoption("--chaos-seed", type=int, help="disturb them as the run did that printed this number")
    parser.addoption(
        "--walks", type=int, default=3, help="so many sequences of what people do, on each database"
    )
    parser.addoption("--walk-seed", type=int, default=0, help="the number of the first of these sequences")


def pytest_configure(config: pytest.Config) -> None:
    required = os.environ.get("IMAGING_PIPELINE_REQUIRE", "").split(",")
    if "mysql" in required and not mariadb.is_installed():
        raise pytest.UsageError("IMAGING_PIPELINE_REQUIRE asks for mysql, but MariaDB is not installed")
    if "suite2p" in required and not is_available():
        raise pytest.UsageError("IMAGING_PIPELINE_REQUIRE asks for suite2p, but Suite2p is not installed")
    if "browser" in required and CHROMIUM is None:
        raise pytest.UsageError("IMAGING_PIPELINE_REQUIRE asks for browser, but Chromium is not installed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    without = [item.nodeid for item in items for mark in item.iter_markers("slow") if not _reason(mark)]
    if without:
        raise pytest.UsageError(f"These tests are marked slow and give no reason: {', '.join(without)}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "walk" in metafunc.fixturenames:
        first = metafunc.config.getoption("walk_seed")
        metafunc.parametrize("walk", range(first, first + metafunc.config.getoption("walks")))


def _reason(mark: pytest.Mark) -> str:
    return str(mark.kwargs.get("reason", "")).strip()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep tests together that share what takes long to make."""
    # Not at the top: only the process that gives out the tests needs it.
    from tests.scheduling import Scheduling

    return Scheduling(config, log)


@pytest.fixture(scope="session")
def samples() -> Path:
    """Return the folder of real sample files."""
    if not SAMPLES.is_dir():
        pytest.skip("the folder of real sample files is not beside the project")
    return SAMPLES


@pytest.fixture(scope="session")
def embedded_lab_config() -> Config:
    """Return the configuration of an embedded PostgreSQL of the session's own."""
    folder = make_server_folder() / "server"
    hurry(folder)
    return dataclasses.replace(
        embedded_config(folder),
        prefix="test_",
        timezone="Europe/Oslo",
        loglevel="WARNING",
        safemode=False,
    )


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Run a MariaDB of the session's own."""
    if not mariadb.is_installed():
        pytest.skip("MariaDB is not installed here")
    with mariadb.running(tmp_path_factory.mktemp("mariadb")) as server:
        yield server


@pytest.fixture(scope="session", params=BACKENDS)
def server_config(
    request: pytest.FixtureRequest, embedded_lab_config: Config, tmp_path_factory: pytest.TempPathFactory
) -> Config:
    """Return the configuration of a server of each backend."""
    if request.param == "postgresql":
        return embedded_lab_config
    server: ServerProcess = request.getfixturevalue("mariadb_server")
    return server.configured(embedded_lab_config, tmp_path_factory.mktemp("mariadb_store"))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[ServerProcess]:
    """Run a PostgreSQL of the session's own that asks for passwords, unlike the embedded one."""
    with postgresql.running(make_server_folder()) as server:
        yield server


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest) -> Iterator[ServerProcess]:
    """Return a server of each backend that the test may stop; it runs again afterwards."""
    name = "postgresql_server" if request.param == "postgresql" else "mariadb_server"
    server: ServerProcess = request.getfixturevalue(name)
    yield server
    server.start()


@pytest.fixture
def lab(server_config: Config, tmp_path: Path) -> Lab:
    """Return an empty database with one user, one animal and one repository in ``tmp_path``."""
    # Not at the top: a test without a database needs none of the tables.
    from tests.makers.lab import emptied_lab

    return emptied_lab(server_config, tmp_path)
