"""``imaging-pipeline explain``."""

from __future__ import annotations

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import text_width
from imaging_pipeline.schemas.jobs import explaining


@click.command()
@click.argument("session", metavar="SESSION|FOLDER")
@click.argument("table", required=False)
@click.option("--animal", help="Name or identifier, where several animals have a timeseries of the name.")
def explain(session: str, table: str | None, animal: str | None) -> None:
    """Show how far a session is, and why it is not done.

    SESSION is the name of a session or MetaSession, or its beginning, or a timeseries. A FOLDER, as typed or
    below its repository, stands for all its sessions; for its request where there is none yet. With TABLE,
    such as Cell, only what that table needs is shown.
    """
    with connected() as tables:
        explanations = explaining.explain(tables, session, table=table, animal=animal)
    click.echo(explanations.text(text_width()))
