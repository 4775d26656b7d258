"""What workers do for the animals: compare them with the colony system, every so many minutes."""

from __future__ import annotations

from imaging_pipeline.colony.runs import GoesOnError
from imaging_pipeline.colony.sources.registry import configured_source
from imaging_pipeline.colony.sync import sync
from imaging_pipeline.schemas.tables import Tables


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
    if source is None or not _is_due(tables):
        return ""
    try:
        outcome = sync(tables, source)
    except GoesOnError:
        return ""
    counts = outcome.counts
    return (
        f"Compared {counts.num_animals:,} animals with {outcome.source}: {counts.num_added} added,"
        f" {counts.num_changed} changed, {counts.num_gone} gone, {counts.num_rows_skipped} rows skipped"
    )


def _is_due(tables: Tables) -> bool:
    """Say whether the last comparison with the whole colony began long enough ago, by the server's clock."""
    ago = tables.connection.adapter.interval_expr(60 * tables.config.mlims_every_min, "second")
    lately = f"sync_started > CURRENT_TIMESTAMP(6) - {ago}"
    return not tables.mlims.Sync & {"sync_is_whole": True} & lately
