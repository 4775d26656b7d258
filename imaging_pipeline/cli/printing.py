"""What commands print: tables, and lines about what was added."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence

import click
from rich.console import Console
from rich.table import Table

# A file or pipe has no width: nothing is to be cut for it.
_UNLIMITED = 10_000

_WIDTH = 80
_MAX_WIDTH = 110


def text_width() -> int:
    """Return the characters of a line of text: those of the terminal, but not more than are easy to read."""
    return min(_MAX_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, to_stderr: bool = False) -> None:
    """Print rows under the names of their columns; None is left empty.

    Parameters
    ----------
    columns
        Headings.
    rows
        As many values each.
    to_stderr
        Whether the table belongs to an error.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        # On a narrow terminal a name goes on in the next line; cut off it would be of no use.
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    stream = sys.stderr if to_stderr else sys.stdout
    width = None if stream.isatty() else _UNLIMITED
    Console(stderr=to_stderr, width=width, markup=False, emoji=False, highlight=False).print(table)


def say_added(what: str, *, is_new: bool) -> None:
    """Say that something was added, or was there already."""
    click.echo(f"Added {what}." if is_new else f"{what[0].upper()}{what[1:]} is there already.")


def quoted(path: str) -> str:
    """Return a path as it is typed in a shell of this machine."""
    return subprocess.list2cmdline([path]) if os.name == "nt" else shlex.quote(path)
