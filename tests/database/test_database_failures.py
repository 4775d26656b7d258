"""A database that is down, goes away, comes back, or refuses: what is told, and that nothing is half done."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from batch_populate.command import main as worker_command
from imaging_pipeline import database
from imaging_pipeline.cli import main
from imaging_pipeline.config.config import Config, Secret
from imaging_pipeline.errors import DatabaseError, Responsible, SchemaError, UnreachableError
from imaging_pipeline.schemas import imaging, mlims
from imaging_pipeline.server.connection_errors import is_loss
from imaging_pipeline.workers.connection import reconnect
from imaging_pipeline.workers.messages import Event, Note
from imaging_pipeline.workers.run import run_worker
from imaging_pipeline.workers.settings import Timing
from tests.makers.config_file import write_config
from tests.makers.lab import Lab, emptied_lab, row_counts
from tests.makers.recordings import OBJECT, populate, register_all, write_recording
from tests.makers.server_process import ServerProcess
from tests.makers.toy_tables import ToyConfig, open_connection
from tests.makers.toy_workers import wait_until

KEEPALIVE = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
CALLED = {"mysql": "MySQL", "postgresql": "PostgreSQL"}


@pytest.fixture
def config(server: ServerProcess, embedded_lab_config: Config, tmp_path: Path) -> Config:
    """Return the configuration of that server, with no word on TLS, and as read from a file."""
    (tmp_path / "store").mkdir()
    configured = server.configured(embedded_lab_config, tmp_path / "store")
    return dataclasses.replace(configured, path=tmp_path / "dj_local_conf.json", use_tls=None)


@pytest.fixture
def stoppable(config: Config, tmp_path: Path) -> Lab:
    """Return an empty lab on that server."""
    return emptied_lab(config, tmp_path)


def command(config: Config, folder: Path, *arguments: str) -> Result:
    path = write_config(config, folder / "dj_local_conf.json")
    return CliRunner().invoke(main, ["--config", str(path), *arguments])


def test_a_server_that_is_down_is_named_with_what_to_look_at(
    config: Config, server: ServerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    server.stop()
    with pytest.raises(UnreachableError) as caught:
        database.connect(config)
    error = caught.value
    assert (
        f"No connection to the {CALLED[config.backend]} server at 127.0.0.1:{server.port} as lab"
        in error.what
    )
    assert "refused" in str(error.found)
    assert "Start the server" in error.remedy
    assert (error.path, error.responsible) == (str(config.path), Responsible.ADMINISTRATOR)
    assert server.password not in str(error)
    assert caplog.text == ""


def test_where_tls_is_required_a_server_without_it_is_refused(config: Config) -> None:
    with pytest.raises(DatabaseError, match=r"(?i)(ssl|tls).*database\.use_tls"):
        database.connect(dataclasses.replace(config, use_tls=True))


@pytest.mark.parametrize("arguments", [("init-db",), ("users", "list")])
def test_a_command_ends_with_one_message_where_the_server_is_down(
    config: Config, server: ServerProcess, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    server.stop()
    result = command(config, tmp_path, *arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(
        f"Error: No connection to the {CALLED[config.backend]} server at 127.0.0.1:"
    )
    assert len(result.stderr.splitlines()) == 1


def test_a_worker_that_works_once_ends_where_the_server_is_down(
    config: Config, server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.stop()
    monkeypatch.setenv("IMAGING_PIPELINE_CONFIG", str(write_config(config, tmp_path / "dj_local_conf.json")))
    result = CliRunner().invoke(worker_command, ["--once"])
    assert result.exit_code == 1
    assert "Error: No connection to the" in result.stderr
    assert "Traceback" not in result.output


def test_a_worker_that_loops_waits_for_a_server_that_starts_later(
    stoppable: Lab, server: ServerProcess
) -> None:
    told: list[str] = []

    def hear(event: Event) -> None:
        assert isinstance(event, Note)
        told.append(event.message)
        if "Waiting for the database" in event.message:
            server.start()
        elif event.message == "The database answers.":
            os.kill(os.getpid(), signal.SIGTERM)

    server.stop()
    run_worker((), False, 0.1, stoppable.config, hear, timing=Timing(longest_pause_s=0.0))
    assert "The database answers." in told
    assert "No connection to the" in told[0]
    assert len(imaging.operations.Worker()) == 0


def test_a_worker_that_waits_for_a_server_ends_when_it_is_told_to(
    config: Config, server: ServerProcess
) -> None:
    server.stop()
    summary = run_worker(
        (), False, 0.1, config, lambda _: os.kill(os.getpid(), signal.SIGTERM), timing=Timing()
    )
    assert str(summary) == "done 0, errors 0, left 0"


def test_a_worker_that_loops_does_not_wait_for_a_password_to_become_right(config: Config) -> None:
    wrong = dataclasses.replace(config, password=Secret("guess"))
    with pytest.raises(DatabaseError, match="refuses the account lab"):
        run_worker((), False, 0.1, wrong, print)


@pytest.mark.parametrize("account", ["lab", "nobody"])
def test_a_wrong_account_or_password_is_told_with_where_it_was_given(
    config: Config, account: str, tmp_path: Path
) -> None:
    sources = {**config.sources, "database.password": "environment DJ_PASS"}
    wrong = dataclasses.replace(config, user=account, password=Secret("guess"), sources=sources)
    with pytest.raises(DatabaseError) as caught:
        database.connect(wrong)
    error = caught.value
    assert type(error) is DatabaseError
    assert f"refuses the account {account}" in error.what
    assert account in str(error.found)
    assert "database.password (environment DJ_PASS)" in error.remedy
    assert (error.path, error.responsible) == (str(config.path), Responsible.ADMINISTRATOR)
    assert "guess" not in str(error)
    result = command(wrong, tmp_path, "users", "list")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)


# Only PostgreSQL has databases besides schemas.
@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_a_database_that_is_not_there_is_named(config: Config) -> None:
    with pytest.raises(DatabaseError) as caught:
        database.connect(dataclasses.replace(config, database_name="labb"))
    assert "there is no database labb" in caught.value.what
    assert "Correct database.name" in caught.value.remedy


@pytest.fixture
def guest(stoppable: Lab) -> Iterator[Config]:
    """Return the configuration of an account that has no rights at all."""
    config = stoppable.config
    name = "guest" if (is_postgresql := config.backend == "postgresql") else "'guest'@'%%'"
    with closing(open_connection(ToyConfig(config, "", stoppable.share))) as owner:
        owner.query(f"CREATE USER {name} {'PASSWORD' if is_postgresql else 'IDENTIFIED BY'} 'of the house'")
        yield dataclasses.replace(config, user="guest", password=Secret("of the house"))
        if is_postgresql:
            owner.query(f"DROP OWNED BY {name}")
        owner.query(f"DROP USER {name}")


def let_read(guest: Config, connection: Any) -> None:
    for name in ("mlims", "imaging", "suite2p_jobs"):
        schema_name = f"{guest.prefix}{name}"
        if guest.backend == "postgresql":
            connection.query(f"GRANT USAGE ON SCHEMA {schema_name} TO guest")
            connection.query(f"GRANT SELECT, REFERENCES ON ALL TABLES IN SCHEMA {schema_name} TO guest")
        else:
            connection.query(f"GRANT SELECT, REFERENCES ON {schema_name}.* TO 'guest'@'%%'")


def test_an_account_without_rights_is_told_that_it_sees_no_tables(guest: Config) -> None:
    with pytest.raises(SchemaError) as caught:
        database.connect(guest)
    assert "no schema test_imaging with all its tables that guest may see" in str(caught.value.found)
    assert "give the account its rights on the schemas test_*" in caught.value.remedy
    assert caught.value.path == str(guest.path)
    assert caught.value.responsible is Responsible.ADMINISTRATOR


def test_an_account_that_may_not_declare_is_told_whose_rights_are_missing(guest: Config) -> None:
    with pytest.raises(DatabaseError) as caught:
        database.init_db(guest)
    assert caught.value.what == "The account guest may not do this"
    assert "denied" in str(caught.value.found)
    assert "rights on the schemas test_*" in caught.value.remedy


def test_an_account_that_may_only_read_lists_and_is_told_that_it_may_not_add(
    guest: Config, stoppable: Lab, tmp_path: Path
) -> None:
    let_read(guest, stoppable.connection)
    assert "anna" in command(guest, tmp_path, "users", "list").stdout
    result = command(guest, tmp_path, "users", "add", "bo")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The account guest may not do this.")
    assert "denied" in result.stderr
    database.connect(stoppable.config)
    assert list(imaging.User().to_arrays("username")) == ["anna"]


def interrupted(
    work: Callable[[], object], server: ServerProcess, is_time: Callable[[], bool]
) -> BaseException:
    """Begin work, stop the server in the middle of it, start it again, and give what the work raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(is_time)
    server.stop()
    thread.join()
    server.start()
    return raised[0]


