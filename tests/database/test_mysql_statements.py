"""The statements that declare our tables, held against what MySQL 8 refuses and MariaDB takes.

They are read from the log of the server: job tables and what DataJoint itself keeps are among them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

import pymysql
import pytest

from imaging_pipeline import database
from imaging_pipeline.config.config import Config
from tests.makers.definitions import tables
from tests.makers.server_process import ServerProcess

PREFIX = "ddl_"
SCHEMAS = ("suite2p_jobs", "imaging", "mlims")
# MySQL 8.4 Reference Manual: limits of a row, of a key of InnoDB, of names and of comments.
ROW_BYTES, KEY_BYTES, NAME_LENGTH, COMMENT_LENGTH = 65_535, 3_072, 64, 1_024
# MySQL makes the name of a constraint from the table's.
MADE_FROM_NAME = "_ibfk_99"
BYTES = {"tinyint": 1, "smallint": 2, "int": 4, "bigint": 8, "double": 8, "date": 3, "datetime": 8, "enum": 2}
# What stands in the row of what is kept beside it.
BYTES |= {"json": 12, "longblob": 12}
COLUMN = re.compile(
    r"`(?P<name>\w+)` (?P<type>\w+(\([^)]*\))?)(?P<rest>[^\"]*?)( COMMENT \"(?P<comment>.*)\")?",
    re.IGNORECASE,
)
KEY = re.compile(r"(PRIMARY KEY|(?:unique )?index|FOREIGN KEY) \((?P<columns>.*?)\).*", re.IGNORECASE)
REFERENCE = re.compile(r"FOREIGN KEY \((.*?)\) REFERENCES `(.*?)`\.`(.*?)` \((.*?)\) .*")


@dataclass(frozen=True)
class Column:
    """A column's line of a statement."""

    table: str
    name: str
    type: str
    rest: str
    comment: str

    def __str__(self) -> str:
        return f"{self.table}.{self.name} {self.type} {self.rest}"

    @property
    def num_bytes(self) -> int:
        """The most that a value takes in a row."""
        kind, _, size = self.type.lower().partition("(")
        return 4 * int(size.rstrip(")")) + 2 if kind == "varchar" else BYTES[kind]


@dataclass(frozen=True)
class Statement:
    """A ``CREATE TABLE``: the table's full name, and what is declared, line by line."""

    table: str
    lines: tuple[str, ...]

    @property
    def columns(self) -> dict[str, Column]:
        found = (COLUMN.fullmatch(line) for line in self.lines)
        return {
            match["name"]: Column(self.table, *match.group("name", "type", "rest"), match["comment"] or "")
            for match in found
            if match
        }

    @property
    def keys(self) -> list[list[str]]:
        """The columns of every key, the primary one first."""
        found = (KEY.fullmatch(line) for line in self.lines)
        return [listed(match["columns"]) for match in found if match]


def listed(columns: str) -> list[str]:
    return [name.strip(" `") for name in columns.split(",")]


