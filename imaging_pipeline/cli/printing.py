"""What commands print: tables, wrapped lines, and lines about what was added."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from imaging_pipeline.wording import wrapped

# In a file or a pipe no line is folded, so that a program can read a row from a line.
_UNLIMITED = 10_000

# Characters of a line of text: where there is no terminal, and at most.
_WIDTH = 80
_MAX_WIDTH = 110

Row = Mapping[str, Any]


def text_width() -> int:
    """Return the length of a line of text: the width of the terminal, but not more than is easy to read."""
    return min(_MAX_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines, each broken where the terminal ends."""
    for line in lines:
        click.echo(wrapped(line, text_width()))


def print_rows(rows: Iterable[Row], columns: Mapping[str, str | Callable[[Row], object]]) -> None:
    """Print rows of a database.

    Parameters
    ----------
    rows
        The rows.
    columns
        Heading → name of the column, or function from a row to the value.
    """
    print_table(
        tuple(columns),
        (
            [row[column] if isinstance(column, str) else column(row) for column in columns.values()]
            for row in rows
        ),
    )


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, to_stderr: bool = False) -> None:
    """Print values below headings; None is left empty.

    Parameters
    ----------
    columns
        Headings.
    rows
        Rows with a value for each heading.
    to_stderr
        Whether it is printed among the errors.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        # Folded on a narrow terminal: a name that is cut off is of no use.
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    stream = sys.stderr if to_stderr else sys.stdout
    width = None if stream.isatty() else _UNLIMITED
    # Values are printed as they are: rich would take [brackets] for its markup, and :names: for emoji.
    Console(stderr=to_stderr, width=width, markup=False, emoji=False, highlight=False).print(table)


def yes_or_no(value: object) -> str:
    """Return how a column that is true or false is printed."""
    return "yes" if value else "no"


def print_added(what: str, *, is_new: bool) -> None:
    """Print that something was added, or is there already."""
    click.echo(f"Added {what}." if is_new else f"{what[0].upper()}{what[1:]} is there already.")


def quoted(path: str) -> str:
    """Return a path as it is typed in this machine's shell."""
    # Windows knows double quotes only, other shells take a path in single ones literally.
    return subprocess.list2cmdline([path]) if os.name == "nt" else shlex.quote(path)
