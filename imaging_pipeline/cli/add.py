"""``imaging-pipeline add``."""

from __future__ import annotations

import sys
from typing import Any

import click
from rich.console import Console

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import quoted, text_width
from imaging_pipeline.cli.steps import steps
from imaging_pipeline.errors import NotMountedError, NotYetHereError, PipelineError, StillCopyingError
from imaging_pipeline.ingest.damaged_tifs import DamagedTifs
from imaging_pipeline.schemas.jobs.living_workers import living_hosts
from imaging_pipeline.schemas.register import requests
from imaging_pipeline.schemas.register.consent import Consent, consent_to
from imaging_pipeline.schemas.register.preview import Preview, preview
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import wrapped

_LANE = "ingest"


@click.command()
@click.argument("folder")
@click.option("--user", "username", required=True, help="Who asks; see: imaging-pipeline users list.")
@click.option("--animal", required=True, help="Name or identifier of the animal.")
@click.option("--type", "experiment_type", required=True, help="Experiment type, such as 2Pminiscope_A.")
@click.option(
    "--combined/--split",
    default=None,
    help="Analyse all sessions of the folder as one long recording, or each by itself: say which.",
)
@click.option("--setup", help="Name of the setup; the calibration of the day is taken.")
@click.option("--scope", "scope_name", help="The microscope head.")
@click.option("--options", "ops_name", help="Suite2p option set to run with.")
@click.option("--session-type", "sessiontype", help="What the animal did, in all sessions that are new.")
@click.option("--register-uncurated", is_flag=True, help="Register again by itself when Suite2p has run.")
@click.option(
    "--damaged-tifs",
    type=click.Choice([str(choice) for choice in DamagedTifs]),
    default=str(DamagedTifs.REFUSE),
    help="Of a tif that is damaged: refuse the folder, cut the file to the frames before the damage, or leave"
    " it out.",
)
@click.option("--note", "base_folder_note", default="", help="Anything worth keeping.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done, with every file.")
@click.option("--yes", is_flag=True, help="Delete what is out of date without being asked.")
def add(*, dry_run: bool, yes: bool, folder: str, **inputs: Any) -> None:
    r"""Register FOLDER, or look at it again after something in it has changed.

    FOLDER is the path as you see it, such as 'N:\moser\90218\2024-05-17'. What is new and what would be
    deleted is shown first, and nothing is deleted that you did not agree to. A worker does the rest.
    """
    # Neither is a default: it decides which recordings Suite2p analyses together.
    if inputs["combined"] is None:
        raise click.UsageError("Say --combined or --split.")
    inputs["path"] = folder
    with connected() as tables:
        shown = _preview(tables, inputs, is_required=dry_run)
        if shown is not None:
            click.echo(shown.text(with_files=dry_run, width=text_width()))
        if dry_run:
            return
        if shown is not None and shown.registers_nothing:
            raise click.ClickException("Nothing of this folder would be registered: nothing was requested.")
        # None agrees to all that is out of date, an empty consent to nothing.
        consent = None if yes else _consent(shown)
        # Filled where the request waits because its animal is not in the database.
        pending: list[int] = []
        (request,) = requests.insert(
            tables, [inputs], consent=consent, on_wait=lambda number, reason: pending.append(number)
        )
        hosts = living_hosts(tables, _LANE)
    if pending:
        click.echo(f"Request {request} is made, and waits for the animal.")
    else:
        _print_workers(request, hosts)
    click.echo("What became of it:")
    click.echo(f"  imaging-pipeline report {quoted(folder)}")


def _preview(tables: Tables, inputs: dict[str, Any], *, is_required: bool) -> Preview | None:
    """Return the preview, or print why there is none for a request that can be made nevertheless."""
    try:
        with steps(Console(stderr=True)):
            return preview(tables, inputs)
    except (NotMountedError, StillCopyingError, NotYetHereError) as error:
        if is_required:
            raise
        _print_reason(error)
        return None


def _print_reason(error: PipelineError) -> None:
    if isinstance(error, NotYetHereError):
        click.echo(wrapped(str(error), text_width()), err=True)
    elif isinstance(error, NotMountedError):
        click.echo(f"{error.what}: a preview needs a machine where it is.")
    else:
        click.echo(f"{error.what}: {error.path}. The request waits for that.")


def _consent(shown: Preview | None) -> Consent:
    """Return what the person agrees to delete; nothing where there was no preview."""
    if shown is None:
        click.echo("Nothing is deleted that was not seen: should it have to be, the request stops.")
        return {}
    if shown.purged and not sys.stdin.isatty():
        raise click.ClickException(
            "Rows would be deleted, and nobody can be asked here: nothing was requested. Say --yes to agree."
        )
    if shown.purged and not click.confirm("Delete these rows, and register the folder?"):
        click.echo("Nothing was requested.")
        click.get_current_context().exit(1)
    return consent_to(shown.purged)


def _print_workers(request: int, hosts: tuple[str, ...]) -> None:
    click.echo(f"Request {request} is made.")
    if hosts:
        click.echo(f"A worker on {' or '.join(hosts)} carries it out.")
    else:
        click.echo("No worker looks at folders now. To start one, where the folder is mounted:")
        click.echo(f"  python -m batch_populate {_LANE} --once")
