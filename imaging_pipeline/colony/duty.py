"""What workers do for the animals: compare them with the colony system, every so many minutes."""

from __future__ import annotations

from imaging_pipeline.colony.runs import GoesOnError
from imaging_pipeline.colony.sources.registry import configured_source
from imaging_pipeline.colony.sync import sync
from imaging_pipeline.schemas import plain_rows, server_clock
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import counted


def compare_when_due(tables: Tables) -> str:
    """Compare with the source in the configuration, if it is time, and say what came of it.

    However many workers ask, one compares: a comparison that was begun less than ``custom.mlims.every_min``
    minutes ago, anywhere, is not made again, and while one goes on none begins.

    Raises
    ------
    PipelineError
        As of `colony.sync.sync`; the row of the run has it, too.
    """
    source = configured_source(tables.config)
    if source is None or due_in_s(tables) > 0:
        return ""
    try:
        outcome = sync(tables, source)
    except GoesOnError:
        return ""
    counts = outcome.counts
    return (
        f"Compared {counted(counts.num_animals, 'animal')} with {outcome.source}: {counts.num_added} added,"
        f" {counts.num_changed} changed, {counts.num_gone} gone, {counts.num_rows_skipped} rows skipped"
    )


def due_in_s(tables: Tables) -> float:
    """Say in how many seconds the next comparison is due, by the server's clock; 0 where it is now."""
    ago = server_clock.seconds_since(tables.connection.adapter.backend, "MAX(sync_started)")
    question = f"SELECT {ago} FROM {tables.mlims.Sync.full_table_name} WHERE sync_is_whole"
    ((seconds,),) = plain_rows.fetch(tables.connection, question)
    return 0.0 if seconds is None else max(60.0 * tables.config.mlims_every_min - float(seconds), 0.0)
