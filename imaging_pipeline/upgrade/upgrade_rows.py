"""The rows of ``Upgrade``: which upgrades there were, and the one that goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from imaging_pipeline.schemas import server_clock
from imaging_pipeline.schemas.checked_rows import next_number
from imaging_pipeline.schemas.tables import Tables, schema_name
from imaging_pipeline.schemas.versions import table_names


@dataclass(frozen=True)
class RunningUpgrade:
    """An upgrade without an end: its number, and the version up to which tables are changed."""

    number: int
    reached: int


def unfinished(tables: Tables) -> RunningUpgrade | None:
    """Return the upgrade that has no end, if there is one."""
    rows = (tables.imaging.Upgrade & "upgrade_finished IS NULL").to_dicts()
    return RunningUpgrade(rows[0]["upgrade_id"], rows[0]["upgrade_reached"]) if rows else None


def start_of_step(tables: Tables, step_version: int) -> datetime | None:
    """Return when the newest upgrade began that made the step to a version; None where none did yet.

    In the zone of the server's sessions, as times of entry are.
    """
    schema = schema_name(tables.config, "imaging")
    if tables.imaging.Upgrade.table_name not in table_names(tables.connection, schema):
        return None
    between = f"upgrade_from < {int(step_version)} AND upgrade_to >= {int(step_version)}"
    rows = (tables.imaging.Upgrade & between).to_dicts(order_by="upgrade_id DESC", limit=1)
    return rows[0]["upgrade_time"] if rows else None


def begin(tables: Tables, stored: int, target: int) -> RunningUpgrade:
    """Note that an upgrade begins, or goes on, and let programs of the older version refuse the tables.

    In the open transaction.
    """
    running = unfinished(tables)
    if running is None:
        number = next_number(tables, "upgrade_id", tables.full_name(tables.imaging.Upgrade))
        tables.imaging.Upgrade.insert1(
            {
                "upgrade_id": number,
                "upgrade_from": stored,
                "upgrade_to": target,
                "upgrade_reached": stored,
                "upgrade_program": version("imaging-pipeline"),
                "upgrade_account": tables.connection.get_user(),
            }
        )
        running = RunningUpgrade(number, stored)
    else:  # by a program of a version between, perhaps
        tables.imaging.Upgrade.update1({"upgrade_id": running.number, "upgrade_to": target})
    lab = tables.full_name(tables.imaging.Lab)
    tables.connection.query(f"UPDATE {lab} SET schema_version = %s", args=(target,))
    return running


def set_reached(tables: Tables, running: RunningUpgrade, step_version: int) -> None:
    """Note that the step to a version is made."""
    tables.imaging.Upgrade.update1({"upgrade_id": running.number, "upgrade_reached": step_version})


def finish(tables: Tables, running: RunningUpgrade) -> None:
    """Note the end: programs of this version take the tables from now on."""
    table, now = (
        tables.full_name(tables.imaging.Upgrade),
        server_clock.utc_now(tables.connection.adapter.backend),
    )
    tables.connection.query(
        f"UPDATE {table} SET upgrade_finished = {now} WHERE upgrade_id = %s",
        args=(running.number,),
    )
