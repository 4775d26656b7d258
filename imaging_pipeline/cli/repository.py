"""``imaging-pipeline repository``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from rich.console import Console

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_added, print_table
from imaging_pipeline.cli.steps import steps
from imaging_pipeline.config.config import Config
from imaging_pipeline.ingest.verification import Verification
from imaging_pipeline.schemas.administer import administration
from imaging_pipeline.schemas.administer.repository_move import repoint, verify_repository
from imaging_pipeline.wording import counted

# Files that are listed; the others are counted.
_MAX_FILES = 20


@click.group()
def repository() -> None:
    """Add, list and move repositories, the shares that hold files."""


@repository.command()
@click.argument("name")
@click.option(
    "--root",
    "roots",
    multiple=True,
    required=True,
    help=r"A spelling that people type: 'N:\moser', '\\server\share' or '/mnt/moser'. May be repeated.",
)
def add(name: str, roots: tuple[str, ...]) -> None:
    """Add the repository NAME, or roots to it."""
    with connected() as tables:
        added = administration.add_repository(tables, name, roots)
        folder = _local_folder(tables.config, added.name)
    print_added(f"the repository {added.name}", is_new=added.is_new)
    _print_roots(added.new_roots, added.known_roots)
    click.echo(f"This machine: {folder}.")


@repository.command(name="list")
def list_repositories() -> None:
    """List all repositories, their roots and their folders on this machine."""
    with connected() as tables:
        names = tables.imaging.Repository().to_arrays("repository_name", order_by="repository_name")
        roots = tables.roots()
    print_table(
        ("name", "roots", "this machine"),
        (
            (
                name,
                ", ".join(sorted(root.root for root in roots if root.repository_name == name)),
                _local_folder(tables.config, name),
            )
            for name in names
        ),
    )


@repository.command()
@click.argument("name")
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="The folder of this machine in which the files lie now.",
)
@click.option("--root", "roots", multiple=True, help="A spelling that people type now. May be repeated.")
@click.option("--retire", multiple=True, help="A spelling that holds no longer. May be repeated.")
@click.option("--anyway", is_flag=True, help="Change roots although files are missing or differ.")
def move(name: str, folder: Path, roots: Sequence[str], retire: Sequence[str], anyway: bool) -> None:
    """Verify that all files of the repository NAME lie elsewhere now, and change its roots.

    Every registered file is compared with the one below the new folder, by its size and a fingerprint of
    sampled blocks. Roots change only if all of them agree; no other row does. Without --root and --retire
    files are verified, and nothing changes.
    """
    with connected() as tables:
        with steps(Console(stderr=True)):
            verification = verify_repository(tables, name, folder)
        _print_verification(verification, folder)
        if verification.differing and not anyway:
            raise click.ClickException(
                "Nothing was changed. Copy what is missing, and register folders again that were changed"
                " since; or say --anyway."
            )
        if roots or retire:
            repointed = repoint(tables, name, roots, retire)
            _print_roots(repointed.added.new_roots, repointed.added.known_roots)
            for root in repointed.retired:
                click.echo(f"Removed the root {root}.")
        _print_configuration(tables.config, name, folder)


def _local_folder(config: Config, name: str) -> str:
    folder = config.repositories.get(name)
    if folder is None:
        return "not in the configuration"
    return str(folder) if folder.is_dir() else f"{folder} (not mounted)"


def _print_roots(new: Iterable[str], known: Iterable[str]) -> None:
    for root in new:
        print_added(f"the root {root}", is_new=True)
    for root in known:
        print_added(f"the root {root}", is_new=False)


def _print_verification(verification: Verification, folder: Path) -> None:
    num_same = verification.num_files - len(verification.differing)
    click.echo(f"{num_same} of {counted(verification.num_files, 'file')} as registered in {folder}.")
    for file in verification.differing[:_MAX_FILES]:
        click.echo(f"  {file.path}: {file.problem}")
    if len(verification.differing) > _MAX_FILES:
        click.echo(f"  and {len(verification.differing) - _MAX_FILES} more")


def _print_configuration(config: Config, name: str, folder: Path) -> None:
    """Print the line of the configuration that people must change: each machine has its own."""
    if config.repositories.get(name) == folder:
        return
    where = f" of this machine ({config.path})" if config.path else ""
    click.echo(f"Change the configuration{where}, and that of each machine which reads the files:")
    click.echo(f'  "repositories": {{{json.dumps(name)}: {json.dumps(str(folder))}}}')
