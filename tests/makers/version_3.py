"""A laboratory whose database, store and share were written by schema version 3."""

from __future__ import annotations

import dataclasses
import json
import lzma
import os
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datajoint as dj
import numpy as np
import psycopg2
import pymysql

from imaging_pipeline import database
from imaging_pipeline.config.config import Config
from imaging_pipeline.server import embedded
from imaging_pipeline.upgrade.run import upgrade_tables
from imaging_pipeline.upgrade.steps import STEPS
from tests.makers.definitions import tables
from tests.makers.lab import Lab

DUMP = Path(__file__).parents[1] / "data" / "version_3"
PREFIX = "version_3_"
DEMO = "90218/2026-03-14"
DEMO_OPTIONS = {
    "tau": 0.7,
    "run": {"do_regmetrics": False},
    "registration": {"nonrigid": False, "nimg_init": 100},
}
PRIVATE_SCHEMA = "user_anna_x"
SCHEMAS = (PRIVATE_SCHEMA, *(f"{PREFIX}{name}" for name in ("suite2p_jobs", "imaging", "mlims")))


@dataclass(frozen=True)
class Restored:
    """The laboratory, and what was noted when it was dumped.

    Attributes
    ----------
    lab
        Connected by the present code, whose tables it has.
    counts
        Rows of each table as the present code found them, before a test wrote anything.
    noted
        ``counts``, ``files`` and ``requests`` as they were when the dump was made.
    arrays
        Quantity → all cells' traces in order of their keys, one after the other.
    """

    lab: Lab
    counts: dict[str, int]
    noted: dict[str, Any]
    arrays: dict[str, np.ndarray]


@contextmanager
def restored(server: Config, folder: Path) -> Iterator[Restored]:
    """Restore the dump, upgrade its tables but correct no values, and connect."""
    with dumped(server, folder) as config:
        upgrade_tables(database.bind(config), STEPS, lambda what: None)
        lab = Lab(config, database.connect(config), folder / "share" / "files")
        with np.load(DUMP / f"{config.backend}.npz") as arrays:
            noted = json.loads((DUMP / f"{config.backend}.json").read_text())
            yield Restored(lab, row_counts(), noted, dict(arrays))


@contextmanager
def dumped(server: Config, folder: Path) -> Iterator[Config]:
    """Restore the dump on a server, with store and share below ``folder``, and drop it in the end.

    It stays of version 3, and no program may connect to it as it is.
    """
    backend = server.backend
    _unpack(DUMP / "share.tar.xz", folder / "share")
    _unpack(DUMP / f"store_{backend}.tar.xz", folder / "store")
    stores = {"default": "main", "main": {"protocol": "file", "location": str(folder / "store" / "files")}}
    config = dataclasses.replace(
        server,
        prefix=PREFIX,
        stores=stores,
        repositories={"moser": folder / "share" / "files"},
        suite2p_scratch=folder / "scratch",
    )
    _run(config, lzma.decompress((DUMP / f"{backend}.sql.xz").read_bytes()).decode())
    try:
        # Whatever the clock says of the day on which it was dumped: its workers are dead.
        _run(config, f"UPDATE {PREFIX}imaging.worker SET worker_heartbeat = '2000-01-01'")
        yield config
    finally:
        dj.conn().close()
        _drop(config)


def write_demo(share: Path, scratch: Path) -> Path:
    """Put the demo's recording, with the outputs that Suite2p left beside it, on a share, and return it."""
    _unpack(DUMP / "share.tar.xz", scratch)
    folder = share / DEMO
    folder.parent.mkdir(parents=True)
    return (scratch / "files" / DEMO).rename(folder)


def row_counts() -> dict[str, int]:
    """Count the rows of every table, job tables too."""
    counts = {_name(cls): len(cls()) for cls in tables()}
    return counts | {f"{_name(cls)}.jobs": len(cls().jobs) for cls in database.automatic_tables()}


def _name(cls: Any) -> str:
    return f"{cls.database.removeprefix(PREFIX)}.{cls.__qualname__}"


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack files and give each the time at which it was changed, to the nanosecond."""
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    for name, modified_ns in json.loads((folder / "times.json").read_text()).items():
        os.utime(folder / "files" / name, ns=(modified_ns, modified_ns))


def _run(config: Config, sql: str) -> None:
    """Run statements by a connection of their own, since they change its settings."""
    with closing(_connected(config)) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        while config.backend == "mysql" and cursor.nextset():
            pass
        connection.commit()


def _drop(config: Config) -> None:
    if config.backend == "mysql":
        _run(config, "".join(f"DROP DATABASE IF EXISTS `{name}`;" for name in SCHEMAS))
    else:
        _run(config, f"DROP SCHEMA IF EXISTS {', '.join(SCHEMAS)} CASCADE")


def _connected(config: Config) -> Any:
    if config.backend == "postgresql":
        assert config.embedded_folder is not None
        server = embedded.start(config.embedded_folder)
        return psycopg2.connect(host=server.host, port=server.port, user=server.user, dbname="postgres")
    return pymysql.connect(
        host=str(config.host),
        port=config.port,
        user=config.user,
        password=config.password.reveal(),
        client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS,
    )
