"""`imaging-pipeline config check` on a lab's database, in order and broken."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datajoint as dj
import pytest
from click.testing import CliRunner, Result

from imaging_pipeline.checks import server
from imaging_pipeline.checks.declared import check_declared
from imaging_pipeline.checks.rights import check_creating, check_rights
from imaging_pipeline.checks.server import check_server
from imaging_pipeline.cli import main
from imaging_pipeline.config.config import Secret
from imaging_pipeline.schemas import imaging, tables
from tests.makers.config_file import write_config
from tests.makers.lab import Lab, row_counts

Check = Callable[..., Result]
SCHEMAS = ("test_mlims", "test_imaging", "test_suite2p_jobs")
# Nobody listens there.
CLOSED_PORT = 1


@pytest.fixture
def check(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Return a function that checks the lab's configuration, changed, on a machine without Suite2p.

    Scratch is not there yet, so that no disk's speed is measured.
    """
    version = importlib.metadata.version

    def without_suite2p(name: str) -> str:
        if name == "suite2p":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", without_suite2p)
    (lab.share / "a file").touch()

    def checked(**changed: object) -> Result:
        file = write_config(dataclasses.replace(lab.config, **changed), tmp_path / "dj_local_conf.json")
        document = json.loads(file.read_text())
        document["custom"]["suite2p.scratch"] = str(tmp_path / "not yet")
        file.write_text(json.dumps(document))
        return CliRunner().invoke(main, ["--config", str(file), "config", "check"])

    return checked


@pytest.fixture
def lab_of_its_own(lab: Lab) -> Iterator[Lab]:
    """Return a lab whose connection is for one test, which may set what it likes of the session."""
    yield lab
    lab.connection.close()


@pytest.fixture
def schema_version(lab: Lab) -> Iterator[Callable[[int], None]]:
    """Return a function that sets the version of the database's tables until the test ends."""
    before = imaging.Lab.fetch1("schema_version")

    def change(number: int) -> None:
        table = imaging.Lab.full_table_name
        lab.connection.query(f"UPDATE {table} SET schema_version = %s", args=(number,))

    yield change
    change(before)


def unwrapped(result: Result) -> str:
    """Return the output with each finding on one line."""
    return re.sub(r"\n {12,}", " ", result.stdout)


def line(result: Result, subject: str) -> str:
    """Return the one finding about a subject, as printed but on one line."""
    (found,) = re.findall(rf"^  (?:ok|notice|FAILED) +{subject} .*$", unwrapped(result), re.M)
    return re.sub(r" +", " ", found).strip()


def test_a_lab_in_order_ends_with_0_and_changes_nothing(lab: Lab, check: Check) -> None:
    before = row_counts(lab)
    result = check()
    assert result.exit_code == 0, result.output
    assert "FAILED" not in result.stdout
    assert result.stdout.endswith("\nNothing stands in the way; 2 notices.\n")
    assert line(result, "tables").startswith("ok tables test_mlims, test_imaging, test_suite2p_jobs")
    assert line(result, "time zone") == "ok time zone recording times are those of Europe/Oslo"
    assert line(result, "rights").endswith("may read, insert, update and delete")
    assert line(result, "moser") == f"ok moser {lab.share} can be read; roots: N:\\moser"
    assert row_counts(lab) == before
    assert list(Path(lab.config.stores["main"]["location"]).glob("*probe*")) == []


def test_sections_come_in_their_order_and_fit_a_terminal(check: Check) -> None:
    stdout = check().stdout
    titles = ["Configuration", "Database", "Stores", "Repositories", "Animals", "Scratch", "Suite2p"]
    assert [row for row in stdout.splitlines() if row in titles] == titles
    wide = [row for row in stdout.splitlines() if len(row) > 80 and len(row.split()[-1]) < 40]
    assert wide == []


def test_no_password_is_shown(lab: Lab, check: Check) -> None:
    if lab.config.host is None:
        pytest.skip("the embedded server has no password")
    stdout = check().stdout
    assert lab.config.password.reveal() not in stdout
    assert re.search(r"database\.password +file +set$", stdout, re.M)


def test_a_database_without_tables_is_told_and_left_as_it_is(lab: Lab, check: Check) -> None:
    result = check(prefix="nowhere_")
    assert result.exit_code == 1
    assert "FAILED tables not initialised: no schema nowhere_imaging" in line(result, "tables")
    assert line(result, "tables").endswith("imaging-pipeline init-db")
    assert line(result, "rights").startswith("ok rights")
    assert "its roots were not asked" in line(result, "moser")
    query = "SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'nowhere_imaging'"
    assert lab.connection.query(query).fetchone()[0] == 0


