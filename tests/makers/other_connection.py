"""The tables on a connection of their own, as another thread has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import datajoint as dj

from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.server import embedded
from tests.makers.lab import Lab


@contextmanager
def other_connection(lab: Lab) -> Iterator[Tables]:
    """Return the tables as classes that know only what the database says of them."""
    config = lab.config
    if config.embedded_folder is not None:
        server = embedded.start(config.embedded_folder)
        host, port, user, password = server.host, server.port, server.user, "unused"
    else:
        host, port, user, password = str(config.host), config.port, config.user, config.password.reveal()
    connection = dj.Connection(host, user, password, port, use_tls=False, backend=config.backend)
    modules = (
        dj.VirtualModule(name, f"{config.prefix}{name}", connection=connection)
        for name in ("mlims", "imaging", "suite2p_jobs")
    )
    try:
        yield Tables(connection, config, *modules)
    finally:
        connection.close()
