"""A PostgreSQL server of the test session's own, on loopback and with passwords."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2

from imaging_pipeline.server.postgres_programs import find_programs
from tests.makers.server_process import ServerProcess, free_port

_HOST = "127.0.0.1"


@contextmanager
def running(folder: Path) -> Iterator[ServerProcess]:
    """Run a fresh server with its data in ``folder``; it ends with the context."""
    user, password, port = "lab", "secret of the tests", free_port()
    programs = find_programs(folder)
    data, secret, log = folder / "data", folder / "password", folder / "log"
    secret.write_text(password)
    log.touch()
    data.mkdir(mode=0o700)
    for path in (data, secret, log):
        programs.hand_over(path)
    status, written = programs.call(
        "initdb",
        f"--pgdata={data}",
        f"--username={user}",
        f"--pwfile={secret}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
        cwd=folder,
    )
    if status:
        raise RuntimeError(f"PostgreSQL could not be set up:\n{written}")
    account = {"host": _HOST, "port": port, "user": user, "password": password, "dbname": "postgres"}
    server = ServerProcess(
        backend="postgresql",
        host=_HOST,
        port=port,
        user=user,
        password=password,
        arguments=[
            str(programs.folder / "postgres"),
            *("-D", str(data), "-h", _HOST, "-p", str(port), "-k", "", "-c", "fsync=off"),
        ],
        account=programs.account,
        log=log,
        probe=lambda: psycopg2.connect(**account).close(),
        stop_signal=signal.SIGINT,
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()
