"""Change recordings, outputs and animals as people, copying and crashes do, and say what is then stored."""

from __future__ import annotations

import argparse
import os
import secrets
import sys

from tests.altered.running import run_cases
from tests.altered.subjects import SUBJECTS

_REPORTED_EVERY = 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2_800, help="how many, of all subjects together")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(10**6), help="as an earlier run printed it"
    )
    parser.add_argument(
        "--subject", choices=[subject.name for subject in SUBJECTS], help="of one subject only"
    )
    parser.add_argument("--first", type=int, default=0, help="number of the first case, to repeat one")
    arguments = parser.parse_args()
    subjects = [subject for subject in SUBJECTS if arguments.subject in (None, subject.name)]
    _say(f"seed {arguments.seed}")
    results = run_cases(
        subjects,
        arguments.cases,
        arguments.seed,
        first=arguments.first,
        processes=os.cpu_count() or 1,
        report=_report,
    )
    _say(results.table)
    if arguments.cases == 1:
        _say("\n".join(finding.outcome.details for finding in results.findings))
    _say(f"{results.num_cases:,} cases, {len(results.findings):,} findings")
    return 1 if results.findings else 0


def _report(number: int) -> None:
    if number % _REPORTED_EVERY == 0:
        sys.stderr.write(f"{number:,} cases\n")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