_WAITING = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
    "mysql": "SELECT variable_value FROM information_schema.global_status"
    " WHERE variable_name = 'innodb_row_lock_current_waits'",
}


def interrupted_at(row: Any, work: Callable[[], object], lab: Lab, server: ServerProcess) -> BaseException:
    """Stop the server while a transaction waits for a row that somebody else has locked."""
    account = ToyConfig(lab.config, "", lab.share)
    with closing(open_connection(account)) as other, closing(open_connection(account)) as watch:
        other.start_transaction()
        other.query(f"{row.make_sql()} FOR UPDATE").fetchall()
        question = _WAITING[lab.config.backend]
        return interrupted(work, server, lambda: int(watch.query(question).fetchone()[0]) > 0)


def test_a_registration_whose_server_goes_away_registers_nothing_and_can_be_done_again(
    stoppable: Lab, server: ServerProcess
) -> None:
    folder = stoppable.share / "90218" / "2024-05-17"
    write_recording(folder, OBJECT)
    imaging.BaseFolder.add(**stoppable.request(folder, combined=False))
    before = row_counts(stoppable)
    error = interrupted_at(mlims.Animal(), imaging.MakeDatasetSessions.populate, stoppable, server)
    assert is_loss(error)
    again = dataclasses.replace(stoppable, connection=database.connect(stoppable.config))
    assert row_counts(again) == before
    populate("MakeDatasetSessions")
    assert (len(imaging.Session()), len(imaging.Session.Data())) == (1, 1)


