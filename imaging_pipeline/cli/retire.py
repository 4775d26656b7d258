"""``imaging-pipeline retire``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import text_width
from imaging_pipeline.schemas.register import retire as retiring
from imaging_pipeline.schemas.register.consent import consent_to
from imaging_pipeline.schemas.register.registration_text import deleted, session_start
from imaging_pipeline.schemas.register.retire import Retirement
from imaging_pipeline.schemas.table_names import owners
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import wrapped


@click.command()
@click.argument("named", metavar="SESSION|FOLDER")
@click.option("--user", "username", required=True, help="Who asks; see: imaging-pipeline users list.")
@click.option("--reason", required=True, help="Why; it is kept with what was deleted.")
@click.option("--yes", is_flag=True, help="Delete without being asked.")
def retire(named: str, username: str, reason: str, yes: bool) -> None:
    """Delete a session from the database, with all that was derived of it; its files stay.

    SESSION is the name of a session or of a MetaSession, FOLDER the path of a recording's folder, whose
    sessions all go. What is deleted is shown first.
    """
    with connected() as tables:
        # Before the preview, which takes time: a wrong name should not be told only after the answer.
        retiring.check(tables, username, reason)
        preview = retiring.preview(tables, named)
        for line in _lines(tables, preview):
            click.echo(wrapped(line, text_width()))
        if not yes:
            _ask()
        # None agrees to all; else what was added since the preview stops the command, and is not deleted.
        consent = None if yes else consent_to(preview.purged)
        retired = retiring.retire(tables, named, username=username, reason=reason, consent=consent)
    click.echo(f"Retired: {', '.join(row['session_name'] for row in retired.sessions)}.")


def _lines(tables: Tables, preview: Retirement) -> Iterator[str]:
    yield "Sessions"
    for row in preview.sessions:
        yield f"  {session_start(row['session_timestamp'], row['timeseries_name'])} ({row['session_name']})"
        combined = "combined" if row["combined"] == "yes" else "not combined"
        where = f"{row['metasession_folder']} of {row['repository_name']}"
        yield f"      {combined}, animal {row['animal_id']}, {where}"
    if preview.notes:
        yield "Noted by people; kept with the retirement"
    yield from (f"  {note}" for note in preview.notes)
    yield from deleted(preview.purged, owners(tables, (each.table for each in preview.purged)))


def _ask() -> None:
    if not sys.stdin.isatty():
        raise click.ClickException("Nobody can be asked here: nothing was deleted. Say --yes to agree.")
    if not click.confirm("Delete these rows?"):
        click.echo("Nothing was deleted.")
        click.get_current_context().exit(1)
