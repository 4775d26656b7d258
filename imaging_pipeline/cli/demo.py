"""``imaging-pipeline demo``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, TaskID

from imaging_pipeline import progress
from imaging_pipeline.cli.printing import print_table
from imaging_pipeline.config import default_embedded_folder
from imaging_pipeline.demo.results import SessionResult
from imaging_pipeline.demo.run import DemoResult, run_demo
from imaging_pipeline.workers.view import view


@click.command()
@click.option(
    "--movie",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take the pixels of this .npy or .tif movie instead of a synthetic one.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything goes; else a folder of its own beside the user's data.",
)
def demo(movie: Path | None, folder: Path | None) -> None:
    """Make a recording, register it, run Suite2p on it and show the cells, on a database of its own."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    folder = folder or _default_folder(movie)
    click.echo(f"The demo lies in {folder.absolute()}.")
    console = Console()
    with _steps(console), view(console) as on_event:
        result = run_demo(folder, movie, on_event)
    _print(result)
    if result.worker.errors or not result.sessions:
        raise click.ClickException("The demo did not come to its end: see the errors above.")


def _default_folder(movie: Path | None) -> Path:
    name = "imaging-pipeline-demo" if movie is None else f"imaging-pipeline-demo-{movie.stem}"
    return default_embedded_folder().with_name(name)


@contextmanager
def _steps(console: Console) -> Iterator[None]:
    """Show the steps before the worker begins: a bar each on a terminal, else a line each."""
    shown: dict[str, TaskID] = {}
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:

        def show(report: progress.Progress) -> None:
            if report.step not in shown:
                shown[report.step] = bar.add_task(report.step)
                if not console.is_terminal:
                    click.echo(report.step)
            bar.update(shown[report.step], completed=report.done, total=report.total or None)

        with progress.listening(show):
            yield


def _print(result: DemoResult) -> None:
    click.echo()
    print_table(
        ("session", "tifs", "frames", "ROIs", "cells", "recall", "precision", "traces: r with the truth"),
        [_row(session) for session in result.sessions],
    )
    click.echo()
    seconds = result.seconds | {f"  {name}": value for name, value in result.seconds_by_table.items()}
    print_table(("step", "seconds"), [(step, f"{value:.1f}") for step, value in seconds.items()])
    click.echo()
    if result.added:
        added = ", ".join(f"{number} {table}" for table, number in result.added.items())
        click.echo(f"Added {added}.")
    else:
        click.echo("Registered again: nothing changed in the folder, so nothing was added.")
    if result.picture:
        click.echo(f"The picture is {result.picture}")


def _row(session: SessionResult) -> tuple[object, ...]:
    found = (session.label, session.num_tifs, session.num_frames, session.num_rois, session.num_cells)
    if session.score is None:
        return (*found, None, None, None)
    score = session.score
    return (*found, f"{score.recall:.2f}", f"{score.precision:.2f}", f"{score.median_correlation:.3f}")
