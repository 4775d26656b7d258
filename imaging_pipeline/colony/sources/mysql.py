"""Animals from a MySQL or MariaDB database of any layout, read and never written."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pymysql
from pymysql.cursors import SSCursor

from imaging_pipeline.colony.sources.contract import SOURCE_KEY, Reading, Setting, Source
from imaging_pipeline.colony.sources.record import Record
from imaging_pipeline.colony.sources.translation import Columns, Translation, a_column_map
from imaging_pipeline.config.kinds import HOST, PORT, TEXT, TRUTH, NotAllowedError, a_text, an_object
from imaging_pipeline.config.secret import Secret
from imaging_pipeline.errors import ColonyError, Responsible
from imaging_pipeline.server.connection_errors import AWAY_MYSQL, code, words

_GENOTYPE_COLUMNS = ("animal_id", "gene", "genotype")
_SESSION = (
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION TRANSACTION READ ONLY",
    # Animals and genotypes of the same moment.
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
_ROWS_AT_ONCE = 500
# A server that answers, but row by row in minutes, is as good as away.
_LONGEST_S = 1800.0
# Syntax, tables and columns that are not there, or that the account may not read.
_MAPPING_ERRORS = frozenset((1046, 1049, 1051, 1052, 1054, 1064, 1109, 1142, 1143, 1146, 1305, 1792))


@dataclass(frozen=True)
class Query:
    """A table, or several that are joined, and what its columns are.

    Attributes
    ----------
    tables
        What stands after ``FROM``.
    columns
        Column of ours → column, or expression, of theirs.
    """

    tables: str
    columns: Columns

    @property
    def statement(self) -> str:
        """The statement that reads it."""
        return f"SELECT {', '.join(self.columns.values())} FROM {self.tables}"


def _a_query(value: object) -> Query:
    """Accept an object with ``from`` and ``columns``."""
    given = an_object(value)
    if set(given) != {"from", "columns"}:
        raise NotAllowedError('an object with "from" and "columns"')
    return Query(a_text(given["from"]), a_column_map(given["columns"]))


def _a_genotype_query(value: object) -> Query:
    """Accept an object whose columns are those of one genotype."""
    given = an_object(value)
    if set(given) != {"from", "columns"}:
        raise NotAllowedError('an object with "from" and "columns"')
    columns = {name: a_text(theirs) for name, theirs in an_object(given["columns"]).items()}
    if set(columns) != set(_GENOTYPE_COLUMNS):
        raise NotAllowedError(f"the columns {', '.join(_GENOTYPE_COLUMNS)}")
    return Query(a_text(given["from"]), {name: columns[name] for name in _GENOTYPE_COLUMNS})


def _a_timeout(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 120:
        raise NotAllowedError("a whole number of seconds from 1 to 120")
    return value


@dataclass(frozen=True)
class MysqlDatabase(Source):
    """A database.

    Attributes
    ----------
    host, port, user, password, database
        How to reach it.
    use_tls
        Whether the connection is encrypted; None is yes where the server offers it.
    timeout_s
        The longest silence of the server, in seconds.
    animals
        A row for each animal.
    genotypes
        A row for each animal and gene; None where those are columns, or not known.
    """

    host: str
    port: int
    user: str
    password: Secret
    database: str
    use_tls: bool | None
    timeout_s: int
    animals: Query
    genotypes: Query | None
    translation: Translation
    datasource_id: int

    kind: ClassVar[str] = "mysql"
    own_settings: ClassVar[tuple[Setting, ...]] = (
        Setting("host", HOST.parse),
        Setting("port", PORT.parse, 3306),
        Setting("user", TEXT.parse),
        Setting("database", TEXT.parse),
        Setting("use_tls", TRUTH.parse, None),
        Setting("timeout_s", _a_timeout, 60),
        Setting("animals", _a_query),
        Setting("genotypes", _a_genotype_query, None),
    )

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], password: Secret) -> Self:
        """Make a source of its settings."""
        rest = dict(settings)
        translation = Translation(rest.pop("values") or {}, rest.pop("date_format"))
        return cls(**rest, translation=translation, password=password)

    @property
    def name(self) -> str:
        """Kind and place."""
        return f"mysql {self.database} at {self.host}:{self.port}"

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Look at the database as it is at one moment, in a session that cannot write.

        Raises
        ------
        ColonyError
            It is away, silent, or has not what the configuration says.
        """
        with closing(self._connected()) as connection:
            until = time.monotonic() + _LONGEST_S
            genotypes = self.genotypes
            yield Reading(
                self._records(connection, self.animals, "", until),
                None if genotypes is None else self._records(connection, genotypes, "genotype ", until),
            )

    def _connected(self) -> Any:
        tls: dict[str, Any] = {}
        if self.use_tls is not None:
            tls = {"ssl_verify_cert": False} if self.use_tls else {"ssl_disabled": True}
        with self._errors_told():
            connection = pymysql.connect(
                host=self.host,
                port=self.port,
                user=self.user,
                password=self.password.reveal().encode(),
                database=self.database,
                charset="utf8mb4",
                connect_timeout=self.timeout_s,
                read_timeout=self.timeout_s,
                write_timeout=self.timeout_s,
                # Values as the server writes them: one that is no text must not break off the rest.
                use_unicode=False,
                conv=pymysql.converters.encoders,
                **tls,
            )
            with connection.cursor() as cursor:
                for statement in _SESSION:
                    cursor.execute(statement)
        return connection

    def _records(self, connection: Any, query: Query, counted: str, until: float) -> Iterator[Record]:
        columns = tuple(query.columns)
        with closing(_Stream(connection)) as stream:
            with self._errors_told():
                stream.execute(query.statement)
            numbers = itertools.count(1)
            while rows := self._next_rows(stream):
                if time.monotonic() > until:
                    raise self._away(f"rows still came after {_LONGEST_S / 60:.0f} minutes")
                for number, row in zip(numbers, rows, strict=False):
                    yield Record(f"{counted}{number}", dict(zip(columns, row, strict=True)))

    def _next_rows(self, stream: _Stream) -> Sequence[Sequence[bytes | None]]:
        with self._errors_told():
            rows: Sequence[Sequence[bytes | None]] = stream.fetchmany(_ROWS_AT_ONCE)
            return rows

    @contextmanager
    def _errors_told(self) -> Iterator[None]:
        try:
            yield
        except pymysql.MySQLError as error:
            if code(error) in _MAPPING_ERRORS:
                raise ColonyError(
                    f"The colony's database refuses what {SOURCE_KEY} asks for ({self.name})",
                    found=words(error),
                    remedy="correct from and columns of animals and genotypes, or give the account the right"
                    " to read them.",
                ) from error
            raise self._away(words(error), passes=code(error) in AWAY_MYSQL) from error
        except OSError as error:
            raise self._away(str(error)) from error

    def _away(self, found: str, *, passes: bool = True) -> ColonyError:
        return ColonyError(
            f"The colony's database does not answer, or not to its end ({self.name} as {self.user})",
            found=found,
            remedy=f"see whether the server runs, and whether {SOURCE_KEY} and custom.mlims.password are"
            " right for it.",
            responsible=Responsible.RETRY if passes else Responsible.ADMINISTRATOR,
        )


class _Stream(SSCursor):
    """Gives row by row, and leaves what was not asked for, where PyMySQL would read it to its end."""

    def close(self) -> None:
        """Leave the rest; the connection can only be closed then."""
        if self._result is not None:
            self._result.unbuffered_active = False
        self.connection = None

    __del__ = close
