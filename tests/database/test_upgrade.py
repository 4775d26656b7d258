"""A database of an older schema version becomes one of this version."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datajoint as dj
import psycopg2
import pymysql
import pytest
from click.testing import CliRunner, Result

from batch_populate.command import main as worker_command
from imaging_pipeline import database
from imaging_pipeline.cli import main
from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import InputError, OtherVersionError
from imaging_pipeline.schemas import imaging, mlims, tables
from imaging_pipeline.schemas.jobs.job_tables import job_table_named
from imaging_pipeline.schemas.jobs.new_jobs import insert_new_jobs
from imaging_pipeline.schemas.jobs.sql import Sql
from imaging_pipeline.schemas.table_names import readable_name
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.upgrade.changes import Change
from imaging_pipeline.upgrade.changes.change import table_named
from imaging_pipeline.upgrade.plan import Plan, make_plan
from imaging_pipeline.upgrade.run import correct_values, upgrade_tables
from tests.makers import schema_versions, toy_steps
from tests.makers.config_file import write_config
from tests.makers.living import add_worker
from tests.makers.server_columns import columns_of, indexes_of, origins_of, references_of
from tests.makers.toy_steps import CHANGES, STEPS, Killed, killed_after
from tests.makers.version_3 import PREFIX, dumped

OTHER_PREFIX = "beside_"

pytestmark = pytest.mark.slow(
    reason="a dump is restored and upgraded, once by commands and once step by step"
)


def drop(connection: Any, *names: str) -> None:
    cascade = " CASCADE" if connection.adapter.backend == "postgresql" else ""
    for name in names:
        connection.query(f"DROP SCHEMA IF EXISTS {name}{cascade}")


def layout(connection: Any, prefix: str) -> tuple[Any, ...]:
    """Return all that a server says of the pipeline's tables."""
    return (
        columns_of(connection, prefix, tables.SCHEMAS),
        references_of(connection, prefix),
        origins_of(connection, prefix, tables.SCHEMAS),
        indexes_of(connection, prefix, tables.SCHEMAS),
    )


@dataclass(frozen=True)
class ByCommand:
    """What the command said to an old database, step by step, and what became of the tables."""

    refused: tuple[OtherVersionError, ...]
    results: dict[str, Result]
    layouts: dict[str, tuple[Any, ...]]
    names: dict[str, str]
    unchanged_by: dict[str, bool]
    upgrades: list[dict[str, Any]]


@pytest.fixture(scope="module")
def by_command(server_config: Config, tmp_path_factory: pytest.TempPathFactory) -> ByCommand:
    folder = tmp_path_factory.mktemp("by_command")
    with dumped(server_config, folder) as config:
        return _by_command(config, folder, server_config.prefix)


def _by_command(config: Config, folder: Path, declared_prefix: str) -> ByCommand:
    file = write_config(config, folder / "dj_local_conf.json")
    refused = []
    for enter in (database.connect, database.init_db):
        with pytest.raises(OtherVersionError) as caught:
            enter(config)
        refused.append(caught.value)
    handle = database.bind(config)
    before = layout(handle.connection, PREFIX)
    add_worker(imaging.Worker, "pc7", "imported")
    results, unchanged_by = {}, {}
    for name, arguments in {
        "with a worker": ["--yes"],
        "dry run": ["--dry-run"],
        "unasked": [],
        "agreed": ["--yes"],
        "again": ["--yes"],
    }.items():
        results[name] = CliRunner().invoke(main, ["--config", str(file), "upgrade", *arguments])
        unchanged_by[name] = layout(dj.conn(), PREFIX) == before
        if name == "with a worker":
            dj.conn().query(f"DELETE FROM {imaging.Worker.full_table_name} WHERE worker_name = 'pc7'")
    connection = database.connect(config)
    # As a server calls them.
    names = {
        name: f"{name.partition('.')[0]}.{table_named(tables.default_tables(), name).table_name}"
        for name in schema_versions.stored(3)
    }
    upgrades = imaging.Upgrade().to_dicts()
    after = layout(connection, PREFIX)
    # The database of all tests, which the first of them declares.
    fresh = dataclasses.replace(config, prefix=declared_prefix)
    declared = layout(database.init_db(fresh), declared_prefix)
    return ByCommand(
        tuple(refused),
        results,
        {"old": before, "upgraded": after, "declared": declared},
        names,
        unchanged_by,
        upgrades,
    )


