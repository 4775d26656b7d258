"""``imaging-pipeline store``."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_lines
from imaging_pipeline.schemas.administer import store_claims, store_gone, store_sweep
from imaging_pipeline.schemas.administer.store_gone import GoneArrays, ImportedAnew
from imaging_pipeline.schemas.administer.store_rewriting import write_again
from imaging_pipeline.schemas.administer.store_sweep import Sweep
from imaging_pipeline.schemas.register.registration_text import deleted
from imaging_pipeline.schemas.table_names import owners, readable_name
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.store.aside import KEPT
from imaging_pipeline.upgrade.reimport import consent_to_all, counted, delete_wrong
from imaging_pipeline.wording import counted as in_number

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only show what would be done.")
_YES = click.option("--yes", is_flag=True, help="Do it without being asked.")


@click.group()
def store() -> None:
    """Look after the store of arrays, which belongs to one database."""


@store.command()
@_DRY_RUN
@_YES
def sweep(dry_run: bool, yes: bool) -> None:
    """Take arrays out of the store that no row names and that are older than a day.

    They are moved aside within the store, and deleted by a sweep a month later. What is done is shown first.
    A store of another database, or one that is newer than this database, is refused, and so is a sweep of
    nearly everything.
    """
    with connected() as tables:
        plan = store_sweep.plan_sweep(tables)
        print_lines(_of_sweep(plan))
        if dry_run or plan.is_empty:
            return
        _agree(yes, "Do this?")
        done = store_sweep.sweep(tables, None if yes else plan)
    click.echo(f"Moved aside: {len(done.traces)} of traces, {len(done.arrays)} other arrays.")


@store.command()
@_DRY_RUN
@_YES
def reimport(dry_run: bool, yes: bool) -> None:
    """Bring back arrays that rows name and that are gone from the store.

    What a sweep has moved aside is put back. The rest is made again here, from the files, and the rows stay.
    Where other rows would be made now, these are shown, and deleted with your yes, for workers to import them
    again. Files that are not here any more are told.
    """
    with connected() as tables:
        gone = store_gone.find_gone(tables)
        print_lines(_of_gone(gone))
        if dry_run or not (gone.aside or gone.jobs):
            return
        _agree(yes, "Do this?")
        num_back = len(store_sweep.put_back(tables))
        click.echo(f"Put back: {in_number(num_back, 'array')}.")
        others = _write_again(tables, gone)
        if others.keys:
            _import_anew(tables, others, yes=yes)


def _write_again(tables: Tables, gone: GoneArrays) -> ImportedAnew:
    """Make arrays again for the rows that are there; return those of which other rows would be made."""
    others = set()
    for job in gone.jobs:
        # What this reads may be among them.
        if job.session_data in others:
            continue
        name = readable_name(job.table.full_table_name)
        reason = write_again(tables, job)
        if reason:
            others.add(job.session_data)
        click.echo(f"  {name}: {reason or 'made again'}")
    return ImportedAnew(tuple(sorted(others)))


def _import_anew(tables: Tables, others: ImportedAnew, *, yes: bool) -> None:
    purged = counted(tables, [others])
    print_lines(deleted(purged, owners(tables, (each.table for each in purged))))
    _agree(yes, "Delete these rows, for workers to import them again?")
    consent = None if yes else consent_to_all(purged)
    username = f"{getpass.getuser()} (command)"
    rows = sum(each.num_rows for each in delete_wrong(tables, [others], consent=consent, username=username))
    click.echo(f"Deleted: {in_number(rows, 'row')}. Workers import them again.")


@store.command()
@_YES
def claim(yes: bool) -> None:
    """Let the store belong to this database, and to no other any more.

    Needed where a database was moved to another server or restored from a backup, and where the store had
    another database. Sweeps of other databases are refused from then on.
    """
    with connected() as tables:
        told = store_claims.why_refused(tables)
        click.echo(told or "The store belongs to this database.")
        if told is None:
            return
        _agree(yes, "Let the store belong to this database?")
        store_claims.claim(tables)
    click.echo("The store belongs to this database now.")


def _agree(yes: bool, question: str) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException("Nobody can be asked here: nothing was changed. Say --yes to agree.")
    if not click.confirm(question):
        click.echo("Nothing was changed.")
        click.get_current_context().exit(1)


def _of_sweep(plan: Sweep) -> Iterator[str]:
    yield from (f"  {name}" for name in plan.unused)
    size = f"{plan.num_bytes / 1e6:.1f} MB"
    yield f"{len(plan.unused)} of {in_number(plan.num_objects, 'array')} are named by no row: {size}."
    if plan.unused:
        yield f"They are moved aside, and deleted by a sweep after {KEPT.days} days."
    if plan.put_back:
        yield f"{in_number(len(plan.put_back), 'array')} that rows name again come back from there."
    yield from (f"{folder} is deleted." for folder in plan.expired)
    if plan.num_gone:
        yield (
            f"{in_number(plan.num_gone, 'array')} that rows name are gone. To import them again, run:"
            " imaging-pipeline store reimport"
        )


def _of_gone(gone: GoneArrays) -> Iterator[str]:
    if not gone.num_by_table:
        yield "All arrays that rows name are in the store."
        return
    yield "Arrays that rows name and that are gone from the store"
    yield from (f"  {number} of {table}" for table, number in sorted(gone.num_by_table.items()))
    if gone.aside:
        yield f"{in_number(len(gone.aside), 'array')} of them were moved aside, and are put back."
    if gone.jobs:
        yield f"Those of {in_number(len(gone.jobs), 'job')} are made again."
    if gone.without_files:
        yield "Others are not, because these files are not here:"
        yield from (f"  {path}" for path in gone.without_files)
    if gone.foreign:
        yield f"Not made again, as this program does not fill these tables: {', '.join(gone.foreign)}"
