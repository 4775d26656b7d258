"""What ``config check`` says of the source of animals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.checks.colony import check_colony
from imaging_pipeline.checks.finding import Finding, State
from imaging_pipeline.checks.values import values_in_force
from imaging_pipeline.colony.sources.registry import configured_source
from imaging_pipeline.colony.sync import sync
from imaging_pipeline.config.config import Config, Secret
from imaging_pipeline.errors import PipelineError
from imaging_pipeline.schemas import mlims, tables
from tests.makers.colony import PASSWORD, Colony, Mouse
from tests.makers.lab import Lab
from tests.makers.server_process import ServerProcess

Configured = Callable[..., Config]


@pytest.fixture
def colony(mariadb_server: ServerProcess) -> Colony:
    return Colony(mariadb_server)


@pytest.fixture
def configured(lab: Lab, colony: Colony) -> Configured:
    """Return a function that gives the lab's configuration with the colony in it."""
    return lambda **settings: replace(
        lab.config,
        mlims_source=colony.settings(**{"datasource_id": 1, **settings}),
        mlims_password=Secret(PASSWORD),
    )


def found(config: Config) -> dict[str, Finding]:
    return {finding.subject: finding for finding in check_colony(config, tables.default_tables())}


def run(config: Config) -> Any:
    source = configured_source(config)
    assert source is not None
    return sync(tables.default_tables(), source)


def test_the_first_animal_is_shown_as_it_would_be_kept(configured: Configured, colony: Colony) -> None:
    colony.add(Mouse(4711, ear_tag="Bjørn", sex=1), Mouse(4712))
    source = found(configured())["source"]
    assert source.state is State.OK
    assert source.found.endswith(
        "can be read; its first animal is 4711: animal_name Bjørn, animal_species mouse, animal_sex male,"
        " animal_dob 2024-01-09, color black, strain Ai95, background_strain C57BL/6J"
    )


def test_values_that_are_not_translated_are_told(configured: Configured, colony: Colony) -> None:
    colony.add(Mouse(4711))
    source = found(configured(values={}))["source"]
    assert source.state is State.NOTICE
    assert "its first row would be skipped: animal_sex cannot be taken (2; allowed: male, fem" in source.found


def test_a_colony_without_animals_fails(configured: Configured) -> None:
    assert found(configured())["source"].state is State.FAILED


def test_a_colony_that_is_away_and_a_wrong_setting_fail_without_the_password(configured: Configured) -> None:
    for settings, told in (({"port": 1}, "does not answer"), ({"hots": "x"}, "takes no hots")):
        source = found(configured(**settings))["source"]
        assert source.state is State.FAILED
        assert told in source.found
        assert PASSWORD not in source.found + source.remedy


def test_when_it_was_compared_with_last_is_told(configured: Configured, colony: Colony, lab: Lab) -> None:
    colony.add(Mouse(1))
    config = configured()
    assert "not compared with it yet" in found(config)["last"].found
    run(config)
    assert (found(config)["last"].state, found(config)["last"].found[-11:]) == (State.OK, "of 1 animal")
    ago = lab.connection.adapter.interval_expr(2, "hour")
    lab.connection.query(
        f"UPDATE {mlims.Sync.full_table_name} SET sync_started = CURRENT_TIMESTAMP(6) - {ago}"
    )
    late = found(config)["last"]
    assert late.state is State.NOTICE
    assert "python -m batch_populate mlims --loop" in late.remedy
    colony.run("DROP TABLE tblTyping")
    with pytest.raises(PipelineError):
        run(config)
    assert found(config)["last"].state is State.FAILED


def test_a_machine_without_a_source_is_in_order(lab: Lab) -> None:
    (finding,) = check_colony(lab.config, tables.default_tables())
    assert (finding.state, finding.found[:9]) == (State.OK, "none here")


def test_an_export_under_way_is_no_failure(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "animals.csv"
    file.write_text("animal_id\na\n")
    config = replace(lab.config, mlims_source={"kind": "csv", "path": str(file)})
    assert found(config)["source"].state is State.NOTICE


def test_settings_are_shown_without_the_password(configured: Configured) -> None:
    values = {value.key: value.text for value in values_in_force(configured())}
    assert values["custom.mlims.password"] == "set"
    assert "user: imaging_reader" in values["custom.mlims.source"].splitlines()
    assert "animals: given" in values["custom.mlims.source"].splitlines()
