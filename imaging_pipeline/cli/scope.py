"""``imaging-pipeline scope``."""

from __future__ import annotations

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_added, print_rows
from imaging_pipeline.schemas.administer import administration


@click.group()
def scope() -> None:
    """Add and list microscope heads."""


@scope.command()
@click.argument("name")
@click.option("--notes")
def add(name: str, notes: str | None) -> None:
    """Add the microscope head NAME."""
    with connected() as tables:
        added = administration.add_scope(tables, name, notes=notes)
    print_added(f"the scope {added.name}", is_new=added.is_new)


@scope.command(name="list")
def list_scopes() -> None:
    """List all microscope heads."""
    with connected() as tables:
        rows = tables.imaging.Scope().to_dicts(order_by="scope_name")
    print_rows(rows, {"name": "scope_name", "notes": "scope_notes"})
