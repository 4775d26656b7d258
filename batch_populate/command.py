"""The command behind every script of this package."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from batch_populate.log_file import LogFile
from imaging_pipeline.config.config import find_config
from imaging_pipeline.errors import InputError, PipelineError
from imaging_pipeline.lanes import LANES, lanes_named
from imaging_pipeline.workers.run import run_worker
from imaging_pipeline.workers.settings import Settings
from imaging_pipeline.workers.view import view

_NAMES = ", ".join(lane.name for lane in LANES)
_FORMAT = "%(asctime)s %(levelname)s %(message)s"
_AT_LEAST_ONE = click.IntRange(min=1)

_result_log = logging.getLogger(__name__)


@click.command(
    help=f"""Work on lanes: {_NAMES}; on all of them where none is named.

    What this machine lacks for a job leaves the job to other machines."""
)
@click.argument("lane", nargs=-1)
@click.option("--once/--loop", required=True, help="End when nothing is left to do, or wait for more.")
@click.option(
    "--restrict",
    "restriction",
    default="",
    metavar="SQL",
    help="Only jobs of sessions and requests for which this is true, such as \"animal_name='90218'\".",
)
@click.option("--first", default="", metavar="SQL", help="Jobs that are done before all others, likewise.")
@click.option(
    "--priority",
    type=click.IntRange(0, 127),
    metavar="N",
    help="Only jobs as urgent as this, or more: 0 is the most urgent; jobs have 5 by default.",
)
@click.option("--max-jobs", type=_AT_LEAST_ONE, metavar="N", help="Begin no more than so many jobs.")
@click.option(
    "--max-hours",
    type=click.FloatRange(min=0, min_open=True),
    metavar="H",
    help="Begin no job after so many hours.",
)
@click.option(
    "--processes", type=_AT_LEAST_ONE, default=1, show_default=True, metavar="N", help="Jobs at a time."
)
@click.option(
    "--threads",
    type=_AT_LEAST_ONE,
    metavar="N",
    help="Of a run of Suite2p, and of libraries; else all cores. As many runs go on at a time as fit.",
)
@click.option(
    "--idle",
    "idle_s",
    type=click.FloatRange(min=0.1),
    default=15.0,
    show_default=True,
    metavar="SECONDS",
    help="Between two looks for work.",
)
@click.option(
    "--log",
    "log_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file for the log as well; the last 30 MB are kept.",
)
def main(lane: tuple[str, ...], once: bool, idle_s: float, log_file: Path | None, **settings: Any) -> None:
    """Run one worker in this process until it ends or is told to stop."""
    console = Console()
    _log(console, log_file)
    try:
        lanes, config = lanes_named(lane), find_config()
        with view(console, is_logged=log_file is not None) as on_event:
            summary = run_worker(lanes, once, idle_s, config, on_event, settings=Settings(**settings))
    except PipelineError as error:
        _result_log.error("%s", error)
        # A service manager starts a worker again that could not work (1), but none with a wrong option (2).
        kind = click.UsageError if isinstance(error, InputError) else click.ClickException
        raise kind(str(error)) from error
    _result_log.info("%s", summary)
    click.echo(str(summary))


def _log(console: Console, log_file: Path | None) -> None:
    """Log to standard error what is not shown there already, and everything to the file if there is one."""
    logging.getLogger("datajoint").handlers.clear()  # it has one of its own, which would repeat every line
    to_screen = logging.StreamHandler()
    # The terminal shows these by bars and by the last line.
    shown = {_result_log.name, *([view.__module__] if console.is_terminal else [])}
    to_screen.addFilter(lambda record: record.name not in shown)
    handlers: list[logging.Handler] = [to_screen]
    if log_file is not None:
        try:
            handlers.append(LogFile(log_file))
        except OSError as error:
            raise click.BadParameter(str(error), param_hint="--log") from error
    logging.basicConfig(level=logging.INFO, format=_FORMAT, handlers=handlers, force=True)
