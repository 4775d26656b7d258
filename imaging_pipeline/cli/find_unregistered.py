"""``imaging-pipeline find-unregistered``."""

from __future__ import annotations

from datetime import datetime

import click
from rich.console import Console

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import quoted
from imaging_pipeline.cli.steps import steps
from imaging_pipeline.schemas.register.unregistered import Unregistered
from imaging_pipeline.schemas.register.unregistered import find_unregistered as search
from imaging_pipeline.wording import counted


@click.command(name="find-unregistered")
@click.argument("repository")
@click.option(
    "--newer-than",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Only folders with a file that was written on this day or later.",
)
def find_unregistered(repository: str, newer_than: datetime | None) -> None:
    """List folders of REPOSITORY that look like recordings and were never registered.

    Each folder is printed as it can be given to: imaging-pipeline add.
    """
    with connected() as tables, steps(Console(stderr=True)):
        result = search(tables, repository, newer_than.date() if newer_than else None)
    for folder in result.unregistered:
        click.echo(quoted(folder.spelled))
        click.echo(f"  {_description(folder)}")
    # Remarks go to the errors, so that the output lists folders and nothing else.
    for unread in result.unread:
        click.echo(f"Not read, since it may not be or went away: {unread}", err=True)
    click.echo(f"{counted(len(result.unregistered), 'folder')} not registered.", err=True)


def _description(folder: Unregistered) -> str:
    recording = folder.recording
    if recording.problem:
        what = f"{recording.experiment_type}, but not as it is: {recording.problem}"
    else:
        timeseries = f"{recording.num_timeseries} timeseries"
        what = f"{recording.experiment_type}: {timeseries}, {counted(recording.num_files, 'file')}"
    requested = "; requested, see: imaging-pipeline report" if folder.is_requested else ""
    return f"{what}, last written {recording.newest:%Y-%m-%d}{requested}"
