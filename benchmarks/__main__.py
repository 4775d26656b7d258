"""Run all benchmarks, each in a process of its own, and print one table."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.machine import machine_facts
from benchmarks.measurement import Measurement
from benchmarks.table import markdown_table

# In the order of the table.
SCRIPTS = (
    "start_up",
    "connecting",
    "planning",
    "jobs",
    "idle_cycle",
    "worker_memory",
    "cell_import",
    "traces",
    "registering",
    "overviews",
    "web_pages",
    "purging",
    "colony",
    "suite2p_run",
)

# DataJoint logs each connection, and warns that MariaDB is not MySQL.
_QUIET = {"DJ_LOG_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore::UserWarning"}

_PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
_BEGIN, _END = "<!-- measured by make bench -->", "<!-- end of what was measured -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scripts", nargs="*", default=SCRIPTS, metavar="script", help=", ".join(SCRIPTS))
    parser.add_argument("--write-docs", action="store_true", help="put the table into docs/performance.md")
    arguments = parser.parse_args()
    rows = [row for name in arguments.scripts for row in _rows(name)]
    table = f"{machine_facts()}\n\n{markdown_table(rows)}"
    sys.stdout.write(table)
    if arguments.write_docs:
        _write(table)


def _rows(name: str) -> list[Measurement]:
    sys.stderr.write(f"benchmarks.{name}\n")
    run = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--json"],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, **_QUIET},
    )
    return [Measurement.from_json(values) for values in json.loads(run.stdout)]


def _write(table: str) -> None:
    before, begin, rest = _PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    _PAGE.write_text(f"{before}{begin}\n\n{table}\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
