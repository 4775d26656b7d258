"""One database connection for each thread: a shared one gives one thread's rows to another."""

from __future__ import annotations

import threading
from typing import cast

from flask import current_app, g

from imaging_pipeline import database
from imaging_pipeline.config.config import Config
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.server.connection_errors import connection_error
from imaging_pipeline.server.session_settings import is_alive

EXTENSION = "imaging_pipeline_connections"
"""Key of the `Connections` among the extensions of a site."""


class Connections:
    """The connections of a site, one for each thread that asks for one; there are as many as server threads.

    Parameters
    ----------
    config
        The database; this process is connected to it already.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._of_thread = threading.local()
        self._all: list[Tables] = []

    def tables(self) -> Tables:
        """Return the tables of the calling thread on a connection that is alive.

        Raises
        ------
        DatabaseError
            The server cannot be reached, or refuses.
        """
        bound: Tables | None = getattr(self._of_thread, "tables", None)
        if bound is None:
            # Table classes belong to one connection, so `open_tables` makes those of each thread anew.
            bound = self._of_thread.tables = database.open_tables(self._config)
            # Threads need no lock for this: Python appends in one step.
            self._all.append(bound)
        else:
            self._reconnect(bound)
        return bound

    def close(self) -> None:
        """Close all connections; no thread may be using one."""
        while self._all:
            self._all.pop().connection.close()
        self._of_thread = threading.local()

    def _reconnect(self, bound: Tables) -> None:
        connection = bound.connection
        if is_alive(connection):
            return
        try:
            # DataJoint connects again by itself on MySQL, but not on PostgreSQL.
            connection.connect()
            # DataJoint would take a transaction that the loss has ended for one that is still open.
            connection.cancel_transaction()
        except Exception as error:  # each driver has its own classes
            raise connection_error(self._config, error) from error


def connections() -> Connections:
    """Return the connections of the current site."""
    return cast(Connections, current_app.extensions[EXTENSION])


def tables() -> Tables:
    """Return the tables of this request, for reading; for changes see `recorded_changes.recorded`."""
    # Once for a request: whether the connection is alive costs a round trip.
    if "tables" not in g:
        g.tables = connections().tables()
    return cast(Tables, g.tables)
