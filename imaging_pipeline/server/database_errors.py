"""What a database server refuses once there is a connection, or that it went away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import datajoint as dj

from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import DatabaseError, PipelineError, UnreachableError
from imaging_pipeline.server.connection_errors import AWAY_MYSQL, code, words

# PostgreSQL, appendix A: shut down by the administrator or a crash, not ready; and the class of connections.
_ENDED_POSTGRESQL = frozenset({"57P01", "57P02", "57P03"})
_CONNECTION_POSTGRESQL = "08"

# MySQL: too many connections, shutdown in progress, connection killed, ended as it was idle; 0 is PyMySQL's
# own for a connection that is closed.
_ENDED_MYSQL = frozenset({0, 1040, 1053, 1927, 4031})


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
    """Return True if an error is that the server went away; each driver has its own classes for it."""
    if isinstance(error, dj.errors.LostConnectionError):
        return True
    pgcode = getattr(error, "pgcode", None)
    if pgcode is not None:
        return pgcode in _ENDED_POSTGRESQL or pgcode.startswith(_CONNECTION_POSTGRESQL)
    if type(error).__name__ not in ("OperationalError", "InterfaceError"):
        return False
    return hasattr(error, "pgcode") or code(error) in {*AWAY_MYSQL, *_ENDED_MYSQL}


def is_of_server(error: BaseException) -> bool:
    """Return True if an error is one of the server's, as DataJoint or its driver raises it."""
    modules = {base.__module__.partition(".")[0] for base in type(error).__mro__}
    return not modules.isdisjoint(("datajoint", "psycopg2", "pymysql"))


def _missing_right(error: Exception) -> dj.errors.AccessError | None:
    """Return the server's refusal, also where DataJoint raised another error of it."""
    candidates = (error, error.__context__)
    return next((each for each in candidates if isinstance(each, dj.errors.AccessError)), None)


def _words(error: Exception) -> str:
    """Return what the server says, not what DataJoint says before it."""
    if isinstance(error, dj.errors.AccessError) and error.args[1:]:
        error = Exception(*error.args[1:])
    return words(error)
