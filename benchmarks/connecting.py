"""How long it takes to be connected to a database whose tables are declared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import imaging_pipeline
from benchmarks.fresh_process import call_fresh
from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from benchmarks.servers import Address, address
from benchmarks.timing import interleaved_s, shortest
from imaging_pipeline.config.config import Config

_PEER = "bare DataJoint"


@dataclass(frozen=True)
class Size:
    """How often each is done.

    Attributes
    ----------
    processes
        Fresh processes that connect.
    connections
        Connections in a process that has imported everything.
    """

    processes: int = 7
    connections: int = 15


def measure(size: Size, folder: Path, config: Config) -> Iterator[Measurement]:
    from imaging_pipeline import database

    database.init_db(config)
    server = address(config)
    again_s, bare_s = interleaved_s(
        partial(_connect, config), partial(_connect_bare, server), repeats=size.connections
    )
    yield Measurement("connect()", again_s, "s", _PEER, bare_s, at_most=0.5)
    first_s, bare_s = shortest(
        [
            [call_fresh(_connect, config).seconds, call_fresh(_connect_bare, server).seconds]
            for _ in range(size.processes)
        ]
    )
    yield Measurement("connect(), the first of a process", first_s, "s", _PEER, bare_s, at_most=0.5)


def _connect(config: Config) -> None:
    imaging_pipeline.connect(config)


def _connect_bare(server: Address) -> None:
    # Not at the top: a fresh process spends most of its time on this import.
    import datajoint as dj

    connection: Any = dj.Connection(
        server.host,
        server.user,
        server.password,
        server.port,
        use_tls=False,
        backend=server.backend,
        config_override=dj.settings.Config(),
    )
    connection.close()


SCRIPT = Script(full=Size(), tiny=Size(processes=1, connections=1), measure=measure, on_servers=True)

if __name__ == "__main__":
    run(SCRIPT)
