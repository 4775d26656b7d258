"""A benchmark script: its size, its command line, its rows."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import servers
from benchmarks.measurement import Measurement
from benchmarks.table import markdown_table
from imaging_pipeline.config.config import Config


@dataclass(frozen=True)
class Script:
    """A benchmark.

    Attributes
    ----------
    full, tiny
        Sizes: frozen dataclasses of whole numbers. ``full`` is what the table is measured with,
        ``tiny`` only shows that the script runs.
    measure
        Function of a size and an empty folder that returns the rows; if ``on_servers``, the
        configuration of a database server is a third argument.
    on_servers
        Whether it is measured with each database that this machine has.
    """

    full: Any
    tiny: Any
    measure: Callable[..., Iterable[Measurement]]
    on_servers: bool = False

    def rows(self, size: Any, folder: Path, config: Config | None = None) -> list[Measurement]:
        """Measure, with the server of ``config`` if the script needs one."""
        if config is None:
            return list(self.measure(size, folder))
        measured = self.measure(size, folder, config)
        return [dataclasses.replace(row, backend=config.backend) for row in measured]


def run(script: Script, arguments: Sequence[str] | None = None) -> None:
    """Run a script from its command line, and print its rows as a table or as JSON."""
    parser = argparse.ArgumentParser()
    for field in dataclasses.fields(script.full):
        default = getattr(script.full, field.name)
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=int, default=default, metavar=default)
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    if script.on_servers:
        parser.add_argument("--backend", choices=servers.backends(), action="append")
    values = vars(parser.parse_args(arguments))
    is_json, backends = values.pop("json"), values.pop("backend", None) or servers.backends()
    size = dataclasses.replace(script.full, **values)
    rows = list(_on_servers(script, size, backends)) if script.on_servers else _without_server(script, size)
    if is_json:
        json.dump([dataclasses.asdict(row) for row in rows], sys.stdout)
    else:
        sys.stdout.write(markdown_table(rows))


def _on_servers(script: Script, size: Any, backends: Sequence[str]) -> Iterator[Measurement]:
    for backend in backends:
        with servers.running(backend) as config, tempfile.TemporaryDirectory() as folder:
            yield from script.rows(size, Path(folder), config)


def _without_server(script: Script, size: Any) -> list[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        return script.rows(size, Path(folder))