@pytest.fixture(scope="module")
def log(
    mariadb_server: ServerProcess, embedded_lab_config: Config, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """Declare everything under a prefix of its own, and give what the server was told."""
    config = replace(
        mariadb_server.configured(embedded_lab_config, tmp_path_factory.mktemp("store")), prefix=PREFIX
    )
    account = {
        "host": config.host,
        "port": config.port,
        "user": config.user,
        "password": config.password.reveal(),
    }
    with closing(pymysql.connect(**account)) as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL log_output = 'TABLE', GLOBAL general_log = 1")
        try:
            database.init_db(config)
        finally:
            cursor.execute("SET GLOBAL general_log = 0")
            for name in SCHEMAS:
                cursor.execute(f"DROP DATABASE IF EXISTS {PREFIX}{name}")
        cursor.execute(
            "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log ORDER BY event_time, thread_id"
        )
        told = [row[0] for row in cursor.fetchall()]
        cursor.execute("TRUNCATE mysql.general_log")
    return told


@pytest.fixture(scope="module")
def statements(log: list[str]) -> dict[str, Statement]:
    created = {}
    for text in log:
        head, *lines = text.splitlines() or [""]
        if match := re.fullmatch(rf"CREATE TABLE IF NOT EXISTS `({PREFIX}\w+)`\.`(.*)` \(", head):
            name = ".".join(match.groups())
            created[name] = Statement(name, tuple(line.rstrip(",") for line in lines))
    return created


@pytest.fixture(scope="module")
def columns(statements: dict[str, Statement]) -> list[Column]:
    return [column for statement in statements.values() for column in statement.columns.values()]


def wrong(columns: list[Column], is_right: Callable[[Column], object]) -> list[str]:
    return [str(column) for column in columns if not is_right(column)]


def test_every_line_of_every_table_is_understood(statements: dict[str, Statement]) -> None:
    num_jobs = len(database.automatic_tables())
    assert len(statements) == len(tables()) + num_jobs + len(SCHEMAS)
    for statement in statements.values():
        body = [line for line in statement.lines if not line.startswith(")")]
        assert [line for line in body if not COLUMN.fullmatch(line) and not KEY.fullmatch(line)] == []


def test_databases_are_made_in_utf8_and_told_apart_by_case(log: list[str]) -> None:
    settled = next(number for number, text in enumerate(log) if "collation_server = 'utf8mb4_bin'" in text)
    made = [number for number, text in enumerate(log) if text.startswith("CREATE DATABASE")]
    assert len(made) == len(SCHEMAS)
    assert settled < min(made)
    assert [log[number] for number in made if "COLLATE" in log[number].upper()] == []


def test_a_time_has_a_default_of_its_own_precision(columns: list[Column]) -> None:
    times = [column for column in columns if "CURRENT_TIMESTAMP" in column.rest]
    assert len(times) > 20
    assert (
        wrong(times, lambda column: f"CURRENT_TIMESTAMP({column.type[len('datetime(') :]}" in column.rest)
        == []
    )


def test_what_is_kept_beside_the_row_has_no_default(columns: list[Column]) -> None:
    large = [column for column in columns if column.type in ("json", "longblob")]
    assert len(large) > 40
    assert wrong(large, lambda column: column.rest.strip() in ("NOT NULL", "DEFAULT NULL")) == []


def test_types_are_those_that_no_version_is_to_drop(columns: list[Column]) -> None:
    """Widths of whole numbers, unsigned floats, `timestamp` and dates of 0 are on their way out."""
    assert wrong(columns, lambda column: not re.match(r"(tiny|small|big)?int\(|timestamp", column.type)) == []
    outdated = re.compile(r"unsigned|zerofill|'0000-|auto_increment|check", re.IGNORECASE)
    assert wrong(columns, lambda column: not outdated.search(column.rest)) == []


def test_a_row_is_not_larger_than_mysql_takes(statements: dict[str, Statement]) -> None:
    sizes = {
        table: sum(column.num_bytes for column in statement.columns.values())
        for table, statement in statements.items()
    }
    assert {table: size for table, size in sizes.items() if size > ROW_BYTES} == {}


def test_a_key_is_not_larger_than_innodb_takes(statements: dict[str, Statement]) -> None:
    sizes = {
        f"{table} ({', '.join(key)})": sum(statement.columns[name].num_bytes for name in key)
        for table, statement in statements.items()
        for key in statement.keys
    }
    assert {key: size for key, size in sizes.items() if size > KEY_BYTES} == {}


def test_a_foreign_key_is_the_whole_key_of_a_table_in_its_types(statements: dict[str, Statement]) -> None:
    """MySQL 8.4 refuses a reference to a part of a key; 8.0 one to another type."""
    references = [
        (statement, match.groups())
        for statement in statements.values()
        for line in statement.lines
        if (match := REFERENCE.fullmatch(line))
    ]
    assert len(references) > 60
    for statement, (own, schema, table, referred) in references:
        parent = statements[f"{schema}.{table}"]
        assert listed(referred) == parent.keys[0]
        types = [statement.columns[name].type for name in listed(own)]
        assert types == [parent.columns[name].type for name in listed(referred)]


def test_names_leave_room_for_what_mysql_adds_to_them(
    statements: dict[str, Statement], columns: list[Column]
) -> None:
    tables_only = [name.partition(".")[2] for name in statements]
    assert [name for name in tables_only if len(name + MADE_FROM_NAME) > NAME_LENGTH] == []
    assert wrong(columns, lambda column: len(column.name) <= NAME_LENGTH) == []


def test_comments_are_short_and_end_where_they_should(columns: list[Column]) -> None:
    assert wrong(columns, lambda column: len(column.comment) <= COMMENT_LENGTH) == []
    assert wrong(columns, lambda column: not set(column.comment) & set('"\\%')) == []
