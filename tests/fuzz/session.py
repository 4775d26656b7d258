"""One run: how many inputs each reader has, and what became of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.child import DEFAULT_LIMITS, Limits, Task
from tests.fuzz.findings import Findings
from tests.fuzz.inputs import InputNumber
from tests.fuzz.runner import run_tasks
from tests.fuzz.table import Line
from tests.makers.registered_readers import RegisteredReader


@dataclass(frozen=True)
class Run:
    """What became of all inputs."""

    lines: tuple[Line, ...]
    findings: Findings


def fuzz(
    readers: Sequence[RegisteredReader],
    num_inputs: int,
    seed: int,
    folder: Path,
    *,
    first: int = 0,
    limits: Limits = DEFAULT_LIMITS,
    report: Callable[[int], None] = lambda _: None,
) -> Run:
    """Read damaged files of all readers.

    Parameters
    ----------
    num_inputs
        Of all readers together, shared by their weights.
    seed
        The same seed gives the same inputs.
    folder
        Where files are kept that show a finding.
    first
        Number of the first input of each reader.
    report
        Is called with the number of inputs that were read.
    """
    lines = {reader.name: Line(reader.name) for reader in readers}
    findings = Findings(readers, limits, folder)
    tasks = _tasks(readers, num_inputs, seed, first)
    for number, ended in enumerate(run_tasks(readers, tasks, limits, os.cpu_count() or 1), 1):
        lines[ended.task.reader].add(ended)
        if ended.verdict.is_finding:
            findings.add(ended)
        report(number)
    return Run(tuple(lines.values()), findings)


def _tasks(readers: Sequence[RegisteredReader], num_inputs: int, seed: int, first: int) -> list[Task]:
    """Return the tasks in turns, so that a run that is ended early was about all readers."""
    turn = [reader.name for reader in readers for _ in range(reader.weight)]
    tasks, numbers = [], dict.fromkeys(turn, first)
    for index in range(num_inputs):
        name = turn[index % len(turn)]
        tasks.append(Task(name, InputNumber(seed, numbers[name])))
        numbers[name] += 1
    return tasks
