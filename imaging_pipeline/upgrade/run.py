"""Carrying out an upgrade."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from imaging_pipeline import database
from imaging_pipeline.errors import SchemaError
from imaging_pipeline.schemas import server_clock
from imaging_pipeline.schemas.locks import in_transaction
from imaging_pipeline.schemas.plain_rows import fetch
from imaging_pipeline.schemas.register.consent import Consent
from imaging_pipeline.schemas.register.purge import Purged
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.upgrade import upgrade_rows
from imaging_pipeline.upgrade.plan import all_wrong
from imaging_pipeline.upgrade.reimport import delete_wrong
from imaging_pipeline.upgrade.standing import find_standing
from imaging_pipeline.upgrade.step import Step
from imaging_pipeline.upgrade.upgrade_rows import RunningUpgrade


def upgrade_tables(tables: Tables, steps: Sequence[Step], on_step: Callable[[str], None]) -> None:
    """Change the tables to those of the last step's version; does nothing where they are.

    It may be interrupted at any point and run again. Programs of the older version are refused from the
    beginning, and those of the new one until the end.

    Parameters
    ----------
    tables
        As `database.bind` returns them.
    steps
        All steps, in order.
    on_step
        Is called with each change before it is made.

    Raises
    ------
    SchemaError
        Workers of the older version live, or there is no database.
    OtherVersionError
        There is no step from the database's version.
    """
    connection, config = tables.connection, tables.config
    with database.declaring(connection, config):
        standing = find_standing(tables, steps)
        if standing.is_at_target:
            return
        _declare_upgrades(tables)
        with in_transaction(connection):
            running = upgrade_rows.begin(tables, standing.reached, standing.target)
            # Afterwards: a worker that connects from now on is refused.
            refuse_living_workers(tables)
        _make(tables, steps, running, on_step)
        on_step("the tables that are new are declared")
        database.declare(connection, config)
        upgrade_rows.finish(tables, running)


def correct_values(
    tables: Tables, steps: Sequence[Step], *, consent: Consent | None, username: str
) -> tuple[Purged, ...]:
    """Delete the rows whose values an older version got wrong; workers import them again.

    Parameters
    ----------
    tables, steps
        As for `upgrade_tables`, which was called before.
    consent
        The rows to which a person agreed; None agrees to all.
    username
        Who agreed.

    Raises
    ------
    InputError
        More would be deleted than was agreed to.
    DatabaseError
        Rows lie in a private schema where this account may not delete.
    """
    wrong = all_wrong(tables, steps, find_standing(tables, steps))
    return delete_wrong(tables, wrong, consent=consent, username=username)


def refuse_living_workers(tables: Tables) -> None:
    """Raise SchemaError where workers live, and name them; by few columns, which every version has.

    Raises
    ------
    SchemaError
        Workers live.
    """
    silent_s = server_clock.seconds_since_utc(tables.connection.adapter.backend, "worker_heartbeat")
    rows = fetch(
        tables.connection,
        f"SELECT worker_name, worker_host, worker_version FROM {tables.full_name(tables.imaging.Worker)}"
        f" WHERE {silent_s} <= worker_silent_after ORDER BY worker_host, worker_name",
    )
    if rows:
        raise SchemaError(
            "Workers of the older version are running",
            found=", ".join(f"{name} on {host} (imaging-pipeline {version})" for name, host, version in rows),
            allowed="no worker",
            remedy="Stop them, and try again. One that was killed counts as running for some seconds more.",
        )


def _declare_upgrades(tables: Tables) -> None:
    """Declare the table that notes the upgrade, before anything else is changed."""
    table = tables.imaging.Upgrade
    if not table().is_declared:
        table().declare(table.declaration_context)


def _make(
    tables: Tables, steps: Sequence[Step], running: RunningUpgrade, on_step: Callable[[str], None]
) -> None:
    for step in steps:
        if step.version > running.reached:
            for change in step.changes:
                if not change.is_done(tables):
                    on_step(f"{change.table} {change.described()}")
                    change.apply(tables)
            upgrade_rows.set_reached(tables, running, step.version)
