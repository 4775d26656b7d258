"""The command behind every script of this package."""

from __future__ import annotations

import logging

import click
from rich.console import Console

from imaging_pipeline.config import find_config
from imaging_pipeline.errors import PipelineError
from imaging_pipeline.lanes import LANES, lanes_named
from imaging_pipeline.workers.run import run_worker
from imaging_pipeline.workers.view import view

_NAMES = ", ".join(lane.name for lane in LANES)


@click.command(help=f"Work on lanes: {_NAMES}; on all of them where none is named.")
@click.argument("lane", nargs=-1)
@click.option("--once/--loop", required=True, help="End when nothing is left to do, or wait for more.")
@click.option(
    "--idle",
    "idle_s",
    type=click.FloatRange(min=0.1),
    default=15.0,
    show_default=True,
    metavar="S",
    help="Seconds between two looks for work.",
)
def main(lane: tuple[str, ...], once: bool, idle_s: float) -> None:
    """Run one worker in this process until it ends or is told to."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("datajoint").handlers.clear()  # it has one of its own, and would say all twice
    try:
        lanes, config = lanes_named(lane), find_config()
        with view(Console()) as on_event:
            summary = run_worker(lanes, once, idle_s, config, on_event)
    except PipelineError as error:
        raise click.ClickException(str(error)) from error
    click.echo(str(summary))
