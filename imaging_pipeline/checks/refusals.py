"""Why a database server could not be reached, in words a person can act on.

The drivers have one class for all of it. MySQL's numbers are those of its error reference; PostgreSQL's
driver gives no number before there is a connection, only the text of libpq and of the server.
"""

from __future__ import annotations

from dataclasses import dataclass

from imaging_pipeline.checks.finding import Finding, failed
from imaging_pipeline.config import Config


@dataclass(frozen=True)
class _Reason:
    """One reason: how the drivers tell it, what it means, and what to do.

    ``found`` and ``remedy`` may name ``{host}``, ``{port}``, ``{user}``, ``{name}`` and ``{backend}``.
    """

    numbers: tuple[int, ...]
    texts: tuple[str, ...]
    found: str
    remedy: str


# In this order: the words of a later one may stand in the text of an earlier one.
_REASONS = (
    _Reason(
        (),
        (
            *("name or service not known", "could not translate host name", "getaddrinfo failed"),
            *("nodename nor servname", "name resolution", "no address associated"),
        ),
        "there is no host by the name {host}",
        "Correct database.host, or see whether this machine is on the lab's network or VPN.",
    ),
    _Reason(
        (),
        ("invalid response to ssl negotiation", "expected authentication request", "packet sequence number"),
        "what answers at {host}:{port} does not talk as a {backend} server",
        "Correct database.backend or database.port.",
    ),
    _Reason(
        (),
        ("connection refused", "actively refused"),
        "{host} is there, but refuses connections at port {port}",
        "Start the server, or correct database.port.",
    ),
    _Reason(
        (),
        ("timed out", "timeout expired", "no route to host", "network is unreachable"),
        "{host}:{port} does not answer",
        "See whether this machine is on the lab's network or VPN, and whether a firewall is in between.",
    ),
    _Reason(
        (1045, 1698),
        ("password authentication failed", "no password supplied", "authentication failed", "role "),
        "the server refuses user {user} with this password",
        "Correct database.user and database.password (DJ_USER, DJ_PASS).",
    ),
    _Reason(
        (1049,),
        ('database "',),
        "the server has no database {name}",
        "Correct database.name, or have the database made.",
    ),
    _Reason(
        (1130,),
        ("no pg_hba.conf entry",),
        "the server does not let user {user} in from this machine",
        "Have it allowed on the server (pg_hba.conf, or the account's host), with or without TLS as"
        " database.use_tls says.",
    ),
    _Reason(
        (2026, 3159),
        ("ssl", "tls", "secure transport", "certificate"),
        "server and client do not agree on encryption (TLS)",
        "Set database.use_tls to what the server offers: true or false.",
    ),
    _Reason(
        (1040, 1203),
        ("too many connections", "too many clients"),
        "the server has no connection left",
        "End clients that nobody needs, or raise the server's limit.",
    ),
)


def why_refused(config: Config, error: BaseException) -> Finding:
    """Give what a driver raised when it should connect as a finding.

    Parameters
    ----------
    config
        With what was connected.
    error
        The driver's own error.
    """
    number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    text = str(error)
    for reason in _REASONS:
        if number in reason.numbers or any(words in text.lower() for words in reason.texts):
            values = {
                "host": config.host,
                "port": config.port,
                "user": config.user,
                "name": config.database_name or "postgres",
                "backend": config.backend,
            }
            return failed("server", reason.found.format(**values), reason.remedy)
    first_line = text.strip().partition("\n")[0] or type(error).__name__
    return failed(
        "server",
        f"no connection to {config.host}:{config.port} as {config.user}: {first_line}",
        "See whether host, port, user and password are right, and whether the server is in order.",
    )