def test_a_program_points_to_the_upgrade_of_an_old_database(by_command: ByCommand) -> None:
    for error in by_command.refused:
        assert error.found == "schema version 3"
        assert "imaging-pipeline upgrade" in error.remedy


def test_an_old_database_has_the_tables_that_are_described(by_command: ByCommand) -> None:
    columns, *_ = by_command.layouts["old"]
    for name, lines in schema_versions.stored(3).items():
        own = {re.match(r"\w+(?=[ =])", line) for line in lines if not line.startswith("INDEX")} - {None}
        missing = [each[0] for each in own if each and (by_command.names[name], each[0]) not in columns]
        assert missing == [], name


def test_an_upgraded_database_has_the_tables_of_one_that_is_declared(by_command: ByCommand) -> None:
    upgraded, declared = by_command.layouts["upgraded"], by_command.layouts["declared"]
    for of_upgraded, of_declared in zip(upgraded, declared, strict=True):
        assert of_upgraded == of_declared
    assert len(upgraded[0]) > 500


def test_living_workers_are_named_and_nothing_is_changed(by_command: ByCommand) -> None:
    result = by_command.results["with a worker"]
    assert result.exit_code == 1
    assert "Found: pc7 on pc7 (imaging-pipeline 1)." in result.stderr
    assert by_command.unchanged_by["with a worker"]


@pytest.mark.parametrize("how", ["dry run", "unasked"])
def test_it_is_told_first_what_is_changed_and_how_long_workers_must_stop(
    by_command: ByCommand, how: str
) -> None:
    result = by_command.results[how]
    assert "Upgrade from schema version 3 to 4\n" in result.stdout
    assert "  imaging.Upgrade is added\n" in result.stdout
    assert re.search(r"must stop for about \d+ ", result.stdout)
    assert result.exit_code == (0 if how == "dry run" else 1)
    assert ("Say --yes to agree" in result.stderr) == (how == "unasked")
    assert by_command.unchanged_by[how]


@pytest.mark.parametrize(
    "found",
    [
        "times of tifs: 22 datasets in imaging.Tif",
        "stacks of one directory: 1 dataset in imaging.Tif",
        "planes of volumes that lack a frame: 1 dataset in imaging.ImagingAnalysis",
        "regions merged by hand: 1 dataset in imaging.Cell",
    ],
)
def test_what_version_3_got_wrong_is_found(by_command: ByCommand, found: str) -> None:
    assert found in " ".join(by_command.results["dry run"].stdout.split())


def test_an_upgrade_is_made_once_and_noted(by_command: ByCommand) -> None:
    assert by_command.results["agreed"].exit_code == 0
    assert "The tables are those of schema version 4.\n" in by_command.results["agreed"].stdout
    again = by_command.results["again"]
    assert (again.exit_code, "no value is known to be wrong" in again.stdout) == (0, True)
    (noted,) = by_command.upgrades
    assert (noted["upgrade_from"], noted["upgrade_to"], noted["upgrade_reached"]) == (3, 4, 4)
    assert noted["upgrade_finished"] is not None


@dataclass(frozen=True)
class Interrupted:
    """An old database whose upgrade, of all kinds of changes, was interrupted at every point.

    Attributes
    ----------
    tables
        Upgraded in the end.
    before
        What was planned for the old database.
    refused
        Why this program refused it while the upgrade was not finished.
    worked
        What a worker said then.
    again
        What was planned then.
    num_kills
        How often each change was interrupted.
    command
        Runs the command, with the toy steps.
    """

    tables: Tables
    before: Plan
    refused: OtherVersionError
    worked: Result
    again: Plan
    num_kills: tuple[int, ...]
    command: Callable[..., Result]


@pytest.fixture(scope="module")
def interrupted(server_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Interrupted]:
    folder = tmp_path_factory.mktemp("interrupted")
    with dumped(server_config, folder) as config, pytest.MonkeyPatch.context() as patch:
        file = write_config(config, folder / "dj_local_conf.json")
        patch.setenv("IMAGING_PIPELINE_CONFIG", str(file))
        handle = database.bind(config)
        before = make_plan(handle, STEPS)
        with pytest.raises(Killed):
            upgrade_tables(handle, STEPS, _kill)
        with pytest.raises(OtherVersionError) as caught:
            database.connect(config)
        worked = CliRunner().invoke(worker_command, ["--once"])
        handle = database.bind(config)
        num_kills = tuple(_apply_killed(handle, change) for change in CHANGES)
        again = make_plan(handle, STEPS)
        upgrade_tables(handle, STEPS, _kill_at_change)
        database.connect(config)
        patch.setattr("imaging_pipeline.cli.upgrade.STEPS", STEPS)

        def command(*arguments: str) -> Result:
            return CliRunner().invoke(main, ["--config", str(file), "upgrade", *arguments])

        yield Interrupted(tables.default_tables(), before, caught.value, worked, again, num_kills, command)


