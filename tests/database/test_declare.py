"""Declaring and connecting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from batch_populate.command import main as worker_command
from imaging_pipeline import database
from imaging_pipeline.cli import main
from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import OtherVersionError, Responsible, SchemaError
from imaging_pipeline.schemas import imaging
from imaging_pipeline.workers.pipeline_tables import PipelineTables
from tests.makers.config_file import write_config
from tests.makers.lab import Lab

OLDER, NEWER = database.SCHEMA_VERSION - 1, database.SCHEMA_VERSION + 1
REMEDIES = {OLDER: "run: imaging-pipeline upgrade", NEWER: "Install the newest version"}


@pytest.fixture(params=[OLDER, NEWER])
def other_version(request: pytest.FixtureRequest, lab: Lab) -> Iterator[int]:
    """Let the database say that it is of another version."""
    lab.connection.query(f"UPDATE {imaging.Lab.full_table_name} SET schema_version = {request.param}")
    yield request.param
    lab.connection.query(
        f"UPDATE {imaging.Lab.full_table_name} SET schema_version = {database.SCHEMA_VERSION}"
    )


def tables_there(lab: Lab) -> set[tuple[str, str]]:
    query = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema LIKE 'test%%'"
    return set(lab.connection.query(query).fetchall())


def without_a_table(lab: Lab) -> None:
    """Drop a table, for `init_db` to want to declare it."""
    lab.connection.query(f"DROP TABLE {imaging.Curation.full_table_name}")


def test_connecting_to_declared_schemas_binds_the_tables(lab: Lab) -> None:
    database.connect(lab.config)
    assert imaging.User.fetch1("username") == "anna"


def test_initialising_again_adds_the_rows_of_a_new_version_beside_those_of_the_lab(lab: Lab) -> None:
    imaging.DatasetType.insert(
        {"datasettype": name, "datasettype_description": "the lab's own"} for name in ("emg", "pupil")
    )
    (imaging.DatasetType & {"datasettype": "dlc"}).delete_quick()
    database.init_db(lab.config)
    assert {"emg", "pupil", "dlc", "tif"} <= set(imaging.DatasetType().to_arrays("datasettype"))


@pytest.mark.parametrize("connect", [database.connect, database.init_db])
def test_tables_of_another_version_are_refused_and_none_is_declared(
    lab: Lab, other_version: int, connect: Callable[[Config], object]
) -> None:
    without_a_table(lab)
    before = tables_there(lab)
    try:
        with pytest.raises(SchemaError) as caught:
            connect(lab.config)
        assert tables_there(lab) == before
    finally:
        lab.connection.query(
            f"UPDATE {imaging.Lab.full_table_name} SET schema_version = {database.SCHEMA_VERSION}"
        )
        database.init_db(lab.config)
    assert caught.value.found == f"schema version {other_version}"
    assert caught.value.allowed == f"schema version {database.SCHEMA_VERSION}"
    assert REMEDIES[other_version] in caught.value.remedy
    assert caught.value.responsible is Responsible.ADMINISTRATOR


def test_commands_and_workers_end_with_one_message_on_tables_of_another_version(
    lab: Lab, other_version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_config(lab.config, tmp_path / "dj_local_conf.json")
    listed = CliRunner().invoke(main, ["--config", str(file), "users", "list"])
    monkeypatch.setenv("IMAGING_PIPELINE_CONFIG", str(file))
    worked = CliRunner().invoke(worker_command, ["--loop"])
    for result in (listed, worked):
        assert result.exit_code == 1
        assert f"Found: schema version {other_version}." in result.stderr
        assert f"File: {file}." in result.stderr
        assert "Traceback" not in result.stderr


def test_a_connected_program_notices_that_the_tables_are_upgraded(lab: Lab) -> None:
    tables = PipelineTables()
    tables.check_version()
    table = imaging.Lab.full_table_name
    lab.connection.query(f"UPDATE {table} SET schema_version = {NEWER}")
    try:
        with pytest.raises(OtherVersionError, match=f"Found: schema version {NEWER}"):
            tables.check_version()
    finally:
        lab.connection.query(f"UPDATE {table} SET schema_version = {database.SCHEMA_VERSION}")