def test_an_import_whose_server_goes_away_inserts_nothing_and_can_be_done_again(
    stoppable: Lab, server: ServerProcess
) -> None:
    register_all(stoppable, OBJECT)
    error = interrupted_at(imaging.Session.Data(), imaging.Tif.populate, stoppable, server)
    assert is_loss(error)
    database.connect(stoppable.config)
    assert len(imaging.Tif()) + len(imaging.Tif.SI()) == 0
    populate("Tif")
    assert (len(imaging.Tif()), len(imaging.Tif.SI())) == (1, 1)


def test_tables_of_which_some_are_declared_are_told_and_declared_to_the_end(
    stoppable: Lab, server: ServerProcess
) -> None:
    config = dataclasses.replace(stoppable.config, prefix="halfway_")
    count = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'halfway_imaging'"
    with closing(open_connection(ToyConfig(config, "", stoppable.share))) as watch:
        error = interrupted(
            lambda: database.init_db(config), server, lambda: watch.query(count).fetchone()[0] > 5
        )
    assert isinstance(error, UnreachableError)
    assert "Do it again when the server runs" in error.remedy
    with pytest.raises(SchemaError, match="Run: imaging-pipeline init-db"):
        database.connect(config)
    database.init_db(config)
    database.connect(config)
    assert imaging.Lab().fetch1("timezone") == "Europe/Oslo"


def test_an_analyst_whose_server_was_away_connects_again(stoppable: Lab, server: ServerProcess) -> None:
    server.stop()
    with pytest.raises(Exception, match="(?i)connection|connect to|server") as caught:
        imaging.User().to_arrays("username")
    assert is_loss(caught.value)
    server.start()
    database.connect(stoppable.config)
    assert list(imaging.User().to_arrays("username")) == ["anna"]


def seconds_of_silence(connection: Any) -> int:
    """Return for how long the system waits before it takes the other side for gone."""
    driver = connection._conn
    number = driver._sock.fileno() if connection.adapter.backend == "mysql" else driver.fileno()
    with socket.socket(fileno=os.dup(number)) as opened:
        asked = [opened.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in KEEPALIVE]
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    after, every, times = asked
    return after + every * times


@pytest.mark.skipif(sys.platform != "linux", reason="systems name these options differently")
def test_a_network_that_goes_silent_is_noticed_in_minutes(stoppable: Lab, config: Config) -> None:
    further = database.open_connection(config)
    assert [seconds_of_silence(each) for each in (stoppable.connection, further)] == [120, 120]
    reconnect(further)
    assert seconds_of_silence(further) == 120
    further.close()
