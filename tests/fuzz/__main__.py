"""Read damaged and hostile files, and say what became of them."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.fuzz.session import fuzz
from tests.fuzz.table import list_of, table
from tests.makers.registered_readers import REGISTERED_READERS

_REPORTED_EVERY = 5000


def main() -> int:
    names = [reader.name for reader in REGISTERED_READERS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="how many, of all readers together")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(10**6), help="as an earlier run printed it"
    )
    parser.add_argument("--reader", choices=names, help="of one reader only")
    parser.add_argument("--first", type=int, default=0, help="number of the first input, to repeat one")
    arguments = parser.parse_args()
    readers = [reader for reader in REGISTERED_READERS if arguments.reader in (None, reader.name)]
    folder = Path(tempfile.mkdtemp(prefix="imaging-pipeline-findings-"))
    _say(f"seed {arguments.seed}, findings are kept in {folder}")
    run = fuzz(readers, arguments.inputs, arguments.seed, folder, first=arguments.first, report=_report)
    _say(table(run.lines))
    _say(list_of(run.findings) or "no findings")
    return 1 if run.findings.counts else 0


def _report(number: int) -> None:
    if number % _REPORTED_EVERY == 0:
        sys.stderr.write(f"{number:,} inputs\n")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