@pytest.mark.parametrize(
    ("number", "told", "remedy"),
    [
        (0, "older than this machine", "run: imaging-pipeline upgrade"),
        (99, "newer than this machine", "Update imaging-pipeline"),
    ],
)
def test_tables_of_another_version_are_told(
    check: Check, schema_version: Callable[[int], None], number: int, told: str, remedy: str
) -> None:
    schema_version(number)
    result = check()
    assert result.exit_code == 1
    assert f"FAILED tables {told}: version {number}," in line(result, "tables")
    assert remedy in line(result, "tables")


def test_an_upgrade_that_is_not_finished_is_told(lab: Lab, check: Check) -> None:
    row = {"upgrade_id": 0, "upgrade_from": 3, "upgrade_to": 4, "upgrade_reached": 3}
    imaging.Upgrade.insert1({**row, "upgrade_program": "1", "upgrade_account": "lab"})
    try:
        result = check()
    finally:
        # Else nobody connects any more.
        lab.connection.query(f"DELETE FROM {imaging.Upgrade.full_table_name}")
    assert result.exit_code == 1
    assert "an upgrade is not finished" in line(result, "tables")
    assert "run again: imaging-pipeline upgrade" in line(result, "tables")


def test_a_wrong_password_is_told_as_such(lab: Lab, check: Check) -> None:
    if lab.config.host is None:
        pytest.skip("the embedded server takes any password")
    result = check(password=Secret("a wrong one"))
    assert result.exit_code == 1
    assert f"refuses the account {lab.config.user} with this password" in line(result, "server")
    assert "Correct database.user" in line(result, "server")
    assert "a wrong one" not in result.output


@pytest.mark.parametrize(
    ("host", "told"),
    [("127.0.0.1", "refuses connections at port 1"), ("no-host.invalid", "no host by the name")],
)
def test_a_server_that_is_not_there_is_told_and_the_rest_is_tested(
    lab: Lab, check: Check, host: str, told: str
) -> None:
    server = {"host": host, "port": CLOSED_PORT, "user": "anna", "embedded_folder": None}
    result = check(**server)
    assert result.exit_code == 1
    assert told in line(result, "server")
    assert "its roots were not asked" in line(result, "moser")
    assert line(result, "store main").startswith("ok")


def test_a_repository_that_the_database_does_not_know_is_told_with_those_like_it(
    lab: Lab, check: Check
) -> None:
    result = check(repositories={"mosr": lab.share})
    assert result.exit_code == 1
    assert "knows no repository of this name" in line(result, "mosr")
    assert "Where moser is meant" in line(result, "mosr")
    assert line(result, "moser").startswith("notice moser in the database, but not in this machine's")


def test_a_time_zone_without_effect_is_a_notice(check: Check) -> None:
    result = check(timezone="Asia/Tokyo")
    assert result.exit_code == 0
    assert "says Asia/Tokyo, which has no effect" in line(result, "time zone")


@contextmanager
def reader(lab: Lab, rights: str) -> Iterator[Any]:
    """Return a connection that has only these rights on the lab's tables."""
    ours = lab.connection
    if ours.adapter.backend == "postgresql":
        ours.query("CREATE ROLE only_reading")
        for schema in SCHEMAS:
            ours.query(f"GRANT USAGE ON SCHEMA {schema} TO only_reading")
            ours.query(f"GRANT {rights} ON ALL TABLES IN SCHEMA {schema} TO only_reading")
        ours.query("REVOKE CREATE ON DATABASE postgres FROM only_reading")
        ours.query("SET ROLE only_reading")
        try:
            yield ours
        finally:
            ours.query("RESET ROLE")
            ours.query("DROP OWNED BY only_reading")
            ours.query("DROP ROLE only_reading")
        return
    ours.query("CREATE USER only_reading IDENTIFIED BY 'x'")
    for schema in SCHEMAS:
        ours.query(f"GRANT {rights} ON {schema}.* TO only_reading")
    connection = dj.Connection(lab.config.host, "only_reading", "x", lab.config.port, False)
    try:
        yield connection
    finally:
        connection.close()
        ours.query("DROP USER only_reading")


def test_an_account_that_may_only_read_is_told(lab: Lab) -> None:
    with reader(lab, "SELECT, REFERENCES") as connection:
        handle = dataclasses.replace(tables.default_tables(), connection=connection)
        found, making = check_rights(handle), check_creating(handle)
    assert found.severity.value == "notice"
    assert "may read, but not insert, update, delete" in found.found
    assert "grant it INSERT, UPDATE and DELETE on the schemas test_*" in found.remedy
    assert making.severity.value == "notice"


