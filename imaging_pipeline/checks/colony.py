"""Whether the colony system can be read, and when animals were last compared with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from imaging_pipeline.checks.finding import Finding, failed, from_error, notice, ok
from imaging_pipeline.colony.reading import AnimalReader
from imaging_pipeline.colony.sources.contract import Source
from imaging_pipeline.colony.sources.record import RowProblem
from imaging_pipeline.colony.sources.registry import configured_source
from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import PipelineError, StillCopyingError
from imaging_pipeline.schemas import plain_rows, server_clock
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import counted

# Comparisons that are overdue in a row: after so many, no worker can be doing them.
_MISSED = 3


def check_colony(config: Config, tables: Tables | None) -> tuple[Finding, ...]:
    """Read the first animal of the configured source, and look at the last comparison.

    Parameters
    ----------
    config
        The configuration in force.
    tables
        The database; None where it could not be queried.
    """
    try:
        source = configured_source(config)
        if source is None:
            return (ok("source", "none here: animals come from elsewhere, or from files that are imported"),)
        findings = [_readable(source)]
    except StillCopyingError as error:
        findings = [notice("source", f"{error.what}: {error.path}", "Check again in a minute.")]
    except PipelineError as error:
        findings = [from_error("source", error)]
    return (*findings, *([] if tables is None else [_last(tables, config)]))


def _readable(source: Source) -> Finding:
    with source.snapshot() as snapshot:
        record = next(snapshot.animals, None)
    if record is None:
        return failed(
            "source", f"{source.name} holds no animals", "See whether it is the right one, and whole."
        )
    reader = AnimalReader(source.translation, source.datasource_id)
    animal = [record] if isinstance(record, RowProblem) else reader.read(record)
    if isinstance(animal, list):
        return notice(
            "source",
            f"{source.name} can be read, but its first row would be skipped: {animal[0].what}"
            f" ({animal[0].found}; allowed: {animal[0].allowed})",
            "Correct the row, or what the configuration says of its values.",
        )
    values = ", ".join(f"{name} {value}" for name, value in animal.values.items() if value is not None)
    return ok("source", f"{source.name} can be read; its first animal is {animal.key.animal_id}: {values}")


def _last(tables: Tables, config: Config) -> Finding:
    sync = tables.mlims.Sync
    # An imported file is a comparison too, but not with the whole colony; without a duration it still runs.
    rows = (sync & {"sync_is_whole": True} & "sync_duration_s IS NOT NULL").to_dicts(
        order_by="sync_id DESC", limit=1
    )
    if not rows:
        remedy = "Run: imaging-pipeline mlims sync --dry-run, and then without --dry-run."
        return notice("last", "the animals were not compared with it yet", remedy)
    row = rows[0]
    when = f"{row['sync_started']:%Y-%m-%d %H:%M}, of {counted(row['num_animals'], 'animal')}"
    if row["sync_error"]:
        return failed("last", f"{when}: {row['sync_error']}", "See: imaging-pipeline mlims log")
    if _age(tables, row) > _MISSED * timedelta(minutes=config.mlims_every_min):
        return notice("last", when, "Start a worker for it: python -m batch_populate mlims --loop")
    return ok("last", when)


def _age(tables: Tables, row: dict[str, Any]) -> timedelta:
    """Return how long ago a comparison began, by the server's clock, which wrote the time."""
    age_s = server_clock.seconds_since(tables.connection.adapter.backend, "sync_started")
    query = f"SELECT {age_s} FROM {tables.mlims.Sync.full_table_name} WHERE sync_id = %s"
    ((seconds,),) = plain_rows.fetch(tables.connection, query, (row["sync_id"],))
    return timedelta(seconds=float(seconds))
