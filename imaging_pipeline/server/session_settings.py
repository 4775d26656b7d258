"""What holds of every connection of ours, and is said again whenever it is made anew."""

from __future__ import annotations

import socket
from typing import Any

_MYSQL_SESSION = (
    # By default a transaction that waited for a lock still sees the rows of before, and would register a
    # session a second time.
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    # What databases are created with. Under other defaults keys would ignore case, and a latin1 server
    # would refuse names; and tables of a person's own schema can refer to ours only with the same.
    "SET SESSION character_set_server = 'utf8mb4', SESSION collation_server = 'utf8mb4_bin'",
)

# A network that goes silent says nothing. By default systems ask after two hours whether the other side is
# still there, and repeat for a quarter of an hour what was not received.
_ASK_AFTER_S, _ASK_EVERY_S, _ASK_TIMES = 60, 15, 4
_REPEAT_FOR_S = _ASK_AFTER_S + _ASK_EVERY_S * _ASK_TIMES
_TCP = {
    "TCP_KEEPIDLE": _ASK_AFTER_S,
    "TCP_KEEPINTVL": _ASK_EVERY_S,
    "TCP_KEEPCNT": _ASK_TIMES,
    "TCP_USER_TIMEOUT": _REPEAT_FOR_S * 1000,
}


def settle(connection: Any) -> None:
    """Let a connection behave alike on both backends, and notice within minutes that it is dead."""
    reconnect = connection.connect

    def settle_now() -> None:
        _notice_silence(connection)
        if connection.adapter.backend == "mysql":
            for statement in _MYSQL_SESSION:
                connection.query(statement, reconnect=False)

    def connect_settled() -> None:
        reconnect()
        settle_now()

    connection.connect = connect_settled
    settle_now()


def is_alive(connection: Any) -> bool:
    """Return True if the server answers; DataJoint's `is_connected` stays true on PostgreSQL."""
    return bool(connection.adapter.ping(connection._conn))


def _notice_silence(connection: Any) -> None:
    with _its_socket(connection) as its_socket:
        if its_socket.family not in (socket.AF_INET, socket.AF_INET6):
            return
        its_socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _TCP.items():
            if hasattr(socket, name):  # each system has its own
                its_socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _its_socket(connection: Any) -> socket.socket:
    """Return a second handle of a connection's socket, to be closed; what is set by it holds of the first."""
    driver = connection._conn
    number = driver._sock.fileno() if connection.adapter.backend == "mysql" else driver.fileno()
    return socket.socket(fileno=socket.dup(number))