def test_an_account_that_does_not_see_keys_is_told(lab: Lab) -> None:
    if lab.connection.adapter.backend != "postgresql":
        pytest.skip("MySQL shows keys to whoever may read")
    with reader(lab, "SELECT") as connection:
        found = check_rights(dataclasses.replace(tables.default_tables(), connection=connection))
    assert found.severity.value == "failed"
    assert "Grant it REFERENCES" in found.remedy


def test_an_account_that_may_not_read_is_told(lab: Lab) -> None:
    with reader(lab, "REFERENCES") as connection:
        found = check_rights(dataclasses.replace(tables.default_tables(), connection=connection))
    assert found.severity.value == "failed"
    assert "may not read all tables" in found.found


def test_a_session_of_another_isolation_is_told(lab_of_its_own: Lab) -> None:
    is_postgresql = lab_of_its_own.connection.adapter.backend == "postgresql"
    characteristics = "CHARACTERISTICS AS " if is_postgresql else ""
    lab_of_its_own.connection.query(
        f"SET SESSION {characteristics}TRANSACTION ISOLATION LEVEL REPEATABLE READ"
    )
    (found,) = [
        each
        for each in check_server(lab_of_its_own.connection, lab_of_its_own.config)
        if each.subject == "session"
    ]
    assert found.severity.value == "failed"
    assert found.found.startswith("REPEATABLE READ")


def test_a_clock_that_is_minutes_apart_is_told(lab_of_its_own: Lab) -> None:
    if lab_of_its_own.connection.adapter.backend == "postgresql":
        pytest.skip("the time of a PostgreSQL session cannot be set")
    lab_of_its_own.connection.query("SET SESSION timestamp = unix_timestamp() + 600")
    (found,) = [
        each
        for each in check_server(lab_of_its_own.connection, lab_of_its_own.config)
        if each.subject == "clock"
    ]
    assert found.severity.value == "notice"
    assert re.search(r"(600|599) s ahead of", found.found)
    assert "NTP" in found.remedy


def test_a_server_that_takes_no_changes_is_told(lab_of_its_own: Lab) -> None:
    if lab_of_its_own.connection.adapter.backend != "postgresql":
        pytest.skip("read_only of MySQL holds for all of its sessions")
    lab_of_its_own.connection.query("SET default_transaction_read_only = on")
    (found,) = [
        each
        for each in check_server(lab_of_its_own.connection, lab_of_its_own.config)
        if each.subject == "writing"
    ]
    assert found.severity.value == "failed"


def test_a_server_that_is_far_or_takes_small_statements_is_told(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_SLOW_ROUND_TRIP_S", 0.0)
    monkeypatch.setattr(server, "_PACKET_BYTES", 2**40)
    found = {each.subject: each for each in check_server(lab.connection, lab.config)}
    assert found["round trip"].severity.value == "notice"
    assert "hundreds" in found["round trip"].remedy
    if lab.connection.adapter.backend == "mysql":
        assert found["packet"].severity.value == "notice"
        assert "max_allowed_packet" in found["packet"].remedy


def test_a_connection_that_is_not_encrypted_although_it_should_be_is_told(lab: Lab) -> None:
    if lab.config.embedded_folder is not None:
        pytest.skip("nothing of the embedded server goes over a network")
    found = {
        use_tls: check_server(lab.connection, dataclasses.replace(lab.config, use_tls=use_tls, host="db"))
        for use_tls in (True, None, False)
    }
    told = {use_tls: [each for each in found[use_tls] if each.subject == "encryption"] for use_tls in found}
    assert {use_tls: each.severity.value for use_tls, (each,) in told.items()} == {
        True: "failed",
        None: "notice",
        False: "ok",
    }


def test_a_schema_whose_names_ignore_case_is_told(lab: Lab) -> None:
    if lab.connection.adapter.backend != "mysql":
        pytest.skip("names of PostgreSQL do not ignore case")
    lab.connection.query("ALTER DATABASE test_imaging COLLATE utf8mb4_general_ci")
    try:
        found = check_declared(tables.default_tables(), None)
    finally:
        lab.connection.query("ALTER DATABASE test_imaging COLLATE utf8mb4_bin")
    (told,) = [each for each in found if each.subject == "collation"]
    assert told.severity.value == "notice"
    assert "test_imaging is utf8mb4_general_ci" in told.found
