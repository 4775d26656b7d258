"""Why there is no connection to a database server, in words a person can act on.

The drivers have one class for all of it. MySQL's numbers are those of its error reference; PostgreSQL's
driver gives no number before there is a connection, only the words of libpq and of the server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import DatabaseError, UnreachableError

_CALLED = {"mysql": "MySQL", "postgresql": "PostgreSQL"}

# What a PostgreSQL server answers stands behind a severity; what the client says itself does not.
_ANSWER = re.compile(r"failed: \S+:  ")


@dataclass(frozen=True)
class _Reason:
    """One reason: how the drivers tell it, what it means, what to do, and whether it passes by itself.

    ``what`` and ``remedy`` may name ``{host}``, ``{port}``, ``{user}``, ``{name}``, ``{backend}``, and
    where values come from: ``{user_source}``, ``{password_source}``, ``{name_source}``.
    """

    numbers: tuple[int, ...]
    words: str
    what: str
    remedy: str
    passes: bool = False


# In this order: the words of a later one may stand in the text of an earlier one.
_REASONS = (
    _Reason(
        (),
        r"name or service not known|could not translate host name|getaddrinfo failed|nodename nor servname"
        r"|name resolution|no address associated",
        "there is no host by the name {host}",
        "Correct database.host, or see whether this machine is on the lab's network or VPN.",
        passes=True,
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
        passes=True,
    ),
    _Reason(
        (1053,),
        r"starting up|shutting down|in recovery mode",
        "it is starting or ending",
        "Wait until the server runs.",
        passes=True,
    ),
    _Reason(
        (),
        r"connection refused|actively refused",
        "{host} is there, but refuses connections at port {port}",
        "Start the server, or correct database.port.",
        passes=True,
    ),
    _Reason(
        (),
        r"timed out|timeout expired|no route to host|network is unreachable",
        "{host} does not answer at port {port}",
        "See whether this machine is on the lab's network or VPN, and whether a firewall is in between.",
        passes=True,
    ),
    _Reason(
        (2026, 3159),
        r"\bssl\b|\btls\b|secure transport|certificate",
        "server and client do not agree on encryption (TLS)",
        "Set database.use_tls to what the server offers: true or false.",
    ),
)

# CR_CONNECTION_ERROR, CR_CONN_HOST_ERROR, CR_UNKNOWN_HOST, CR_SERVER_GONE_ERROR, CR_SERVER_LOST.
AWAY_MYSQL = frozenset((2002, 2003, 2005, 2006, 2013))


def where(config: Config) -> str:
    """Name the server of a configuration."""
    if config.host is None:
        return f"the embedded server in {config.embedded_folder}"
    return f"the {_CALLED[config.backend]} server at {config.host}:{config.port}"


def connection_error(config: Config, error: Exception) -> DatabaseError:
    """Return why there is no connection to the server of a configuration.

    Parameters
    ----------
    config
        With what was connected.
    error
        The driver's own error.

    Returns
    -------
    DatabaseError
        `UnreachableError` where the server may answer later by itself.
    """
    no_connection = f"No connection to {where(config)} as {config.user}"
    reason = _reason(error)
    if reason is None:
        kind = UnreachableError if _is_silent(error) else DatabaseError
        remedy = "See whether host, port and account are right, and whether the server is in order."
        return kind(no_connection, path=config.path, found=words(error), remedy=remedy)
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
    return (UnreachableError if reason.passes else DatabaseError)(
        f"{no_connection}: {reason.what.format(**values)}",
        path=config.path,
        found=words(error),
        remedy=reason.remedy.format(**values),
    )


def code(error: BaseException) -> object:
    """Return the number that MySQL's driver puts before its words, or what stands there."""
    return next(iter(error.args), None)


def words(error: Exception) -> str:
    """Return the first line of what a server or its driver says, without the number before it."""
    lines = [line for part in error.args if isinstance(part, str) for line in part.splitlines() if line]
    return lines[0].strip() if lines else type(error).__name__


def _reason(error: Exception) -> _Reason | None:
    number, text = code(error), str(error)
    for reason in _REASONS:
        if number in reason.numbers or re.search(reason.words, text, re.IGNORECASE):
            return reason
    return None


def _is_silent(error: Exception) -> bool:
    if isinstance(code(error), int):
        return code(error) in AWAY_MYSQL
    return not _ANSWER.search(str(error))
