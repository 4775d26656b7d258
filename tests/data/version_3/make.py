"""Write a database of schema version 3 on both backends, with its store and its share.

README.md beside says how to run it, on which commit.
"""

from __future__ import annotations

import dataclasses
import io
import json
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import folders
import numpy as np
import rows

import imaging_pipeline
from imaging_pipeline import database
from imaging_pipeline.config.config import Config, embedded_config
from imaging_pipeline.schemas import imaging
from imaging_pipeline.server import embedded
from imaging_pipeline.server.postgres_programs import find_programs
from tests.makers import mariadb
from tests.makers.config_file import write_config
from tests.makers.definitions import tables
from tests.makers.server_process import ServerProcess

PREFIX = "version_3_"
SCHEMAS = (*(f"{PREFIX}{name}" for name in ("mlims", "imaging", "suite2p_jobs")), rows.PRIVATE_SCHEMA)
# Folders that are not as they were registered, or never were.
NOT_COMPARED = ("awaited", "withdrawn", "retired", "broken", "copying", "mended")


@dataclass(frozen=True)
class Site:
    """A laboratory on one backend.

    Attributes
    ----------
    config
        The configuration in force.
    file
        The same for commands.
    dump
        Returns the SQL text of its schemas.
    """

    config: Config
    file: Path
    dump: Callable[[], str]

    def work(self, *lanes: str) -> None:
        """Run a worker until nothing is left to do."""
        command = [sys.executable, "-m", "batch_populate", *lanes, "--once"]
        environment = os.environ | {"IMAGING_PIPELINE_CONFIG": str(self.file)}
        subprocess.run(command, env=environment, check=False)

    @property
    def store(self) -> Path:
        """Where its arrays lie."""
        return Path(str(self.config.datajoint_stores()["main"]["location"]))


@contextmanager
def sites(folder: Path) -> Iterator[tuple[Site, ...]]:
    """Run both servers below a folder, and give a laboratory on each with one share."""
    (folder / "share").mkdir()
    (folder / "mariadb").mkdir()
    stores = {"main": {"protocol": "file", "location": str(folder / "store_postgresql")}, "default": "main"}
    base = dataclasses.replace(
        embedded_config(folder / "postgresql"),
        prefix=PREFIX,
        timezone="Europe/Oslo",
        loglevel="WARNING",
        safemode=False,
        stores=stores,
        repositories={"moser": folder / "share"},
        suite2p_scratch=folder / "scratch",
    )
    with mariadb.running(folder / "mariadb") as server:
        of_mysql = server.configured(base, folder / "store_mysql")
        made = []
        for config, dump in (
            (base, partial(_dump_postgresql, folder / "postgresql")),
            (of_mysql, partial(_dump_mysql, server)),
        ):
            file = write_config(config, folder / f"{config.backend}.json")
            made.append(Site(config, file, dump))
            made[-1].store.mkdir()
            database.init_db(config)
        yield tuple(made)


def _dump_postgresql(folder: Path) -> str:
    server, programs = embedded.start(folder), find_programs(folder)
    status, text = programs.call(
        "pg_dump",
        *("--host", server.host, "--port", str(server.port), "--username", server.user),
        *(f"--schema={name}" for name in SCHEMAS),
        *("--no-owner", "--no-privileges", "--rows-per-insert=200"),
        "postgres",
        cwd=folder,
    )
    if status:
        raise RuntimeError(text)
    # Commands of psql, which a driver does not know.
    return "\n".join(line for line in text.splitlines() if not line.startswith("\\")) + "\n"


def _dump_mysql(server: ServerProcess) -> str:
    account = [f"--host={server.host}", f"--port={server.port}", f"--user={server.user}"]
    options = ["--hex-blob", "--skip-triggers", "--skip-dump-date", "--skip-add-locks", "--databases"]
    return subprocess.run(
        ["mariadb-dump", "--no-defaults", *account, *options, *SCHEMAS],
        env=os.environ | {"MYSQL_PWD": server.password},
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
    ).stdout


