"""Which database server it is, and whether it behaves as the pipeline needs it."""

from __future__ import annotations

import statistics
import time
from typing import Any

from imaging_pipeline.checks.finding import Finding, failed, notice, ok
from imaging_pipeline.config.config import Config

# Further apart than this, two clocks are not both set by NTP.
_CLOCK_APART_S = 60.0
_SLOW_ROUND_TRIP_S = 0.1
_ROUND_TRIPS = 5
# The default of MariaDB; MySQL 8 has 64 MiB.
_PACKET_BYTES = 16 * 1024**2
_ON_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")

_VERSION = {"mysql": "SELECT version()", "postgresql": "SHOW server_version"}
_SECONDS = {
    "mysql": "SELECT unix_timestamp(now(6))",
    # Not now(), which is the time at which the transaction began.
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
}
_ISOLATION = {
    # MariaDB uses the older of the two names.
    "mysql": "SHOW SESSION VARIABLES WHERE variable_name IN ('transaction_isolation', 'tx_isolation')",
    "postgresql": "SHOW transaction_isolation",
}
# On MySQL that of the session, which `session_settings` sets and schemas are made with; on PostgreSQL that of
# the database, which is chosen when it is made.
_ENCODING = {"mysql": "SELECT @@collation_server", "postgresql": "SHOW server_encoding"}
_ENCODING_NEEDED = {"mysql": "utf8mb4_bin", "postgresql": "UTF8"}
# A standby of PostgreSQL begins all transactions read-only.
_READ_ONLY = {"mysql": "SELECT @@global.read_only", "postgresql": "SHOW transaction_read_only"}
_CIPHER = {
    "mysql": "SHOW SESSION STATUS WHERE variable_name = 'Ssl_cipher'",
    "postgresql": "SELECT coalesce(cipher, '') FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
}


def check_server(connection: Any, config: Config) -> tuple[Finding, ...]:
    """Check the server of a DataJoint connection; nothing is written.

    Parameters
    ----------
    connection
        From `database.connect`, whose session settings are checked, too.
    config
        The configuration that it was made with.
    """
    findings = [_server(connection, config), _round_trip(connection), _clock(connection)]
    # The embedded server listens at a socket of this machine alone, where nobody can read along.
    if config.embedded_folder is None:
        findings.append(_encryption(connection, config))
    findings.append(_session(connection))
    if str(_value(connection, _READ_ONLY)).lower() in ("1", "on"):
        findings.append(
            failed("writing", "the server takes no changes (read-only)", "Name the primary server instead.")
        )
    if connection.adapter.backend == "mysql":
        findings.append(_packet(connection))
    return tuple(findings)


def _value(connection: Any, queries: dict[str, str]) -> Any:
    """Return the last column of the first row, which is the value in the answer to MySQL's ``SHOW``."""
    row = connection.query(queries[connection.adapter.backend]).fetchone()
    return None if row is None else row[-1]


def _server(connection: Any, config: Config) -> Finding:
    version = str(_value(connection, _VERSION))
    if config.embedded_folder is not None:
        return ok("server", f"PostgreSQL {version}, embedded in {config.embedded_folder}")
    if config.backend == "postgresql":
        kind, database = "PostgreSQL", f", database {config.database_name or 'postgres'}"
    else:
        kind, database = "MariaDB" if "MariaDB" in version else "MySQL", ""
    return ok(
        "server",
        f"{kind} {version.partition('-')[0]} at {config.host}:{config.port}{database}, as user {config.user}",
    )


def _round_trip(connection: Any) -> Finding:
    times_s = []
    for _ in range(_ROUND_TRIPS):
        started = time.perf_counter()
        connection.query("SELECT 1").fetchone()
        times_s.append(time.perf_counter() - started)
    # The median: a single slow answer says nothing about the network.
    round_trip_s = statistics.median(times_s)
    found = f"{round_trip_s * 1e3:.2f} ms"
    if round_trip_s > _SLOW_ROUND_TRIP_S:
        return notice(
            "round trip", found, "Work nearer to the server: to register a folder takes hundreds of them."
        )
    return ok("round trip", found)


def _clock(connection: Any) -> Finding:
    # Compared with the middle of the query, so that its duration does not count.
    before_s = time.time()
    server_s = float(_value(connection, _SECONDS))
    apart_s = server_s - (before_s + time.time()) / 2
    if abs(apart_s) > _CLOCK_APART_S:
        return notice(
            "clock",
            f"the server's is {abs(apart_s):,.0f} s {'ahead of' if apart_s > 0 else 'behind'} this machine's",
            "Set both by NTP: jobs are scheduled, and heartbeats judged, by the two together.",
        )
    return ok("clock", f"{abs(apart_s):.1f} s apart from this machine's")


def _encryption(connection: Any, config: Config) -> Finding:
    cipher = str(_value(connection, _CIPHER) or "")
    if cipher:
        return ok("encryption", f"TLS, {cipher}")
    if config.use_tls:
        # MySQL's driver connects without TLS where the server offers none.
        return failed(
            "encryption",
            "none, although database.use_tls is true",
            "Let the server offer TLS, or set database.use_tls to false.",
        )
    if config.host in _ON_THIS_MACHINE or config.use_tls is False:
        return ok("encryption", "none")
    return notice(
        "encryption",
        "none: the server offers no TLS, so others on the network could read along",
        "Let the server offer TLS; or set database.use_tls to false if none is wanted.",
    )


def _session(connection: Any) -> Finding:
    isolation = str(_value(connection, _ISOLATION)).replace("-", " ").upper()
    encoding = str(_value(connection, _ENCODING))
    needed = _ENCODING_NEEDED[connection.adapter.backend]
    found = f"{isolation}, {encoding}"
    if isolation != "READ COMMITTED" or encoding != needed:
        return failed(
            "session",
            found,
            f"READ COMMITTED and {needed} are needed: let the account set them for its session, or have"
            " the database made so.",
        )
    return ok("session", found)


def _packet(connection: Any) -> Finding:
    num_bytes = int(connection.query("SELECT @@max_allowed_packet").fetchone()[0])
    found = f"up to {num_bytes / 1024**2:.0f} MiB in one statement"
    if num_bytes < _PACKET_BYTES:
        return notice(
            "packet",
            found,
            f"Set max_allowed_packet of the server to {_PACKET_BYTES // 1024**2}M or more: images are rows.",
        )
    return ok("packet", found)
