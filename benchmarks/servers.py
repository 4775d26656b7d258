"""The databases that a benchmark runs on."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline.config.config import Config, Secret, embedded_config
from imaging_pipeline.server import embedded
from tests.makers import mariadb
from tests.makers.server_folder import make_server_folder

_BACKENDS = ("postgresql", "mysql")


@dataclass(frozen=True)
class Address:
    """The address of a server, and an account on it."""

    backend: str
    host: str
    port: int
    user: str
    password: str


def address(config: Config) -> Address:
    """Return the address of a configuration's server; an embedded one is started."""
    if config.embedded_folder is None:
        return Address(config.backend, str(config.host), config.port, config.user, config.password.reveal())
    server = embedded.start(config.embedded_folder)
    return Address(config.backend, server.host, server.port, server.user, "unused")


def backends() -> tuple[str, ...]:
    """Return the backends that this machine has."""
    return _BACKENDS if mariadb.is_installed() else _BACKENDS[:1]


@contextmanager
def running(backend: str) -> Iterator[Config]:
    """Run a fresh server, and yield the configuration for it."""
    folder = make_server_folder()
    config = dataclasses.replace(
        embedded_config(folder / "server"),
        prefix="bench_",
        timezone="Europe/Oslo",
        loglevel="WARNING",
        safemode=False,
    )
    if backend == "postgresql":
        # It ends with the last process that uses it: not only those that are measured.
        embedded.start(folder / "server")
        yield config
        return
    with tempfile.TemporaryDirectory() as data, mariadb.running(Path(data)) as server:
        yield dataclasses.replace(
            config,
            backend="mysql",
            host=server.host,
            port=server.port,
            user=server.user,
            password=Secret(server.password),
            stores={"default": "main", "main": {"protocol": "file", "location": str(folder)}},
            embedded_folder=None,
        )
