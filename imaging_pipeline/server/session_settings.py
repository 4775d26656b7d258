"""Settings of every connection to the database, set again whenever it reconnects."""

from __future__ import annotations

import socket
from typing import Any

_SETTINGS = {
    "mysql": (
        # By default a transaction that waited for a lock still sees the rows as they were before, and would
        # register a session a second time.
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        # Schemas are created with these. Under other defaults keys would ignore case, and a latin1 server
        # would refuse names; and foreign keys from a person's own schema need the same collation as ours.
        "SET SESSION character_set_server = 'utf8mb4', SESSION collation_server = 'utf8mb4_bin'",
    ),
    "postgresql": (
        # DataJoint doubles the backslashes of a restriction by a dictionary, as MySQL reads them. By default
        # PostgreSQL takes both as they stand, and finds no path of Windows.
        "SET standard_conforming_strings = off",
        # Else the server logs a warning for each of them.
        "SET escape_string_warning = off",
    ),
}

# A broken network sends no error. By default, systems send the first keep-alive probe after two hours, and
# retransmit unacknowledged data for a quarter of an hour.
_PROBE_AFTER_S, _PROBE_EVERY_S, _NUM_PROBES = 60, 15, 4
_RETRANSMIT_FOR_S = _PROBE_AFTER_S + _PROBE_EVERY_S * _NUM_PROBES
_TCP = {
    "TCP_KEEPIDLE": _PROBE_AFTER_S,
    "TCP_KEEPINTVL": _PROBE_EVERY_S,
    "TCP_KEEPCNT": _NUM_PROBES,
    # In milliseconds; the others are in seconds, or a number.
    "TCP_USER_TIMEOUT": _RETRANSMIT_FOR_S * 1000,
}


def configure_session(connection: Any) -> None:
    """Make a connection behave alike on both backends, and notice within minutes that it is dead."""
    reconnect = connection.connect

    def configure() -> None:
        _set_keepalive(connection)
        for statement in _SETTINGS[connection.adapter.backend]:
            connection.query(statement, reconnect=False)

    def connect_and_configure() -> None:
        reconnect()
        configure()

    connection.connect = connect_and_configure
    configure()


def is_alive(connection: Any) -> bool:
    """Return True if the server answers; DataJoint's `is_connected` stays true on PostgreSQL."""
    return bool(connection.adapter.ping(connection._conn))


def _set_keepalive(connection: Any) -> None:
    with _socket_of(connection) as handle:
        # The embedded server's socket is a file of this machine, on which no network can break.
        if handle.family not in (socket.AF_INET, socket.AF_INET6):
            return
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _TCP.items():
            if hasattr(socket, name):  # each system has its own
                handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _socket_of(connection: Any) -> socket.socket:
    """Return a second handle of a connection's socket, to be closed; options of it are the socket's."""
    driver = connection._conn
    number = driver._sock.fileno() if connection.adapter.backend == "mysql" else driver.fileno()
    return socket.socket(fileno=socket.dup(number))
