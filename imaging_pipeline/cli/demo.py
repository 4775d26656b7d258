"""``imaging-pipeline demo``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click
from rich.console import Console

from imaging_pipeline.cli.printing import print_table, quoted
from imaging_pipeline.cli.steps import steps
from imaging_pipeline.config.config import CONFIG_NAME, default_embedded_folder
from imaging_pipeline.demo.laboratory import USER, Laboratory, open_laboratory
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
    with steps(console, in_lines=True):
        laboratory = open_laboratory(folder, movie)
    with view(console) as on_event:
        result = run_demo(laboratory, on_event)
    _print(result)
    _print_web_command(laboratory)
    if result.worker.errors:
        raise click.ClickException("Some jobs of the demo failed: see the errors above.")
    if result.worker.left:
        raise click.ClickException("Stopped before the end; the same command goes on from here.")


def _print_web_command(laboratory: Laboratory) -> None:
    """Print the command that shows the demo in a browser."""
    # The program as it was started, since it may lie in an environment that is not on the path.
    program = Path(sys.argv[0])
    working_folder = Path.cwd()
    name = (
        f"{program.relative_to(working_folder)}" if program.is_relative_to(working_folder) else str(program)
    )
    config = quoted(str(laboratory.folder / CONFIG_NAME))
    click.echo("\nTo look at it in a browser:\n")
    click.echo(f"  {quoted(name)} --config {config} web --sign-in-as {USER}")


def _default_folder(movie: Path | None) -> Path:
    name = "imaging-pipeline-demo" if movie is None else f"imaging-pipeline-demo-{movie.stem}"
    return default_embedded_folder().with_name(name)


def _print(result: DemoResult) -> None:
    click.echo()
    if result.sessions:
        print_table(*_sessions(result.sessions))
        click.echo()
    seconds = result.seconds | {f"  all {name}": value for name, value in result.seconds_by_table.items()}
    print_table(("step", "seconds"), [(step, f"{value:.1f}") for step, value in seconds.items()])
    click.echo()
    if result.added:
        added = ", ".join(f"{number} {table}" for table, number in result.added.items())
        click.echo(f"Added {added}.")
    else:
        click.echo("Registered again: nothing changed in the folder, so nothing was added.")
    if result.picture:
        click.echo(f"The picture is {result.picture}")


def _sessions(sessions: list[SessionResult]) -> tuple[list[str], list[list[object]]]:
    """Return headings and rows of the table of sessions; without truth there are no scores."""
    columns = ["session", "tifs", "frames", "ROIs", "cells"]
    rows: list[list[object]] = []
    for session in sessions:
        row: list[object] = [session.label, session.num_tifs, session.num_frames]
        row += [session.num_rois, session.num_cells]
        if session.score is not None:
            score = session.score
            row += [f"{score.recall:.2f}", f"{score.precision:.2f}", f"{score.median_correlation:.3f}"]
        rows.append(row)
    if rows and len(rows[0]) > len(columns):
        columns += ["recall", "precision", "trace r"]
    return columns, rows
