"""Animals from a MySQL or MariaDB database of any layout, read and never written."""

from __future__ import annotations

import itertools
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pymysql
from pymysql.cursors import SSCursor

from imaging_pipeline.colony.sources.columns import ColumnMap, Translation, a_column_map
from imaging_pipeline.colony.sources.contract import SOURCE_KEY, Setting, Snapshot, Source
from imaging_pipeline.colony.sources.record import Record
from imaging_pipeline.config.kinds import HOST, PORT, TEXT, TRUTH, NotAllowedError, Secret, a_text, an_object
from imaging_pipeline.errors import ColonyError, Responsible
from imaging_pipeline.server.connection_errors import MYSQL_AWAY_CODES, error_code, error_text

_GENOTYPE_COLUMNS = ("animal_id", "gene", "genotype")
_SESSION = (
    # The only level at which a snapshot stays consistent, and not every server's default.
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION TRANSACTION READ ONLY",
    # Animals and genotypes of the same moment.
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
_ROWS_PER_BATCH = 500
# The timeout is for each answer: a server may send rows so slowly that it never comes to its end.
_MAX_DURATION_S = 1800.0
# Wrong syntax, and tables and columns that do not exist or that the account may not read.
_MAPPING_ERRORS = frozenset((1046, 1049, 1051, 1052, 1054, 1064, 1109, 1142, 1143, 1146, 1305, 1792))


@dataclass(frozen=True)
class Query:
    """A table of the colony system, or several that are joined.

    Attributes
    ----------
    tables
        What stands after ``FROM``.
    columns
        Column → the colony system's column, or an expression.
    """

    tables: str
    columns: ColumnMap

    @property
    def statement(self) -> str:
        """The statement that reads it."""
        return f"SELECT {', '.join(self.columns.values())} FROM {self.tables}"


def _a_query(value: object) -> Query:
    """Accept an object with ``from`` and ``columns``."""
    tables, columns = _query_parts(value)
    return Query(tables, a_column_map(columns))


def _a_genotype_query(value: object) -> Query:
    """Accept an object with ``from`` and ``columns``, which are those of one genotype."""
    tables, columns = _query_parts(value)
    names = {name: a_text(source_name) for name, source_name in an_object(columns).items()}
    if set(names) != set(_GENOTYPE_COLUMNS):
        raise NotAllowedError(f"the columns {', '.join(_GENOTYPE_COLUMNS)}")
    return Query(tables, {name: names[name] for name in _GENOTYPE_COLUMNS})


def _query_parts(value: object) -> tuple[str, object]:
    content = an_object(value)
    if set(content) != {"from", "columns"}:
        raise NotAllowedError('an object with "from" and "columns"')
    return a_text(content["from"]), content["columns"]


def _a_timeout(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 120:
        raise NotAllowedError("a whole number of seconds from 1 to 120")
    return value


@dataclass(frozen=True)
class MysqlDatabase(Source):
    """The database of a colony system, and the statements that read it.

    Attributes
    ----------
    host, port, user, password, database
        How to reach it.
    use_tls
        Whether the connection is encrypted; None is yes if the server offers it.
    timeout_s
        The longest silence of the server, in seconds.
    animals
        Query with a row for each animal.
    genotypes
        Query with a row for each animal and gene; None if genotypes are columns of animals, or not known.
    translation
        What its texts mean.
    datasource_id
        Number of its colony system.
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
        """Return the source with these settings."""
        rest = dict(settings)
        translation = Translation(rest.pop("values") or {}, rest.pop("date_format"))
        return cls(**rest, translation=translation, password=password)

    @property
    def name(self) -> str:
        """Kind, database and address."""
        return f"mysql {self.database} at {self.host}:{self.port}"

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Open the database as it is at one moment, in a session that cannot write.

        Raises
        ------
        ColonyError
            It does not answer, or does not have what the configuration says.
        """
        with closing(self._connected()) as connection:
            deadline = time.monotonic() + _MAX_DURATION_S
            genotypes = self.genotypes
            # Animals are read to their end first: a connection has one unbuffered result at a time.
            yield Snapshot(
                self._records(connection, self.animals, "", deadline),
                None if genotypes is None else self._records(connection, genotypes, "genotype ", deadline),
            )

    def _connected(self) -> Any:
        tls: dict[str, Any] = {}
        if self.use_tls is not None:
            tls = {"ssl": _unverified_tls()} if self.use_tls else {"ssl_disabled": True}
        with self._errors_translated():
            connection = pymysql.connect(
                host=self.host,
                port=self.port,
                user=self.user,
                # PyMySQL would encode a text as latin-1, and fail on other characters.
                password=self.password.reveal().encode(),
                database=self.database,
                charset="utf8mb4",
                connect_timeout=self.timeout_s,
                read_timeout=self.timeout_s,
                write_timeout=self.timeout_s,
                # Values as bytes: one that is no text must not end the reading of all others.
                use_unicode=False,
                conv=pymysql.converters.encoders,
                **tls,
            )
            with connection.cursor() as cursor:
                for statement in _SESSION:
                    cursor.execute(statement)
        return connection

    def _records(self, connection: Any, query: Query, prefix: str, deadline: float) -> Iterator[Record]:
        columns = tuple(query.columns)
        with closing(_Stream(connection)) as stream:
            with self._errors_translated():
                stream.execute(query.statement)
            numbers = itertools.count(1)
            while rows := self._next_rows(stream):
                if time.monotonic() > deadline:
                    raise self._no_answer(f"rows still came after {_MAX_DURATION_S / 60:.0f} minutes")
                # Rows first: zip would take one more number at the end of each batch and drop it.
                for row, number in zip(rows, numbers, strict=False):
                    yield Record(f"{prefix}{number}", dict(zip(columns, row, strict=True)))

    def _next_rows(self, stream: _Stream) -> Sequence[Sequence[bytes | None]]:
        with self._errors_translated():
            rows: Sequence[Sequence[bytes | None]] = stream.fetchmany(_ROWS_PER_BATCH)
            return rows

    @contextmanager
    def _errors_translated(self) -> Iterator[None]:
        try:
            yield
        except pymysql.MySQLError as error:
            if error_code(error) in _MAPPING_ERRORS:
                raise ColonyError(
                    f"The colony's database refuses what {SOURCE_KEY} asks for ({self.name})",
                    found=error_text(error),
                    remedy="correct from and columns of animals and genotypes, or give the account the right"
                    " to read them.",
                ) from error
            raise self._no_answer(
                error_text(error), is_passing=error_code(error) in MYSQL_AWAY_CODES
            ) from error
        except OSError as error:
            raise self._no_answer(str(error)) from error

    def _no_answer(self, found: str, *, is_passing: bool = True) -> ColonyError:
        return ColonyError(
            f"The colony's database does not answer, or not to its end ({self.name} as {self.user})",
            found=found,
            remedy=f"see whether the server runs, and whether {SOURCE_KEY} and custom.mlims.password are"
            " right for it.",
            responsible=Responsible.RETRY if is_passing else Responsible.ADMINISTRATOR,
        )


def _unverified_tls() -> ssl.SSLContext:
    """Return a context that requires encryption, by any certificate: those of a lab are signed by nobody.

    Of PyMySQL's options, only a context or a verified certificate make it refuse a server without TLS.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _Stream(SSCursor):
    """A cursor that yields row by row and can be closed before the last one.

    PyMySQL's own reads all rows that are left when it is closed, which may be the whole colony.
    """

    def close(self) -> None:
        """Drop the rows that are left; the connection can only be closed afterwards."""
        if self._result is not None:
            self._result.unbuffered_active = False
        self.connection = None

    __del__ = close
