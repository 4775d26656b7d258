"""``imaging-pipeline apparatus``."""

from __future__ import annotations

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_added, print_rows
from imaging_pipeline.schemas.administer import administration


@click.group()
def apparatus() -> None:
    """Add and list arenas, wheels and what else animals move in or on."""


@apparatus.command()
@click.argument("name")
@click.option("--category", required=True, help="What it is, such as arena or treadmill.")
@click.option("--note")
def add(name: str, category: str, note: str | None) -> None:
    """Add the apparatus NAME."""
    with connected() as tables:
        added = administration.add_apparatus(tables, name, category, note=note)
    print_added(f"the apparatus {added.name}", is_new=added.is_new)


@apparatus.command(name="list")
def list_apparatus() -> None:
    """List all apparatus."""
    with connected() as tables:
        rows = tables.imaging.Apparatus().to_dicts(order_by="apparatus")
    print_rows(rows, {"name": "apparatus", "category": "category", "note": "apparatus_note"})
