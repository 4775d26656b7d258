"""Why there is no connection: what MySQL's and PostgreSQL's drivers say, told apart."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg2
import pymysql
import pytest

from imaging_pipeline.config.config import Config, load_config
from imaging_pipeline.errors import Responsible, UnreachableError
from imaging_pipeline.server.connection_errors import connection_error


@pytest.fixture
def config(tmp_path: Path) -> Config:
    document = {
        "database.host": "db.example.org",
        "database.user": "anna",
        "database.password": "correct horse",
        "stores": {"main": {"protocol": "file", "location": "/data/store"}},
    }
    file = tmp_path / "dj_local_conf.json"
    file.write_text(json.dumps(document))
    return load_config(file)


def postgresql(words: str) -> Exception:
    return psycopg2.OperationalError(f'connection to server at "db.example.org", port 5432 failed: {words}')


def mysql(number: int, words: str) -> Exception:
    return pymysql.OperationalError(number, words)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (postgresql('could not translate host name "db.example.org" to address'), "no host by the name"),
        (mysql(2003, "Can't connect to MySQL server ([Errno -2] Name or service not known)"), "no host by"),
        (mysql(2003, "Can't connect to MySQL server (timed out)"), "does not answer"),
        (postgresql("Connection refused"), "refuses connections at port"),
        (mysql(1040, "Too many connections"), "no connection left"),
        (postgresql("FATAL:  sorry, too many clients already"), "no connection left"),
        (postgresql("FATAL:  the database system is starting up"), "starting or ending"),
    ],
)
def test_a_server_that_may_answer_later_is_told_apart(config: Config, error: Exception, told: str) -> None:
    refusal = connection_error(config, error)
    assert isinstance(refusal, UnreachableError)
    assert told in refusal.what


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (postgresql('FATAL:  password authentication failed for user "anna"'), "refuses the account anna"),
        (mysql(1045, "Access denied for user 'anna'@'lab'"), "refuses the account anna"),
        (postgresql('FATAL:  role "anna" does not exist'), "refuses the account anna"),
        (postgresql('FATAL:  database "postgres" does not exist'), "no database postgres"),
        (postgresql("server does not support SSL, but SSL was required"), "encryption"),
        (mysql(3159, "Connections using insecure transport are prohibited"), "encryption"),
        (postgresql('FATAL:  no pg_hba.conf entry for host "10.0.0.1"'), "from this machine"),
        (mysql(1130, "Host '10.0.0.1' is not allowed to connect to this server"), "from this machine"),
        (postgresql("received invalid response to SSL negotiation: J"), "does not talk as a MySQL server"),
        (mysql(4242, "Moon in the wrong phase"), "No connection to"),
    ],
)
def test_a_refusal_that_a_person_has_to_mend_is_told_apart(
    config: Config, error: Exception, told: str
) -> None:
    refusal = connection_error(config, error)
    assert not isinstance(refusal, UnreachableError)
    assert told in refusal.what
    assert (refusal.path, refusal.responsible) == (str(config.path), Responsible.ADMINISTRATOR)
    assert "No connection to the MySQL server at db.example.org:3306 as anna" in refusal.what
    assert refusal.remedy


def test_what_the_driver_says_is_kept_and_the_password_is_not(config: Config) -> None:
    refusal = connection_error(config, mysql(4242, "Moon in the wrong phase\nDETAIL: full"))
    assert refusal.found == "Moon in the wrong phase"
    assert "correct horse" not in str(refusal)
