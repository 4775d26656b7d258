"""Why the database server did not answer, or refused, and whose move that is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import datajoint as dj

from imaging_pipeline.config import Config
from imaging_pipeline.errors import DatabaseError, PipelineError, UnreachableError

# A connection that PostgreSQL's server refuses has no code, only its words behind a severity. What the
# client says itself has none.
_ANSWER = re.compile(r"failed: \S+:  ")
_NO_DATABASE = re.compile(r'database ".*" does not exist')
_NO_ACCOUNT = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry"
    r'|(role|user) ".*" (does not exist|is not permitted to log in)'
)
_LATER = re.compile(r"starting up|shutting down|in recovery mode|too many")

# MySQL, server error reference: access denied (three), host not allowed.
_NO_ACCOUNT_MYSQL = frozenset((1044, 1045, 1698, 1130))
# Too many connections, shutdown in progress.
_LATER_MYSQL = frozenset((1040, 1053))
# CR_CONNECTION_ERROR, CR_CONN_HOST_ERROR, CR_UNKNOWN_HOST, CR_SERVER_GONE_ERROR, CR_SERVER_LOST.
_AWAY_MYSQL = frozenset((2002, 2003, 2005, 2006, 2013))


def where(config: Config) -> str:
    """Name the server of a configuration."""
    if config.host is None:
        return f"the embedded server in {config.embedded_folder}"
    return f"the {config.backend} server at {config.host}:{config.port}"


def connection_error(config: Config, error: Exception) -> DatabaseError:
    """Say why there is no connection to the server of a configuration."""
    place = where(config)
    found = _words(error)
    if _is_of_account(error):
        return DatabaseError(
            f"{place[0].upper()}{place[1:]} refuses the account {config.user}",
            path=config.path,
            found=found,
            remedy=f"Correct database.user ({config.sources['database.user']}) and database.password"
            f" ({config.sources['database.password']}), or have the account made.",
        )
    if _NO_DATABASE.search(found):
        return DatabaseError(
            f"There is no database {config.database_name} on {place}",
            path=config.path,
            found=found,
            remedy=f"Correct database.name ({config.sources['database.name']}), or have the database made.",
        )
    kind = UnreachableError if _is_away(error) else DatabaseError
    return kind(
        f"No connection to {place} as {config.user}",
        path=config.path,
        found=found,
        remedy="See whether the server runs, database.host and database.port are right, this machine"
        " reaches it, and both agree about database.use_tls.",
    )


@contextmanager
def refusals_told(config: Config) -> Iterator[None]:
    """Tell a missing right or a lost connection in our own words.

    Raises
    ------
    DatabaseError
    """
    try:
        yield
    except PipelineError:
        raise
    except Exception as error:
        if (refused := _missing_right(error)) is not None:
            raise DatabaseError(
                f"The account {config.user} may not do this",
                path=config.path,
                found=_words(refused),
                remedy=f"Have the administrator give it the rights on the schemas {config.prefix}*, or use an"
                " account that has them.",
            ) from error
        if is_loss(error):
            raise UnreachableError(
                "The connection to the database was lost",
                path=config.path,
                found=_words(error),
                remedy="Do it again when the server runs: what was not finished is not in the database.",
            ) from error
        raise


def is_loss(error: BaseException) -> bool:
    """Say whether an error is that the server went away; each driver has its own classes for it."""
    if isinstance(error, dj.errors.LostConnectionError):
        return True
    if type(error).__name__ not in ("OperationalError", "InterfaceError"):
        return False
    if hasattr(error, "pgcode"):
        return error.pgcode is None
    # 0 is PyMySQL's own for a connection that is closed.
    return _code(error) in {0, *_AWAY_MYSQL}


def _missing_right(error: Exception) -> dj.errors.AccessError | None:
    """Give the server's refusal, also where DataJoint raised another error of it."""
    candidates = (error, error.__context__)
    return next((each for each in candidates if isinstance(each, dj.errors.AccessError)), None)


def _is_of_account(error: Exception) -> bool:
    return _code(error) in _NO_ACCOUNT_MYSQL or _NO_ACCOUNT.search(str(error)) is not None


def _is_away(error: Exception) -> bool:
    if isinstance(_code(error), int):
        return _code(error) in _AWAY_MYSQL | _LATER_MYSQL
    is_silent = not _ANSWER.search(str(error)) and "SSL" not in str(error)
    return is_silent or _LATER.search(str(error)) is not None


def _code(error: BaseException) -> object:
    return next(iter(error.args), None)


def _words(error: Exception) -> str:
    """Give the first line of what the server or its driver says, without the number before it."""
    words = [line for part in error.args if isinstance(part, str) for line in part.splitlines() if line]
    if isinstance(error, dj.errors.AccessError):
        words = words[1:] or words  # the first are DataJoint's
    return words[0].strip() if words else type(error).__name__
