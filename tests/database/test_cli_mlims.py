"""``imaging-pipeline mlims``: what an administrator sees of the colony system."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from imaging_pipeline.cli import main
from imaging_pipeline.schemas import mlims
from tests.makers.colony import PASSWORD, Colony, Mouse, many_mice
from tests.makers.config_file import write_config
from tests.makers.lab import Lab, row_counts
from tests.makers.server_process import ServerProcess

Run = Callable[..., Result]


@pytest.fixture
def colony(mariadb_server: ServerProcess) -> Colony:
    return Colony(mariadb_server)


@pytest.fixture
def config(lab: Lab, tmp_path: Path, colony: Colony) -> Path:
    path = write_config(lab.config, tmp_path / "dj_local_conf.json")
    document = json.loads(path.read_text())
    document["custom"] |= {"mlims": {"source": colony.settings(datasource_id=1), "password": PASSWORD}}
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def run(config: Path) -> Run:
    """Return a function that runs a command with a colony in the configuration."""
    return lambda *arguments: CliRunner().invoke(main, ["--config", str(config), *map(str, arguments)])


def test_what_is_new_changed_and_gone_is_shown_first_and_then_done(
    run: Run, colony: Colony, lab: Lab
) -> None:
    colony.add(
        Mouse(1, ear_tag="90218", typed=((1, "+/-"),)), Mouse(2, ear_tag="90219"), Mouse(3, ear_tag="90220")
    )
    first = run("mlims", "sync")
    assert first.exit_code == 0, first.output
    assert "New\n  90218 (1): species mouse, sex female, dob 2024-01-09, color black," in first.stdout
    assert "Added: 3, changed: 0, gone: 0, there again: 0, rows skipped: 0; of 3 animals.\n" in first.stdout
    colony.run(
        "UPDATE tblAnimals SET Coat = 'white' WHERE AnimalNo = 1", "DELETE FROM tblAnimals WHERE AnimalNo = 2"
    )
    before = row_counts(lab)
    tried = run("mlims", "sync", "--dry-run")
    assert tried.exit_code == 0
    assert row_counts(lab) == before
    done = run("mlims", "sync")
    for result in (tried, done):
        assert ["1", "color", "black", "white"] in [line.split() for line in result.stdout.splitlines()]
        assert "Gone from the colony system: 2\n" in result.stdout
        assert (
            "Added: 0, changed: 1, gone: 1, there again: 0, rows skipped: 0; of 2 animals.\n" in result.stdout
        )
    assert tried.stdout == f"{done.stdout}Nothing was written.\n"
    assert max(map(len, first.stdout.splitlines())) <= 80


def test_of_many_changes_the_first_are_shown_and_the_rest_is_counted(run: Run, colony: Colony) -> None:
    colony.add(*many_mice(300))
    first = run("mlims", "sync")
    assert first.stdout.count(": species mouse,") == 20
    assert "\n  and 280 more\n" in first.stdout
    colony.run("UPDATE tblAnimals SET Coat = 'pink'")
    again = run("mlims", "sync")
    assert again.stdout.count(" pink\n") == 200
    assert "\n  and 100 more\n" in again.stdout
    assert len(again.stdout.splitlines()) < 210


def test_skipped_rows_are_listed_and_the_command_ends_with_1(run: Run, colony: Colony) -> None:
    colony.add(Mouse(1), Mouse(2, born="0000-00-00"))
    result = run("mlims", "sync")
    assert result.exit_code == 1
    assert "Added: 1," in result.stdout
    lines = [line.split() for line in result.stderr.splitlines()]
    assert [
        "2",
        "2",
        *["animal_dob", "cannot", "be", "taken", "0000-00-00", "a", "day", "that", "there", "is"],
    ] in lines


def test_a_colony_that_lost_most_of_its_animals_is_refused_until_forced(run: Run, colony: Colony) -> None:
    colony.add(*(Mouse(i) for i in range(5)))
    run("mlims", "sync")
    colony.run("DELETE FROM tblAnimals WHERE AnimalNo > 0")
    refused = run("mlims", "sync")
    assert refused.exit_code == 1
    assert refused.stderr.startswith(
        "Error: The source has lost more than half of its animals (mysql colony at"
    )
    assert "imaging-pipeline mlims sync --force" in refused.stderr
    assert len(mlims.Animal.Gone()) == 0
    forced = run("mlims", "sync", "--force")
    assert forced.exit_code == 0
    assert len(mlims.Animal.Gone()) == 4


def test_the_log_lists_runs_with_their_results(run: Run, colony: Colony) -> None:
    colony.add(Mouse(1), Mouse(2, sex=5))
    run("mlims", "sync")
    colony.run("DROP TABLE tblTyping")
    assert run("mlims", "sync").exit_code == 1
    listed = run("mlims", "log").stdout
    newest, oldest = listed.split("Run 0, ")
    assert newest.startswith("Run 1, 20")
    assert "refuses what custom.mlims.source asks for" in " ".join(newest.split())
    assert "mysql colony at" in oldest
    assert "  animals: 2, added: 1, changed: 0, gone: 0, there again: 0, rows skipped: 1\n" in oldest
    skipped = ["0", "2", "2", *["animal_sex", "cannot", "be", "taken", "5", "male,", "female,", "unknown"]]
    assert skipped in [line.split() for line in listed.splitlines()]
    assert max(len(line) for line in newest.splitlines()) <= 80
    assert "Run 0, " not in run("mlims", "log", "--last", "1").stdout


def test_without_a_source_the_error_says_how_to_name_one(lab: Lab, tmp_path: Path) -> None:
    config = write_config(lab.config, tmp_path / "plain.json")
    result = CliRunner().invoke(main, ["--config", str(config), "mlims", "sync"])
    assert result.exit_code == 1
    assert "names no source of animals (custom.mlims.source)" in result.stderr
    assert "docs/colony.md" in result.stderr


def test_a_wrong_setting_is_named_and_the_password_never_shown(lab: Lab, config: Path, run: Run) -> None:
    document = json.loads(config.read_text())
    document["custom"]["mlims"]["source"]["hosst"] = document["custom"]["mlims"]["source"].pop("host")
    config.write_text(json.dumps(document))
    result = run("mlims", "sync")
    assert result.exit_code == 1
    assert "custom.mlims.source of the kind mysql takes no hosst" in result.stderr
    assert "hosst (like host?)" in result.stderr
    assert PASSWORD not in result.output
