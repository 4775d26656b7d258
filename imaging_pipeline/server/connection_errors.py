"""Why a database server cannot be reached, refuses a statement, or went away, in words a person can act on.

The drivers have one class for all of it. MySQL's numbers are those of its error reference; PostgreSQL's
driver gives no number before there is a connection, only the messages of libpq and of the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import datajoint as dj

from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import DatabaseError, PipelineError, UnreachableError

_CALLED = {"mysql": "MySQL", "postgresql": "PostgreSQL"}

# The answer of a PostgreSQL server comes after a severity; the client's own messages have none.
_ANSWER = re.compile(r"failed: \S+:  ")


@dataclass(frozen=True)
class _Reason:
    """A reason why there is no connection.

    Attributes
    ----------
    numbers, pattern
        How it is recognised: MySQL's error numbers, and a pattern of the message.
    what, remedy
        What is wrong and what to do. Both may name ``{host}``, ``{port}``, ``{user}``, ``{name}``,
        ``{backend}``, and where values come from: ``{user_source}``, ``{password_source}``,
        ``{name_source}``.
    is_temporary
        Whether it may pass by itself, so that trying again later makes sense.
    """

    numbers: tuple[int, ...]
    pattern: str
    what: str
    remedy: str
    is_temporary: bool = False


# The order matters: the pattern of a later reason may also match the message of an earlier one.
_REASONS = (
    _Reason(
        (),
        r"name or service not known|could not translate host name|getaddrinfo failed|nodename nor servname"
        r"|name resolution|no address associated",
        "there is no host by the name {host}",
        "Correct database.host, or see whether this machine is on the lab's network or VPN.",
        is_temporary=True,
    ),
    _Reason(
        (),
        r"invalid response to ssl negotiation|expected authentication request|packet sequence number",
        "what answers there does not talk as a {backend} server",
        "Correct database.backend or database.port.",
    ),
    _Reason(
        (1045, 1698),
        r"password authentication failed|no password supplied|authentication failed"
        r'|(role|user) ".*" (does not exist|is not permitted to log in)',
        "it refuses the account {user} with this password",
        "Correct database.user ({user_source}) and database.password ({password_source}), or have the account"
        " made.",
    ),
    _Reason(
        (1049,),
        r'database ".*" does not exist',
        "there is no database {name}",
        "Correct database.name ({name_source}), or have the database made.",
    ),
    _Reason(
        (1044, 1130),
        r"no pg_hba\.conf entry",
        "it does not let the account {user} in from this machine",
        "Have it allowed on the server (pg_hba.conf, or the account's host and rights), with or without TLS"
        " as database.use_tls says.",
    ),
    _Reason(
        (1040, 1203),
        r"too many (connections|clients)",
        "it has no connection left",
        "End clients that nobody needs, or raise the server's limit.",
        is_temporary=True,
    ),
    _Reason(
        (1053,),
        r"starting up|shutting down|in recovery mode",
        "it is starting or ending",
        "Wait until the server runs.",
        is_temporary=True,
    ),
    _Reason(
        (),
        r"connection refused|actively refused",
        "{host} is there, but refuses connections at port {port}",
        "Start the server, or correct database.port.",
        is_temporary=True,
    ),
    _Reason(
        (),
        r"timed out|timeout expired|no route to host|network is unreachable",
        "{host} does not answer at port {port}",
        "See whether this machine is on the lab's network or VPN, and whether a firewall is in between.",
        is_temporary=True,
    ),
    _Reason(
        (2026, 3159),
        r"\bssl\b|\btls\b|secure transport|certificate",
        "server and client do not agree on encryption (TLS)",
        "Set database.use_tls to what the server offers: true or false.",
    ),
)

# PostgreSQL, appendix A: shut down by the administrator or a crash, not ready; and the class of connections.
_POSTGRESQL_ENDED_CODES = frozenset({"57P01", "57P02", "57P03"})
_POSTGRESQL_CONNECTION_CLASS = "08"

# MySQL: too many connections, shutdown in progress, connection killed, ended as it was idle; 0 is PyMySQL's
# own for a connection that is closed.
_MYSQL_ENDED_CODES = frozenset({0, 1040, 1053, 1927, 4031})

# CR_CONNECTION_ERROR, CR_CONN_HOST_ERROR, CR_UNKNOWN_HOST, CR_SERVER_GONE_ERROR, CR_SERVER_LOST.
MYSQL_AWAY_CODES = frozenset((2002, 2003, 2005, 2006, 2013))


def server_name(config: Config) -> str:
    """Name the server of a configuration."""
    if config.host is None:
        return f"the embedded server in {config.embedded_folder}"
    return f"the {_CALLED[config.backend]} server at {config.host}:{config.port}"


def connection_error(config: Config, error: Exception) -> DatabaseError:
    """Return why there is no connection to the server of a configuration.

    Parameters
    ----------
    config
        What the connection was tried with.
    error
        The driver's own error.

    Returns
    -------
    DatabaseError
        `UnreachableError` where the server may answer later by itself.
    """
    no_connection = f"No connection to {server_name(config)} as {config.user}"
    reason = _reason(error)
    if reason is None:
        kind = UnreachableError if _is_silent(error) else DatabaseError
        remedy = "See whether host, port and account are right, and whether the server is in order."
        return kind(no_connection, path=config.path, found=error_text(error), remedy=remedy)
    values = {
        "host": config.host,
        "port": config.port,
        "user": config.user,
        "name": config.database_name or "postgres",
        "backend": _CALLED[config.backend],
        "user_source": config.sources.get("database.user"),
        "password_source": config.sources.get("database.password"),
        "name_source": config.sources.get("database.name"),
    }
    return (UnreachableError if reason.is_temporary else DatabaseError)(
        f"{no_connection}: {reason.what.format(**values)}",
        path=config.path,
        found=error_text(error),
        remedy=reason.remedy.format(**values),
    )


@contextmanager
def database_errors(config: Config) -> Iterator[None]:
    """Turn a missing right or a lost connection within the enclosed code into an error of ours.

    Raises
    ------
    DatabaseError
        The account lacks a right.
    UnreachableError
        The connection was lost.
    """
    try:
        yield
    except PipelineError:
        raise
    except Exception as error:
        if (access_error := _access_error(error)) is not None:
            raise DatabaseError(
                f"The account {config.user} may not do this",
                path=config.path,
                found=_server_text(access_error),
                remedy=f"Have the administrator give it the rights on the schemas {config.prefix}*, or use an"
                " account that has them.",
            ) from error
        if is_loss(error):
            raise UnreachableError(
                "The connection to the database was lost",
                path=config.path,
                found=_server_text(error),
                remedy="Do it again when the server runs: what was not finished is not in the database.",
            ) from error
        raise


def is_loss(error: BaseException) -> bool:
    """Return True if an error says that the server went away; each driver has its own classes for it."""
    if isinstance(error, dj.errors.LostConnectionError):
        return True
    pgcode = getattr(error, "pgcode", None)
    if pgcode is not None:
        return pgcode in _POSTGRESQL_ENDED_CODES or pgcode.startswith(_POSTGRESQL_CONNECTION_CLASS)
    if type(error).__name__ not in ("OperationalError", "InterfaceError"):
        return False
    # Of a connection that broke off psycopg2 gives no code (its `pgcode` is None), and PyMySQL a number.
    return hasattr(error, "pgcode") or error_code(error) in {*MYSQL_AWAY_CODES, *_MYSQL_ENDED_CODES}


def is_of_server(error: BaseException) -> bool:
    """Return True if DataJoint or its driver raised the error."""
    modules = {base.__module__.partition(".")[0] for base in type(error).__mro__}
    return not modules.isdisjoint(("datajoint", "psycopg2", "pymysql"))


def error_code(error: BaseException) -> object:
    """Return the first argument of an error, where MySQL's driver puts the number."""
    return next(iter(error.args), None)


def error_text(error: Exception) -> str:
    """Return the first line of an error's message, without MySQL's number before it."""
    lines = [line for part in error.args if isinstance(part, str) for line in part.splitlines() if line]
    return lines[0].strip() if lines else type(error).__name__


def _reason(error: Exception) -> _Reason | None:
    number, text = error_code(error), str(error)
    for reason in _REASONS:
        if number in reason.numbers or re.search(reason.pattern, text, re.IGNORECASE):
            return reason
    return None


def _is_silent(error: Exception) -> bool:
    """Return True if no server answered at all."""
    if isinstance(error_code(error), int):
        return error_code(error) in MYSQL_AWAY_CODES
    return not _ANSWER.search(str(error))


def _access_error(error: Exception) -> dj.errors.AccessError | None:
    """Return the server's refusal, also where DataJoint raised another error while it handled that one."""
    candidates = (error, error.__context__)
    return next((candidate for candidate in candidates if isinstance(candidate, dj.errors.AccessError)), None)


def _server_text(error: Exception) -> str:
    """Return the server's own message, without what DataJoint puts before it."""
    if isinstance(error, dj.errors.AccessError) and error.args[1:]:
        error = Exception(*error.args[1:])
    return error_text(error)
