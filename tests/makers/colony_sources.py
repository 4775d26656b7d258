"""The same animals in a source of each kind, and what may happen to it."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pymysql

from imaging_pipeline.colony.animal import Animal
from imaging_pipeline.colony.reading import Problems, read
from imaging_pipeline.colony.sources.contract import Source
from imaging_pipeline.colony.sources.registry import configured_source
from imaging_pipeline.colony.staging import Staging
from imaging_pipeline.config.config import Config, Secret
from tests.makers.server_process import ServerProcess

Row = Mapping[str, str | bytes | None]
"""Column of ours → text, or bytes that are no UTF-8."""

PASSWORD = "open sesame"


def read_all(source: Source) -> tuple[list[Animal], Problems]:
    """Return all that a source tells, in order of the animals' identifiers."""
    with Staging() as staging:
        problems = read(source, staging, lambda: None)
        return [animal for batch in staging.differing(2) for animal in batch], problems


class CsvKind:
    """A CSV file."""

    kind = "csv"

    def __init__(self, folder: Path, server: ServerProcess | None) -> None:
        self.path = folder / "animals.csv"

    def settings(self) -> dict[str, Any]:
        return {"kind": self.kind, "path": str(self.path)}

    def theirs(self, column: str) -> str:
        """Return what the source calls a column of ours, where its columns are mapped."""
        return f"their {column}"

    def write(self, rows: Sequence[Row], *, named: Any = str) -> None:
        columns = list(dict.fromkeys(column for row in rows for column in row)) or ["animal_id"]
        file = io.StringIO(newline="")
        writer = csv.writer(file)
        writer.writerow(named(column) for column in columns)
        writer.writerows([_text(row.get(column)) for column in columns] for row in rows)
        self._settle(file.getvalue())

    def content(self) -> Any:
        return self.path.read_bytes()

    def take_away(self) -> None:
        self.path.unlink()

    def break_off(self) -> None:
        """Leave it as an export that broke off leaves it."""
        self.path.write_bytes(self.path.read_bytes()[:-5])
        self._age()

    def _settle(self, text: str) -> None:
        self.path.write_bytes(text.encode("utf-8", "surrogateescape"))
        self._age()

    def _age(self) -> None:
        an_hour_ago = time.time() - 3600
        os.utime(self.path, (an_hour_ago, an_hour_ago))


class JsonLinesKind(CsvKind):
    """A file of JSON lines."""

    kind = "jsonl"

    def __init__(self, folder: Path, server: ServerProcess | None) -> None:
        self.path = folder / "animals.jsonl"

    def write(self, rows: Sequence[Row], *, named: Any = str) -> None:
        lines = (
            json.dumps(
                {named(column): _text(cell) or None for column, cell in row.items()}, ensure_ascii=False
            )
            for row in rows
        )
        self._settle("".join(f"{line}\n" for line in lines))


class MysqlKind:
    """A table of a MariaDB, in which every column takes any bytes."""

    kind = "mysql"
    database = "any_colony"

    def __init__(self, folder: Path, server: ServerProcess | None) -> None:
        assert server is not None
        self._server = server
        self._port = server.port
        self._from = "animals"
        self._columns = ["animal_id"]
        self._execute(
            "mysql",
            f"DROP DATABASE IF EXISTS {self.database}",
            f"CREATE DATABASE {self.database}",
            f"CREATE USER IF NOT EXISTS 'any_reader'@'%' IDENTIFIED BY '{PASSWORD}'",
            # More than it needs: that nothing is written is the session's own doing.
            f"GRANT ALL ON {self.database}.* TO 'any_reader'@'%'",
        )

    def settings(self) -> dict[str, Any]:
        columns = {column: f"`{self.theirs(column)}`" for column in self._columns}
        return {
            "kind": self.kind,
            "host": self._server.host,
            "port": self._port,
            "user": "any_reader",
            "database": self.database,
            "timeout_s": 5,
            "animals": {"from": self._from, "columns": columns},
        }

    def theirs(self, column: str) -> str:
        return f"their {column}"

    def write(self, rows: Sequence[Row], *, named: Any = str) -> None:
        self._columns = list(dict.fromkeys(column for row in rows for column in row)) or ["animal_id"]
        declared = ", ".join(f"`{self.theirs(column)}` blob" for column in self._columns)
        self._execute(
            self.database, "DROP TABLE IF EXISTS animals", f"CREATE TABLE animals ({declared}) ENGINE=InnoDB"
        )
        marks = ", ".join(["%s"] * len(self._columns))
        for row in rows:
            cells = tuple(_bytes(row.get(column)) for column in self._columns)
            self._execute(self.database, f"INSERT INTO animals VALUES ({marks})", args=cells)

    def content(self) -> Any:
        return self._execute(self.database, "SELECT * FROM animals")

    def run(self, *statements: str) -> None:
        self._execute(self.database, *statements)

    def take_away(self) -> None:
        self._port = 1  # nobody listens there

    def break_off(self) -> None:
        """Let the server break the answer off in its middle."""
        # It is an error as soon as the second row is made.
        self._from = "(SELECT * FROM animals UNION ALL SELECT animals.* FROM animals, (SELECT 1 AS n UNION"
        self._from += " ALL SELECT 2) AS numbers WHERE (SELECT n FROM (SELECT 1 AS n UNION ALL SELECT 2) AS x"
        self._from += " WHERE x.n <= numbers.n + 0 * length(animals.`their animal_id`)) = 1) AS animals"

    def _execute(self, database: str, *statements: str, args: Iterable[Any] | None = None) -> Any:
        server = self._server
        connection = pymysql.connect(
            host=server.host,
            port=server.port,
            user=server.user,
            password=server.password,
            database=database,
            autocommit=True,
        )
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement, args)
                return cursor.fetchall()
        finally:
            connection.close()


KINDS: tuple[type[CsvKind] | type[MysqlKind], ...] = (MysqlKind, CsvKind, JsonLinesKind)


def source_of(config: Config, settings: Mapping[str, Any]) -> Source:
    """Return the source that a configuration with these settings names."""
    from dataclasses import replace

    source = configured_source(replace(config, mlims_source=settings, mlims_password=Secret(PASSWORD)))
    assert source is not None
    return source


def _text(cell: str | bytes | None) -> str:
    return cell.decode("utf-8", "surrogateescape") if isinstance(cell, bytes) else cell or ""


def _bytes(cell: str | bytes | None) -> bytes | None:
    return cell.encode() if isinstance(cell, str) else cell
