"""A colony system's database: names, keys, codes and character sets of its own, on a MariaDB server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pymysql

from tests.makers.server_process import ServerProcess

DATABASE = "colony"
READER, PASSWORD = "imaging_reader", "let me read"

_TABLES = (
    "CREATE TABLE tblSpecies (SpeciesID int PRIMARY KEY, LatinName varchar(60))",
    "CREATE TABLE tblLines (LineID int PRIMARY KEY, LineName varchar(60), Backcross varchar(60))",
    """CREATE TABLE tblAnimals (
        AnimalNo int, EarTag varchar(40), SexCode tinyint, Born date, SpeciesID int, LineID int,
        Coat varchar(20), Litter varchar(20), Generation tinyint, Project varchar(60), Remark text,
        RawNote varbinary(60), INDEX (AnimalNo)
    )""",
    "CREATE TABLE tblExits (AnimalNo int PRIMARY KEY, ExitDate datetime, Reason varchar(60))",
    "CREATE TABLE tblAlleles (AlleleID int PRIMARY KEY, Symbol varchar(40)) CHARSET utf8mb4",
    "CREATE TABLE tblTyping (AnimalNo int, AlleleID int, Result varchar(10), INDEX (AnimalNo))",
)
_SPECIES = ((1, "Mus musculus"), (2, "Rattus norvegicus"))
_LINES = ((1, "Ai95", "C57BL/6J"), (2, "Ångström-Cre", None))
_ALLELES = ((1, "Cre"), (2, "GCaMP6"), (3, "β-actin"))
_ROWS_AT_ONCE = 2000

# What the page on the colony shows, too.
SETTINGS: dict[str, Any] = {
    "kind": "mysql",
    "host": "mlims.example.org",
    "user": READER,
    "database": DATABASE,
    "animals": {
        "from": "tblAnimals a LEFT JOIN tblSpecies s ON s.SpeciesID = a.SpeciesID"
        " LEFT JOIN tblLines l ON l.LineID = a.LineID LEFT JOIN tblExits x ON x.AnimalNo = a.AnimalNo",
        "columns": {
            "animal_id": "a.AnimalNo",
            "animal_name": "a.EarTag",
            "animal_species": "s.LatinName",
            "animal_sex": "a.SexCode",
            "animal_dob": "a.Born",
            "animal_notes": "a.Remark",
            "color": "a.Coat",
            "strain": "l.LineName",
            "background_strain": "l.Backcross",
            "generation": "CONCAT('F', a.Generation)",
            "litter": "a.Litter",
            "purpose": "a.Project",
            "death_date": "x.ExitDate",
            "death_cause": "x.Reason",
        },
    },
    "genotypes": {
        "from": "tblTyping t JOIN tblAlleles g ON g.AlleleID = t.AlleleID",
        "columns": {"animal_id": "t.AnimalNo", "gene": "g.Symbol", "genotype": "t.Result"},
    },
    "values": {
        "animal_sex": {"1": "male", "2": "female", "9": "unknown"},
        "animal_species": {"Mus musculus": "mouse", "Rattus norvegicus": "rat"},
        "genotype": {"+/-": "het", "+/+": "hom", "-/-": "wt", "?": None},
        "death_date": {"0000-00-00 00:00:00": None},
    },
}


@dataclass(frozen=True)
class Mouse:
    """A row of the colony's animals, with what its other tables say; dates as its SQL takes them."""

    number: int | None
    ear_tag: str | None = None
    sex: int | None = 2
    born: str | None = "2024-01-09"
    species: int | None = 1
    line: int | None = 1
    coat: str | None = "black"
    litter: str | None = None
    generation: int | None = None
    project: str | None = None
    remark: str | None = None
    raw_note: bytes | None = None
    exit: tuple[str, str | None] | None = None
    typed: Sequence[tuple[int, str]] = field(default_factory=tuple)


class Colony:
    """The database, as an administrator of it works with it."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        with self._connected("mysql") as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
            cursor.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET latin1")
            cursor.execute(f"CREATE USER IF NOT EXISTS '{READER}'@'%' IDENTIFIED BY '{PASSWORD}'")
            cursor.execute(f"GRANT SELECT ON {DATABASE}.* TO '{READER}'@'%'")
        self.run(*_TABLES)
        self._insert("tblSpecies", _SPECIES)
        self._insert("tblLines", _LINES)
        self._insert("tblAlleles", _ALLELES)

    def settings(self, **changed: Any) -> dict[str, Any]:
        """Return what the configuration says of it."""
        return {**SETTINGS, "host": self.server.host, "port": self.server.port, **changed}

    def add(self, *mice: Mouse) -> None:
        """Add animals."""
        for first in range(0, len(mice), _ROWS_AT_ONCE):
            self._add(mice[first : first + _ROWS_AT_ONCE])

    def run(self, *statements: str) -> None:
        """Change something by SQL of its own."""
        with self._connected(DATABASE) as cursor:
            for statement in statements:
                cursor.execute(statement)

    def kill_readers(self) -> None:
        """End the connections of whoever reads it."""
        with self._connected("mysql") as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE user = %s", (READER,))
            for (number,) in cursor.fetchall():
                cursor.execute(f"KILL {number}")

    def _add(self, mice: Sequence[Mouse]) -> None:
        self._insert(
            "tblAnimals",
            (
                (each.number, each.ear_tag, each.sex, each.born, each.species, each.line, each.coat)
                + (each.litter, each.generation, each.project, each.remark, each.raw_note)
                for each in mice
            ),
        )
        self._insert("tblExits", ((each.number, *each.exit) for each in mice if each.exit))
        self._insert("tblTyping", ((each.number, *typed) for each in mice for typed in each.typed))

    def _insert(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        rows = list(rows)
        if rows:
            with self._connected(DATABASE) as cursor:
                cursor.executemany(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)

    @contextmanager
    def _connected(self, database: str) -> Iterator[Any]:
        server = self.server
        with closing(
            pymysql.connect(
                host=server.host,
                port=server.port,
                user=server.user,
                password=server.password,
                database=database,
                autocommit=True,
                # As such systems have it: zero dates are kept.
                sql_mode="",
            )
        ) as connection:
            yield connection.cursor()


def many_mice(number: int) -> list[Mouse]:
    """Return as many animals as a colony has over the years, of which most are dead."""
    day = date(2010, 1, 1)
    return [
        Mouse(
            i,
            ear_tag=f"{i % 97:02}{i}",
            sex=1 + i % 2,
            born=str(day + timedelta(days=i % 5000)),
            line=1 + i % 2,
            coat=("black", "white", "agouti")[i % 3],
            litter=f"L{i // 8}",
            generation=i % 12,
            project=f"project {i % 40}",
            remark=f"cage {i // 5}, Bjørn's" if i % 3 else None,
            exit=(str(day + timedelta(days=i % 5000 + 300)), "old") if i % 10 else None,
            typed=((1, "+/-"), (2, ("+/+", "-/-")[i % 2])),
        )
        for i in range(1, number + 1)
    ]
