"""Progress bars of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import Progress, TaskID

from imaging_pipeline import progress


@contextmanager
def steps(console: Console, *, in_lines: bool = False) -> Iterator[None]:
    """Show a progress bar for each step that the enclosed code reports, on a terminal.

    Parameters
    ----------
    console
        The terminal, or what stands in its place.
    in_lines
        Whether steps are printed as lines if the console is no terminal; else nothing is shown there.
    """
    tasks: dict[str, TaskID] = {}
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:

        def show(report: progress.Progress) -> None:
            if report.step not in tasks:
                tasks[report.step] = bar.add_task(report.step)
                if in_lines and not console.is_terminal:
                    click.echo(report.step)
            # Without a total rich shows that something goes on, but not how far it is.
            bar.update(tasks[report.step], completed=report.done, total=report.total or None)

        with progress.listening(show):
            yield
