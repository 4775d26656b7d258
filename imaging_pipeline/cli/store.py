"""``imaging-pipeline store``."""

from __future__ import annotations

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.schemas.administer import store_sweep


@click.group()
def store() -> None:
    """Remove what is not needed from the store of arrays."""


@store.command()
def sweep() -> None:
    """Remove arrays that no row refers to and that are older than a day."""
    with connected() as tables:
        swept = store_sweep.sweep(tables)
    for name in (*swept.traces, *swept.arrays):
        click.echo(name)
    click.echo(f"Removed: {len(swept.traces)} of traces, {len(swept.arrays)} other arrays.")
