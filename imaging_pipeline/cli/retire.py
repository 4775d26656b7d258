"""``imaging-pipeline retire``."""

from __future__ import annotations

import sys

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_table
from imaging_pipeline.schemas.imaging import retiring
from imaging_pipeline.schemas.imaging.consent import to_what_was_shown
from imaging_pipeline.schemas.imaging.retiring import Retiring
from imaging_pipeline.schemas.imaging.table_names import owners, schema_of, shown
from imaging_pipeline.schemas.tables import Tables


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
        seen = retiring.preview(tables, named)
        _show(tables, seen)
        if not yes:
            _ask()
        consent = None if yes else to_what_was_shown(seen.purged)
        retired = retiring.retire(tables, named, username=username, reason=reason, consent=consent)
    click.echo(f"Retired: {', '.join(row['session_name'] for row in retired.sessions)}.")


def _show(tables: Tables, seen: Retiring) -> None:
    print_table(
        ("session", "timeseries", "start", "animal", "combined", "folder"),
        (
            (
                row["session_name"],
                row["timeseries_name"],
                row["session_timestamp"].isoformat(" ", "seconds"),
                row["animal_id"],
                row["combined"],
                f"{row['metasession_folder']} of {row['repository_name']}",
            )
            for row in seen.sessions
        ),
    )
    whose = owners(tables, (each.table for each in seen.purged))
    click.echo("Rows that are deleted:")
    print_table(
        ("rows", "table", "owner"),
        ((each.num_rows, shown(each.table), whose.get(schema_of(each.table))) for each in seen.purged),
    )


def _ask() -> None:
    if not sys.stdin.isatty():
        raise click.ClickException("Nobody can be asked here: nothing was deleted. Say --yes to agree.")
    if not click.confirm("Delete these rows?"):
        click.echo("Nothing was deleted.")
        click.get_current_context().exit(1)
