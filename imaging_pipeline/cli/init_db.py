"""``imaging-pipeline init-db``."""

from __future__ import annotations

import click

from imaging_pipeline import database
from imaging_pipeline.cli.connection import configured
from imaging_pipeline.schemas import imaging
from imaging_pipeline.server.connection_errors import database_errors, server_name


@click.command(name="init-db")
def init_db() -> None:
    """Declare all schemas and tables that are not there yet; safe to do again, and from many machines."""
    config = configured()
    with database_errors(config):
        database.init_db(config)
        timezone = imaging.Lab().fetch1("timezone")
    click.echo(f"The tables of {config.prefix}imaging are ready on {server_name(config)}.")
    click.echo(f"Recording times are those of {timezone}.")
    # Only the first init-db of a database decides: times that are stored already are those of its zone.
    if config.timezone not in (None, timezone):
        click.echo(
            f"The configuration says {config.timezone}, but a database keeps the zone that it was made with."
            " As long as nothing is registered, give another custom.database.prefix and run init-db again."
        )
