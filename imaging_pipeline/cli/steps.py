"""How far the steps of a command are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import Progress, TaskID

from imaging_pipeline import progress


@contextmanager
def steps(console: Console, *, in_lines: bool = False) -> Iterator[None]:
    """Show the steps that the enclosed code reports, as a bar each on a terminal.

    Parameters
    ----------
    console
        Where.
    in_lines
        Whether each step is a line where the console is no terminal; else nothing is shown there.
    """
    shown: dict[str, TaskID] = {}
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:

        def show(report: progress.Progress) -> None:
            if report.step not in shown:
                shown[report.step] = bar.add_task(report.step)
                if in_lines and not console.is_terminal:
                    click.echo(report.step)
            bar.update(shown[report.step], completed=report.done, total=report.total or None)

        with progress.listening(show):
            yield
