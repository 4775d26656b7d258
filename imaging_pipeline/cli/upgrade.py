"""``imaging-pipeline upgrade``."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator

import click

from imaging_pipeline import database
from imaging_pipeline.cli.connection import configured
from imaging_pipeline.cli.printing import print_lines
from imaging_pipeline.schemas.register.registration_text import deleted
from imaging_pipeline.schemas.table_names import owners
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.server.connection_errors import database_errors
from imaging_pipeline.upgrade.plan import Plan, make_plan
from imaging_pipeline.upgrade.reimport import consent_to_all
from imaging_pipeline.upgrade.run import correct_values, refuse_living_workers, upgrade_tables
from imaging_pipeline.upgrade.steps import STEPS
from imaging_pipeline.wording import counted, in_words


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--yes", is_flag=True, help="Change tables, and delete what is wrong, without being asked.")
def upgrade(dry_run: bool, yes: bool) -> None:
    """Change the tables of an older version to those of this one, and find values that were wrong.

    What is done is shown first. Workers and web pages must stop before. It may be interrupted and run again.
    """
    config = configured()
    with database_errors(config):
        tables = database.bind(config)
        plan = make_plan(tables, STEPS)
        print_lines(_lines(tables, plan))
        if plan.changes_tables:
            # Before a person is asked, and in a dry run too.
            refuse_living_workers(tables)
        if not dry_run:
            _carry_out(tables, plan, yes=yes)


def _carry_out(tables: Tables, plan: Plan, *, yes: bool) -> None:
    if plan.changes_tables:
        _agree(yes, "Change the tables?")
        upgrade_tables(tables, STEPS, lambda what: click.echo(f"  {what}"))
        click.echo(f"The tables are those of schema version {plan.to_version}.")
    if plan.wrong:
        # Else what became wrong since then is not deleted.
        consent = None if yes else consent_to_all(plan.purged)
        _agree(yes, "Delete the wrong values, for workers to import them again?")
        username = f"{getpass.getuser()} (command)"
        rows = sum(
            each.num_rows for each in correct_values(tables, STEPS, consent=consent, username=username)
        )
        click.echo(f"Deleted: {counted(rows, 'row')}. Workers import them again.")


def _agree(yes: bool, question: str) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException("Nobody can be asked here: nothing more was changed. Say --yes to agree.")
    if not click.confirm(question):
        click.echo("Nothing more was changed.")
        click.get_current_context().exit(1)


def _lines(tables: Tables, plan: Plan) -> Iterator[str]:
    if plan.is_empty:
        yield f"The tables are those of schema version {plan.to_version}, and no value is known to be wrong."
    if plan.changes_tables:
        yield from _changed(plan)
    if plan.wrong:
        yield "Values that are wrong"
        for each in plan.wrong:
            correction, number = each.correction, counted(len(each.keys), "dataset")
            yield f"  {correction.name}: {number} in {correction.table}, because {correction.cause}"
        yield from deleted(plan.purged, owners(tables, (each.table for each in plan.purged)))
        yield "Workers import again what is deleted."


def _changed(plan: Plan) -> Iterator[str]:
    if plan.is_unfinished:
        yield f"Upgrade to schema version {plan.to_version}, which was interrupted"
    else:
        yield f"Upgrade from schema version {plan.from_version} to {plan.to_version}"
    for each in plan.changes:
        yield f"  {each.change.table} {each.change.described()}: {counted(each.num_rows, 'row')}"
    yield from (f"  {name} is added" for name in plan.new_tables)
    yield f"Workers and web pages must stop for about {in_words(plan.seconds)}."
