"""What is printed of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.fuzz.child import Ended
from tests.fuzz.findings import Findings


@dataclass
class Line:
    """What became of the inputs of one reader."""

    reader: str
    outcomes: Counter[str] = field(default_factory=Counter)
    num_findings: int = 0
    seconds: float = 0

    def add(self, ended: Ended) -> None:
        self.seconds += ended.seconds
        if ended.verdict.is_finding:
            self.num_findings += 1
        else:
            self.outcomes[ended.verdict.outcome] += 1

    @property
    def num_inputs(self) -> int:
        return self.outcomes.total() + self.num_findings

    @property
    def cells(self) -> tuple[str, ...]:
        errors = (f"{name} {count:,}" for name, count in self.outcomes.most_common() if name != "value")
        rate = f"{self.num_inputs / self.seconds:.0f}" if self.seconds else ""
        counts = (self.num_inputs, self.outcomes["value"])
        return (
            self.reader,
            *(f"{count:,}" for count in counts),
            ", ".join(errors),
            f"{self.num_findings:,}",
            rate,
        )


_HEAD = ("reader", "inputs", "values", "errors", "findings", "inputs/s of one process")


def table(lines: Sequence[Line]) -> str:
    """Return the lines below each other."""
    rows = [_HEAD, *(line.cells for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def list_of(findings: Findings) -> str:
    """Return a line for each kind of finding, with the file that shows it."""
    return "\n".join(
        f"{reader}: {kind}, {count:,} times, {findings.files[reader, kind][0]}"
        for (reader, kind), count in findings.counts.most_common()
    )
