"""A MariaDB server of the test session's own, on loopback."""

from __future__ import annotations

import getpass
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

from tests.makers.server_process import ServerProcess, free_port

_HOST = "127.0.0.1"
# Rows that outlive a crash of the machine are not what tests need.
_NOT_WAITING_FOR_THE_DISK = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--sync-frm=0",
)


def is_installed() -> bool:
    """Whether this machine has the server's programs."""
    return all(_program(name) for name in ("mariadbd", "mariadb-install-db"))


def _program(name: str) -> str | None:
    """Find a program where Debian puts servers, too, which is not on everybody's path."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


@contextmanager
def running(folder: Path) -> Iterator[ServerProcess]:
    """Run a fresh server with its data in ``folder``; it ends with the context."""
    data, user = folder / "data", getpass.getuser()
    # A server that starts removes the temporary tables of every other whose folder for them it shares.
    temporary = folder / "temporary"
    temporary.mkdir()
    installed = subprocess.run(
        [
            str(_program("mariadb-install-db")),
            "--no-defaults",
            f"--datadir={data}",
            f"--tmpdir={temporary}",
            f"--user={user}",
            "--auth-root-authentication-method=normal",
            # Else every account has all rights on schemas whose names begin with test_.
            "--skip-test-db",
            *_NOT_WAITING_FOR_THE_DISK,
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if installed.returncode:
        raise RuntimeError(f"MariaDB could not be set up:\n{installed.stdout}\n{installed.stderr}")
    port = free_port()
    arguments = [
        str(_program("mariadbd")),
        "--no-defaults",
        f"--datadir={data}",
        f"--tmpdir={temporary}",
        f"--user={user}",
        f"--socket={folder / 'socket'}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        # Else the client is "localhost", for which an anonymous account comes first.
        "--skip-name-resolve",
        *_NOT_WAITING_FOR_THE_DISK,
        "--innodb-buffer-pool-size=256M",
    ]
    server = ServerProcess(
        backend="mysql",
        host=_HOST,
        port=port,
        user="lab",
        password="secret of the tests",
        arguments=arguments,
        account=None,
        log=folder / "log",
        probe=lambda: _as_root(port).close(),
        stop_signal=signal.SIGTERM,
    )
    try:
        server.start()
        with _as_root(port) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE USER '{server.user}'@'%' IDENTIFIED BY '{server.password}'")
            cursor.execute(f"GRANT ALL PRIVILEGES ON *.* TO '{server.user}'@'%' WITH GRANT OPTION")
        yield server
    finally:
        server.stop()


def _as_root(port: int) -> pymysql.Connection:
    return pymysql.connect(host=_HOST, port=port, user="root", password="")