def tell(folder: Path, made: tuple[Site, ...]) -> None:
    """Let people and workers fill both databases; each file is written once, for both."""
    share, colony = folder / "share", folder / "colony.csv"
    every = tuple(folders.FOLDERS)

    def on_each(*steps: Callable[[], object]) -> None:
        for site in made:
            database.connect(site.config)
            for step in steps:
                step()

    folders.write_recordings(share)
    on_each(partial(rows.introduce, colony), partial(rows.request, every), rows.request_demo)
    for site in made:
        site.work("ingest")
    database.connect(made[0].config)
    place = partial(rows.place, share)
    folders.write_outputs(place)
    folders.cut_short(share)
    folders.still_copy(share)
    with_output = tuple(name for name in every if name not in NOT_COMPARED) + ("retired",)
    on_each(partial(rows.request, with_output))
    for site in made:
        site.work()
    folders.change_cells(place)
    folders.mend(share)
    on_each(
        partial(rows.add_parameters, 1),
        partial(rows.request, ("curated", "copying", "broken")),
        partial(rows.request, ("mended",), {"imaging.Tif": 1}),
        rows.act_on_jobs,
    )
    for site in made:
        site.work()
    on_each(
        rows.retire_and_withdraw,
        rows.describe_sessions,
        rows.add_private_table,
        rows.sign_in,
        partial(rows.compare_again, colony),
        rows.leave_work,
    )


def expected() -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what a later version must find in the database that is connected."""
    counts = {_name(cls): len(cls()) for cls in tables()}
    counts |= {f"{_name(cls)}.jobs": len(cls().jobs) for cls in database.automatic_tables()}
    files = imaging.PhysicalFile().to_dicts(order_by="dataset_name, file_order")
    columns = ("file_path", "file_part", "size_bytes", "fingerprint")
    noted = {
        "counts": counts,
        "files": [{name: row[name] for name in columns} for row in files],
        "requests": list(_compared()),
    }
    return noted, dict(_arrays())


def _name(cls: Any) -> str:
    return f"{cls.database.removeprefix(PREFIX)}.{cls.__qualname__}"


def _compared() -> Iterator[dict[str, Any]]:
    names = tuple(name for name in folders.FOLDERS if name not in NOT_COMPARED)
    demo = [{**rows.DEMO_REQUEST, "combined": combined} for combined in (True, False)]
    for inputs in (*demo, *rows.requests(names)):
        preview = imaging.BaseFolder.preview(**inputs)
        verdicts = {str(each["dataset_verdict"]) for each in preview.report.parts["Dataset"]}
        assert (verdicts, preview.purged) == ({"known"}, ()), inputs
        yield inputs


def _arrays() -> Iterator[tuple[str, np.ndarray]]:
    traces = imaging.Cell.Traces().to_dicts(order_by=imaging.Cell.Traces.primary_key)
    spikes = imaging.Cell.Spikes().to_dicts(order_by=imaging.Cell.Spikes.primary_key)
    kept = imaging.FilteredSpikes.Cell().to_dicts(order_by=imaging.FilteredSpikes.Cell.primary_key)
    for found, quantities in (
        (traces, ("fluo", "neuropil", "fcorr", "df_f")),
        (spikes, ("spikes",)),
        (kept, ("filtered_spikes",)),
    ):
        for quantity in quantities:
            yield quantity, np.concatenate([row[quantity] for row in found])


def pack(folder: Path, target: Path) -> None:
    """Write a folder as an archive, and the times of change of its files in ns beside them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    times = {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in files}
    with tarfile.open(target, "w:xz", preset=9) as archive:
        note = json.dumps(times).encode()
        entry = tarfile.TarInfo("times.json")
        entry.size = len(note)
        archive.addfile(entry, io.BytesIO(note))
        for path in files:
            archive.add(path, f"files/{path.relative_to(folder)}", filter=_of_nobody)


def _of_nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def main(folder: Path, target: Path) -> None:
    """Make everything below ``folder``, which is empty, and write the dump to ``target``."""
    print(imaging_pipeline.__file__, database.SCHEMA_VERSION)
    with sites(folder) as made:
        tell(folder, made)
        for site in made:
            backend = site.config.backend
            database.connect(site.config)
            noted, arrays = expected()
            (target / f"{backend}.json").write_text(json.dumps(noted, indent=1) + "\n")
            np.savez_compressed(target / f"{backend}.npz", **arrays)
            (target / f"{backend}.sql.xz").write_bytes(lzma.compress(site.dump().encode(), preset=9))
            pack(site.store, target / f"store_{backend}.tar.xz")
    pack(folder / "share", target / "share.tar.xz")
    shutil.rmtree(folder / "scratch", ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
