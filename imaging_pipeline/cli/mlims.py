"""``imaging-pipeline mlims``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from imaging_pipeline.cli.animal_sync import sync_and_print
from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_lines, print_rows
from imaging_pipeline.colony.sources.contract import SOURCE_KEY
from imaging_pipeline.colony.sources.registry import configured_source
from imaging_pipeline.errors import ConfigError
from imaging_pipeline.wording import in_words


@click.group()
def mlims() -> None:
    """Update the animals from the colony system."""


@mlims.command(name="sync")
@click.option("--dry-run", is_flag=True, help="Only say what would be added, changed and marked as gone.")
@click.option("--force", is_flag=True, help="Also where the source has lost more than half of its animals.")
def sync_animals(dry_run: bool, force: bool) -> None:
    """Add the colony's animals, and change those that differ, field by field; never removes any.

    The source is custom.mlims.source in the configuration. Rows that are not valid are listed and skipped,
    and the command ends with 1.
    """
    with connected() as tables:
        source = configured_source(tables.config)
        if source is None:
            raise ConfigError(
                f"This machine's configuration names no source of animals ({SOURCE_KEY})",
                path=tables.config.path,
                remedy="name one, as docs/colony.md shows; or import a file: imaging-pipeline animals import",
            )
        sync_and_print(tables, source, is_whole=True, dry_run=dry_run, force=force)


@mlims.command()
@click.option("--last", type=click.IntRange(min=1), default=10, show_default=True, help="How many.")
def log(last: int) -> None:
    """List the newest comparisons with the colony, and the rows that the newest one skipped."""
    with connected() as tables:
        sync = tables.mlims.Sync
        rows = sync().to_dicts(order_by="sync_id DESC", limit=last)
        # Only the newest comparison with each colony has any: it deletes those of the earlier ones.
        problems = sync.Problem().to_dicts(order_by="sync_id, problem_number")
    for row in rows:
        print_lines(_run_lines(row))
    if problems:
        click.echo("\nRows that were skipped")
        columns = {
            "run": "sync_id",
            "row": "problem_row",
            "animal": "problem_animal",
            "because": "problem_what",
            "found": "problem_found",
            "allowed": "problem_allowed",
        }
        print_rows(problems, columns)


def _run_lines(row: dict[str, Any]) -> Iterator[str]:
    duration = "goes on" if row["sync_duration_s"] is None else in_words(row["sync_duration_s"])
    yield f"Run {row['sync_id']}, {row['sync_started']:%Y-%m-%d %H:%M:%S}, {duration}: {row['sync_source']}"
    if row["sync_error"]:
        yield f"  {row['sync_error']}"
    counts = {
        "animals": "num_animals",
        "added": "num_added",
        "changed": "num_changed",
        "gone": "num_gone",
        "there again": "num_returned",
        "rows skipped": "num_rows_skipped",
    }
    yield f"  {', '.join(f'{name}: {row[column]}' for name, column in counts.items())}"
