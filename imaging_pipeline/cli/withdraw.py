"""``imaging-pipeline withdraw``."""

from __future__ import annotations

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.schemas.jobs.withdrawal import withdraw as withdraw_request


@click.command()
@click.argument("request", type=click.IntRange(min=0))
@click.option("--user", "username", help="Who does it; else the account of the database.")
@click.option("--reason", default="", help="Why; it is kept.")
def withdraw(request: int, username: str | None, reason: str) -> None:
    """Withdraw a REQUEST, by its number, that waits for an animal which is not here.

    Whatever animals come, it is not carried out.
    """
    with connected() as tables:
        withdraw_request(tables, request, username=username, reason=reason)
    click.echo(f"Request {request} is withdrawn. If it is to wait after all:")
    click.echo(f"  imaging-pipeline jobs retry basefolder_id={request}")
