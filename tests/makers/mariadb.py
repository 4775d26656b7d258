"""A MariaDB server of the test session's own, on loopback."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql

_DEADLINE_S = 60


@dataclass(frozen=True)
class MariaDB:
    """How to reach the server."""

    host: str
    port: int
    user: str
    password: str


def is_installed() -> bool:
    """Whether this machine has the server's programs."""
    return all(_program(name) for name in ("mariadbd", "mariadb-install-db"))


def _program(name: str) -> str | None:
    """Find a program where Debian puts servers, too, which is not on everybody's path."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


@contextmanager
def running(folder: Path) -> Iterator[MariaDB]:
    """Run a fresh server with its data in ``folder``; it ends with the context."""
    data, user = folder / "data", getpass.getuser()
    installed = subprocess.run(
        [
            str(_program("mariadb-install-db")),
            "--no-defaults",
            f"--datadir={data}",
            f"--user={user}",
            "--auth-root-authentication-method=normal",
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if installed.returncode:
        raise RuntimeError(f"MariaDB could not be set up:\n{installed.stdout}\n{installed.stderr}")
    server = MariaDB("127.0.0.1", _free_port(), "root", "")
    arguments = [
        str(_program("mariadbd")),
        "--no-defaults",
        f"--datadir={data}",
        f"--user={user}",
        f"--socket={folder / 'socket'}",
        f"--port={server.port}",
        "--bind-address=127.0.0.1",
        # Else the client is "localhost", for which an anonymous account comes first.
        "--skip-name-resolve",
        # Rows that outlive a crash of the machine are not what tests need.
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=256M",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(arguments, stdout=log, stderr=log) as process:
        try:
            _wait(server, process, folder / "log")
            yield MariaDB(server.host, server.port, "lab", "secret of the tests")
        finally:
            process.terminate()
            process.wait(_DEADLINE_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(server: MariaDB, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        try:
            connection = pymysql.connect(
                host=server.host, port=server.port, user=server.user, password=server.password
            )
            break
        except pymysql.err.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"MariaDB did not start:\n{log.read_text()}") from error
            time.sleep(0.05)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE USER 'lab'@'%' IDENTIFIED BY 'secret of the tests'")
        cursor.execute("GRANT ALL PRIVILEGES ON *.* TO 'lab'@'%' WITH GRANT OPTION")
