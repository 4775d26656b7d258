"""The demo's laboratory, without its workers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from imaging_pipeline import database
from imaging_pipeline.cli import main
from imaging_pipeline.config.config import load_config
from imaging_pipeline.demo.laboratory import WINDOWS_PATH, open_laboratory
from imaging_pipeline.errors import InputError, OtherVersionError
from imaging_pipeline.schemas import imaging
from tests.makers.server_folder import make_server_folder


@pytest.fixture
def folder() -> Path:
    return make_server_folder() / "demo"


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("movie") / "movie.npy"
    np.save(path, np.random.default_rng(0).integers(0, 900, (120, 40, 48), np.int16))
    return path


@pytest.fixture(scope="module")
def opened(movie: Path) -> Path:
    """Return the folder of a laboratory that was opened once."""
    folder = make_server_folder() / "demo"
    open_laboratory(folder, movie)
    return folder


def test_a_laboratory_is_ready_for_a_request_by_a_windows_path(opened: Path, movie: Path) -> None:
    laboratory = open_laboratory(opened, movie)
    imaging.BaseFolder.add(
        username="demo",
        path=WINDOWS_PATH,
        animal="90218",
        experiment_type="2Pminiscope_A",
        combined=True,
        ops_name="demo",
    )
    imaging.MakeDatasetSessions.populate()
    assert len(imaging.Session()) == 2
    assert laboratory.truths == {}


def test_commands_find_the_demos_database_by_its_configuration(opened: Path) -> None:
    database.connect(load_config(opened / "dj_local_conf.json"))
    assert imaging.User().fetch1("username") == "demo"


def test_a_laboratory_opened_again_has_everything_once(opened: Path, movie: Path) -> None:
    written = {path: path.stat().st_mtime_ns for path in (opened / "share").rglob("*")}
    open_laboratory(opened, movie)
    assert {path: path.stat().st_mtime_ns for path in (opened / "share").rglob("*")} == written
    assert len(imaging.Repository.Root()) == 1


def test_a_demo_of_an_earlier_version_is_upgraded_by_the_command_that_is_named(
    opened: Path, movie: Path
) -> None:
    open_laboratory(opened, movie)
    imaging.Lab.update1({"lab_id": 0, "schema_version": database.SCHEMA_VERSION - 1})
    try:
        with pytest.raises(OtherVersionError, match="--folder") as raised:
            open_laboratory(opened, movie)
        options = raised.value.remedy.partition("imaging-pipeline ")[2].partition(" and then")[0].split()
        told = CliRunner().invoke(main, [*options, "--dry-run"])
        assert told.exit_code == 0, told.output
        assert f"to {database.SCHEMA_VERSION}" in told.stdout
    finally:
        database.bind(load_config(opened / "dj_local_conf.json"))
        imaging.Lab.update1({"lab_id": 0, "schema_version": database.SCHEMA_VERSION})


def test_the_demo_of_another_movie_is_not_mixed_in(opened: Path) -> None:
    with pytest.raises(InputError, match="movie.npy"):
        open_laboratory(opened, None)


def test_a_movie_that_cannot_be_read_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no movie")
    with pytest.raises(InputError, match=r"\.npy"):
        open_laboratory(folder, tmp_path / "notes.txt")
    assert not folder.exists()


def test_a_folder_with_something_else_in_it_is_left_alone(folder: Path, movie: Path) -> None:
    folder.mkdir()
    (folder / "dj_local_conf.json").write_text("{}")
    with pytest.raises(InputError, match="no demo's"):
        open_laboratory(folder, movie)
    assert (folder / "dj_local_conf.json").read_text() == "{}"
    assert len(list(folder.iterdir())) == 1
