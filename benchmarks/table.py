"""The table of all measurements."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measurement import Measurement

_HEAD = ("measured", "database", "here", "compared with", "there", "ratio", "promised", "met")


def markdown_table(rows: Sequence[Measurement]) -> str:
    """Return the rows as a table in Markdown, aligned to be read as it is."""
    cells = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    lines = [
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |"
        for line in cells
    ]
    lines.insert(1, f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    return "\n".join(lines) + "\n"


def _cells(row: Measurement) -> tuple[str, ...]:
    return (
        row.name,
        row.backend or "",
        f"{_number(row.ours)} {row.unit}",
        row.peer_name or "",
        "" if row.peer is None else f"{_number(row.peer)} {row.unit}",
        "" if row.ratio is None else f"{_number(row.ratio)}",
        _promised(row),
        {True: "yes", False: "NO", None: ""}[row.is_met],
    )


def _promised(row: Measurement) -> str:
    promises = []
    if row.at_most is not None:
        promises.append(f"≤ {row.at_most:g} {row.unit}")
    if row.at_most_ratio is not None:
        promises.append(f"ratio ≤ {row.at_most_ratio:g}")
    return ", ".join(promises)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