def _kill(what: str) -> None:
    raise Killed


def _kill_at_change(what: str) -> None:
    # Each was made, and is recognised.
    assert what == "the tables that are new are declared"


def _apply_killed(handle: Tables, change: Change) -> int:
    """Make a change that is killed after no, one, two… statements; return how often it was."""
    assert not change.is_done(handle)
    for number in itertools.count():
        try:
            with killed_after(handle.connection, number):
                change.apply(handle)
        except Killed:
            assert not change.is_done(handle), (change, number)
        else:
            assert change.is_done(handle), change
            return number
    raise AssertionError


def test_what_is_changed_is_planned_with_numbers_of_rows(interrupted: Interrupted) -> None:
    before = interrupted.before
    assert (before.from_version, before.to_version, before.is_unfinished) == (3, 4, False)
    assert tuple(each.change for each in before.changes) == CHANGES
    rows = {each.change.table: each.num_rows for each in before.changes}
    assert rows == {name: len(table_named(interrupted.tables, name)()) for name in rows}
    assert rows["imaging.PhysicalFile"] > 200


def test_a_database_whose_upgrade_was_interrupted_is_refused_until_it_is_finished(
    interrupted: Interrupted,
) -> None:
    assert "run again: imaging-pipeline upgrade" in interrupted.refused.remedy
    assert interrupted.worked.exit_code == 1
    assert "Found: schema version 4, not all of it." in interrupted.worked.stderr
    assert (interrupted.again.is_unfinished, interrupted.again.changes) == (True, ())


def test_each_kind_of_change_goes_on_wherever_it_was_interrupted(interrupted: Interrupted) -> None:
    assert all(interrupted.num_kills)
    assert max(interrupted.num_kills) > 4


@pytest.mark.parametrize("name", sorted({change.table for change in CHANGES}))
def test_a_changed_table_is_as_datajoint_declares_its_new_definition(
    interrupted: Interrupted, name: str
) -> None:
    lines = schema_versions.stored(3)[name]
    for change in CHANGES:
        if change.table == name:
            lines = change.changed_definition(lines)
    connection = interrupted.tables.connection
    beside = f"{OTHER_PREFIX}imaging"
    context = {"mlims": mlims, **vars(imaging)}
    changed = table_named(interrupted.tables, name)
    try:
        schema = dj.Schema(beside, context, connection=connection)
        definition = "\n".join(lines)
        declared = schema(type(name.rpartition(".")[2], (dj.Manual,), {"definition": definition}))
        ours, theirs = (
            {
                column: what
                for (table, column), what in columns_of(connection, prefix, ["imaging"]).items()
                if table == f"imaging.{each.table_name}"
            }
            for prefix, each in ((PREFIX, changed), (OTHER_PREFIX, declared))
        )
        assert ours == theirs
        kinds = [
            {
                column.name: (column.original_type, column.lineage)
                for column in each().heading.attributes.values()
            }
            for each in (changed, declared)
        ]
        own = f"{beside}.{declared.table_name}."
        of_changed = f"{PREFIX}imaging.{changed.table_name}."
        assert kinds[0] == {
            column: (kind, None if origin is None else origin.replace(own, of_changed))
            for column, (kind, origin) in kinds[1].items()
        }
        parents = [
            {
                (parent, tuple(key["attr_map"].items()))
                for parent, key in each().parents(foreign_key_info=True)
            }
            for each in (changed, declared)
        ]
        assert parents[0] == parents[1]
    finally:
        drop(connection, beside)
        connection.dependencies.clear()


def test_rows_get_their_values(interrupted: Interrupted) -> None:
    for row in imaging.PhysicalFile().to_dicts():
        assert row["doubled_bytes"] == 2 * row["size_bytes"]
    metasessions = {row["metasession_name"]: row for row in imaging.MetaSession().to_dicts()}
    sessions = imaging.Session().to_dicts()
    for row in sessions:
        above = metasessions[row["metasession_name"]]
        assert (row["animal_id"], row["datasource_id"]) == (above["animal_id"], above["datasource_id"])
        assert row["kind"] == above["experiment_type"]
    assert len(imaging.Session * mlims.Animal) == len(sessions) > 20
    requests = imaging.BaseFolder().to_dicts()
    assert {row["damaged_tifs"] for row in requests} == {"refuse"}
    assert {"", "wheel room"} == {row["setup"] for row in requests}


