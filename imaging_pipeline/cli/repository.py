"""``imaging-pipeline repository``."""

from __future__ import annotations

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_table, say_added
from imaging_pipeline.cli.repository_move import move
from imaging_pipeline.config.config import Config
from imaging_pipeline.schemas.administer import administration


@click.group()
def repository() -> None:
    """Add, list and move places that hold files."""


repository.add_command(move)


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
        place = _place_here(tables.config, added.name)
    say_added(f"the repository {added.name}", is_new=added.is_new)
    for root in added.new_roots:
        say_added(f"the root {root}", is_new=True)
    for root in added.known_roots:
        say_added(f"the root {root}", is_new=False)
    click.echo(f"This machine: {place}.")


@repository.command(name="list")
def list_repositories() -> None:
    """List all repositories, their roots and where this machine finds them."""
    with connected() as tables:
        names = tables.imaging.Repository().to_arrays("repository_name", order_by="repository_name")
        roots = tables.roots()
    print_table(
        ("name", "roots", "this machine"),
        (
            (
                name,
                ", ".join(sorted(root.root for root in roots if root.repository_name == name)),
                _place_here(tables.config, name),
            )
            for name in names
        ),
    )


def _place_here(config: Config, name: str) -> str:
    place = config.repositories.get(name)
    if place is None:
        return "not in the configuration"
    return str(place) if place.is_dir() else f"{place} (not mounted)"
