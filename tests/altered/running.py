"""Many cases, and what became of them."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.altered.cases import Outcome, Subject
from tests.altered.subjects import SUBJECTS

# Files are written thousands of times; without such a folder on the disk.
_IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
_FINDINGS = "findings"
_CHUNK = 20


@dataclass(frozen=True)
class Case:
    """What makes a case again."""

    subject: str
    seed: int
    number: int


@dataclass(frozen=True)
class Finding:
    """A case that ended wrongly."""

    case: Case
    outcome: Outcome

    @property
    def text(self) -> str:
        done = " and ".join(self.outcome.mishaps) or "nothing was done"
        case = f"--subject '{self.case.subject}' --seed {self.case.seed} --first {self.case.number} --cases 1"
        return f"{self.outcome.kind} ({done}): {case}"


@dataclass
class Results:
    """What became of all cases: outcomes by subject, and the findings."""

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def num_cases(self) -> int:
        return sum(counter.total() for counter in self.outcomes.values())

    def add(self, case: Case, outcome: Outcome) -> None:
        if outcome.is_finding:
            self.findings.append(Finding(case, outcome))
        kind = _FINDINGS if outcome.is_finding else outcome.kind
        self.outcomes.setdefault(case.subject, Counter())[kind] += 1

    @property
    def table(self) -> str:
        """What is printed: a line a subject, then the findings."""
        lines = [
            f"{name}: {', '.join(f'{count:,} {kind}' for kind, count in sorted(counter.items()))}"
            for name, counter in self.outcomes.items()
        ]
        return "\n".join((*lines, *(finding.text for finding in self.findings)))


def make_case(case: Case) -> Outcome:
    """Do one case in a folder of its own."""
    (subject,) = (subject for subject in SUBJECTS if subject.name == case.subject)
    folder = Path(tempfile.mkdtemp(prefix="imaging-pipeline-altered-", dir=_IN_MEMORY))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return subject.run(Random(f"{case.seed}/{case.subject}/{case.number}"), folder)
    finally:
        shutil.rmtree(folder)


def run_cases(
    subjects: Sequence[Subject],
    num_cases: int,
    seed: int,
    *,
    first: int = 0,
    processes: int = 1,
    report: Callable[[int], None] = lambda _: None,
) -> Results:
    """Do so many cases, of each subject in turn; the same seed makes the same cases."""
    cases = [
        Case(subjects[index % len(subjects)].name, seed, first + index // len(subjects))
        for index in range(num_cases)
    ]
    results = Results()
    if processes == 1:
        for number, case in enumerate(cases, 1):
            results.add(case, make_case(case))
            report(number)
        return results
    with multiprocessing.get_context("forkserver").Pool(min(processes, os.cpu_count() or 1)) as pool:
        outcomes = pool.imap(make_case, cases, _CHUNK)
        for number, (case, outcome) in enumerate(zip(cases, outcomes, strict=True), 1):
            results.add(case, outcome)
            report(number)
    return results
