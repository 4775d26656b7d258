"""Time by the server's clock, in UTC: clients' clocks differ, and wall time jumps twice a year."""

from __future__ import annotations

from typing import Any

_NOW = {"postgresql": "(clock_timestamp() AT TIME ZONE 'UTC')", "mysql": "UTC_TIMESTAMP(6)"}
_SECONDS_BETWEEN = {
    "postgresql": "EXTRACT(EPOCH FROM {later} - {earlier})",
    "mysql": "TIMESTAMPDIFF(MICROSECOND, {earlier}, {later}) / 1000000",
}


def now(connection: Any) -> str:
    """Return the SQL expression for the present, in UTC."""
    return _NOW[connection.adapter.backend]


def seconds_since(connection: Any, column: str) -> str:
    """Return the SQL expression for how long ago a column's time was, which is in UTC."""
    return _SECONDS_BETWEEN[connection.adapter.backend].format(earlier=column, later=now(connection))