def test_what_is_new_may_be_written(interrupted: Interrupted) -> None:
    row = imaging.JobAction().to_dicts(limit=1)[0]
    imaging.JobAction.insert1({**row, "jobaction_id": 1000, "jobaction": "withdraw"})
    assert (imaging.JobAction & "jobaction = 'withdraw'").fetch1("jobaction_id") == 1000
    key = imaging.Cell().keys(limit=1)[0]
    imaging.Cell.update1({**key, "num_cells": None})
    with pytest.raises((dj.errors.DataJointError, psycopg2.Error, pymysql.Error)):
        imaging.JobAction.insert1({**row, "jobaction_id": 1001, "jobaction": "anything"})


@pytest.mark.parametrize(
    ("number", "told"), [(2, "too old to be upgraded"), (5, "Install the newest version")]
)
def test_tables_that_no_step_begins_with_are_refused(
    interrupted: Interrupted, number: int, told: str
) -> None:
    query, lab = interrupted.tables.connection.query, imaging.Lab.full_table_name
    query(f"UPDATE {lab} SET schema_version = {number}")
    try:
        with pytest.raises(OtherVersionError, match=told):
            make_plan(interrupted.tables, STEPS)
    finally:
        query(f"UPDATE {lab} SET schema_version = 4")


def test_wrong_values_are_listed_by_cause_before_and_after_the_upgrade(interrupted: Interrupted) -> None:
    result = interrupted.command("--dry-run")
    told = " ".join(result.stdout.split())
    assert f"merged regions: 1 dataset in imaging.Cell, because {toy_steps.MERGED.cause}" in told
    assert re.search(r"^ +6 version_3_imaging.Cell.Rois$", result.stdout, re.M)
    now = make_plan(tables.default_tables(), STEPS)
    assert (now.changes_tables, now.is_empty, now.seconds) == (False, False, 0.0)
    for plan in (interrupted.before, interrupted.again, now):
        numbers = [(each.correction, len(each.keys)) for each in plan.wrong]
        assert numbers == [(toy_steps.IMAGEJ, 1), (toy_steps.MERGED, 1)]
        rows = {
            (readable_name(each.table).removeprefix(PREFIX), each.reason): each.num_rows
            for each in plan.purged
        }
        assert rows["imaging.Tif", toy_steps.IMAGEJ.cause] == 1
        assert rows["imaging.Cell.Rois", toy_steps.MERGED.cause] == 6


def test_wrong_values_are_deleted_as_agreed_and_imported_again(interrupted: Interrupted) -> None:
    plan = make_plan(tables.default_tables(), STEPS)
    (imagej,) = (imaging.Tif & "num_frames = 1").keys()
    (merged,) = (imaging.Cell & (imaging.MetaSession & "metasession_folder = '90218/merged'")).keys()
    everything = {name: len(table()) for name, table in (("Tif", imaging.Tif), ("Cell", imaging.Cell))}
    with pytest.raises(InputError, match="More would be deleted"):
        correct_values(tables.default_tables(), STEPS, consent={}, username="anna")

    result = interrupted.command("--yes")

    for cause in (toy_steps.IMAGEJ.cause, toy_steps.MERGED.cause):
        assert f", because {cause}" in result.stdout
    assert f"Deleted: {sum(each.num_rows for each in plan.purged)} rows." in result.stdout
    # The command has connected anew.
    handle = tables.default_tables()
    assert make_plan(handle, STEPS).is_empty
    assert (len(imaging.Tif()), len(imaging.Cell())) == (everything["Tif"] - 1, everything["Cell"] - 1)
    assert len(imaging.Session.Data & imagej) == 1
    noted = (imaging.Change & "change_action = 'deleted, to be imported again'").to_dicts()
    assert {row["change_subject"] for row in noted} == {toy_steps.IMAGEJ.cause, toy_steps.MERGED.cause}
    insert_new_jobs(handle.connection, job_table_named(handle, "imaging.Tif"), Sql(""))
    assert imagej in (imaging.Tif.jobs & "status = 'pending'").proj().to_dicts()
    insert_new_jobs(handle.connection, job_table_named(handle, "imaging.ImagingAnalysis"), Sql(""))
    assert merged in (imaging.ImagingAnalysis.jobs & "status = 'pending'").proj().to_dicts()
