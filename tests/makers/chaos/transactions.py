"""Which connections of a server are in the middle of a transaction."""

from __future__ import annotations

from typing import Any

# With something written that is not committed yet.
_WRITING = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE backend_xid IS NOT NULL",
    "mysql": "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx WHERE trx_rows_modified > 0",
}
_OPEN = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE xact_start IS NOT NULL",
    "mysql": "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx",
}


def writing(connection: Any) -> set[int]:
    """Return the numbers of the connections that have written something, as `connection_id` numbers them."""
    return _numbers(connection, _WRITING)


def in_transaction(connection: Any) -> set[int]:
    """Return those that have a transaction open, and so may hold locks.

    MariaDB may give an answer that is a tenth of a second old.
    """
    return _numbers(connection, _OPEN)


def _numbers(connection: Any, queries: dict[str, str]) -> set[int]:
    return {number for (number,) in connection.query(queries[connection.adapter.backend])}
