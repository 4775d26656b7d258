"""``imaging-pipeline restore-notes``."""

from __future__ import annotations

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import text_width
from imaging_pipeline.schemas.register import retired_notes
from imaging_pipeline.wording import wrapped


@click.command()
@click.argument("session")
def restore_notes(session: str) -> None:
    """Note again of SESSION, a name, what people had noted of it before it was retired."""
    with connected() as tables:
        for note in retired_notes.restore(tables, session):
            click.echo(wrapped(str(note), text_width()))
