"""``imaging-pipeline repository move``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import say_added
from imaging_pipeline.cli.steps import steps
from imaging_pipeline.config.config import Config
from imaging_pipeline.ingest.verification import Verification
from imaging_pipeline.schemas.administer.repository_move import Repointed, repoint, verify_repository
from imaging_pipeline.wording import counted

_NUM_SHOWN = 20


@click.command()
@click.argument("name")
@click.option(
    "--to",
    "place",
    required=True,
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="The folder of this machine in which the files lie now.",
)
@click.option("--root", "roots", multiple=True, help="A spelling that people type now. May be repeated.")
@click.option("--retire", multiple=True, help="A spelling that holds no longer. May be repeated.")
@click.option("--anyway", is_flag=True, help="Change roots although files are missing or differ.")
def move(name: str, place: Path, roots: Sequence[str], retire: Sequence[str], anyway: bool) -> None:
    """Verify that all files of the repository NAME lie elsewhere now, and give it other roots.

    Every registered file is held against the one below the new place, by its size and a fingerprint of
    sampled blocks. Roots change only if all of them agree; no other row does. Without --root and --retire
    files are verified, and nothing changes.
    """
    with connected() as tables:
        with steps(Console(stderr=True)):
            verified = verify_repository(tables, name, place)
        _say(verified, place)
        if verified.differing and not anyway:
            raise click.ClickException(
                "Nothing was changed. Copy what is missing, and register folders again that were changed"
                " since; or say --anyway."
            )
        if roots or retire:
            _say_roots(repoint(tables, name, roots, retire))
        _say_configuration(tables.config, name, place)


def _say(verified: Verification, place: Path) -> None:
    right = verified.num_files - len(verified.differing)
    click.echo(f"{right} of {counted(verified.num_files, 'file')} as registered in {place}.")
    for each in verified.differing[:_NUM_SHOWN]:
        click.echo(f"  {each.path}: {each.problem}")
    if len(verified.differing) > _NUM_SHOWN:
        click.echo(f"  and {len(verified.differing) - _NUM_SHOWN} more")


def _say_roots(repointed: Repointed) -> None:
    for root in repointed.added.new_roots:
        say_added(f"the root {root}", is_new=True)
    for root in repointed.added.known_roots:
        say_added(f"the root {root}", is_new=False)
    for root in repointed.retired:
        click.echo(f"Removed the root {root}.")


def _say_configuration(config: Config, name: str, place: Path) -> None:
    if config.repositories.get(name) == place:
        return
    where = f" of this machine ({config.path})" if config.path else ""
    click.echo(f"Change the configuration{where}, and that of each machine which reads the files:")
    click.echo(f'  "repositories": {{{json.dumps(name)}: {json.dumps(str(place))}}}')
