"""SQL for times by the server's clock: clients' clocks differ."""

from __future__ import annotations

# In UTC, since wall time jumps twice a year. PostgreSQL's CURRENT_TIMESTAMP is when the transaction began.
_UTC_NOW = {"postgresql": "(clock_timestamp() AT TIME ZONE 'UTC')", "mysql": "UTC_TIMESTAMP(6)"}
_SECONDS_SINCE_UTC = {
    "postgresql": "EXTRACT(EPOCH FROM {now} - {time})",
    "mysql": "TIMESTAMPDIFF(MICROSECOND, {time}, {now}) / 1000000",
}
# Times of DataJoint's job rows, and defaults of CURRENT_TIMESTAMP, are in the zone of the server's session.
_SECONDS_SINCE = {
    "postgresql": "EXTRACT(EPOCH FROM CURRENT_TIMESTAMP - ({time})::timestamptz)",
    "mysql": "(UNIX_TIMESTAMP(CURRENT_TIMESTAMP(6)) - UNIX_TIMESTAMP({time}))",
}


def utc_now(backend: str) -> str:
    """Return the SQL expression for the present, in UTC."""
    return _UTC_NOW[backend]


def seconds_since_utc(backend: str, time: str) -> str:
    """Return the SQL expression for how long ago a time in UTC was."""
    return _SECONDS_SINCE_UTC[backend].format(time=time, now=utc_now(backend))


def seconds_since(backend: str, time: str) -> str:
    """Return the SQL expression for how long ago a time in the zone of the server's session was."""
    return _SECONDS_SINCE[backend].format(time=time)
