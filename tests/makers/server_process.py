"""A database server as a process that a test may stop and start again."""

from __future__ import annotations

import dataclasses
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from imaging_pipeline.config.config import Config, Secret

_DEADLINE_S = 60


@dataclass
class ServerProcess:
    """How to reach a server on loopback, and to be without it for a while.

    Attributes
    ----------
    backend, host, port, user, password
        An account that may do everything.
    arguments, account
        What to run, as whom.
    log
        The file that it writes to.
    probe
        Raises as long as the server does not answer.
    stop_signal
        Ends it although there are clients.
    """

    backend: Literal["mysql", "postgresql"]
    host: str
    port: int
    user: str
    password: str
    arguments: Sequence[str]
    account: str | None
    log: Path
    probe: Callable[[], Any]
    stop_signal: signal.Signals
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it, if it does not run, and wait until it answers."""
        if self._process is not None:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.arguments,
                stdout=log,
                stderr=log,
                cwd=self.log.parent,
                user=self.account,
                group=self.account,
                extra_groups=[] if self.account else None,
            )
        deadline = time.monotonic() + _DEADLINE_S
        while True:
            try:
                self.probe()
                return
            except Exception as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"The server did not start:\n{self.log.read_text()}") from error
            time.sleep(0.05)

    def configured(self, base: Config, store: Path) -> Config:
        """Return another configuration with this server and store in it."""
        return dataclasses.replace(
            base,
            backend=self.backend,
            host=self.host,
            port=self.port,
            user=self.user,
            password=Secret(self.password),
            stores={"default": "main", "main": {"protocol": "file", "location": str(store)}},
            embedded_folder=None,
        )

    def stop(self) -> None:
        """Stop it, if it runs, whoever is connected."""
        if self._process is not None:
            self._process.send_signal(self.stop_signal)
            self._process.wait(_DEADLINE_S)
            self._process = None


def free_port() -> int:
    """Return a port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
