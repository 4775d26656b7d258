"""``imaging-pipeline mlims``."""

from __future__ import annotations

import click

from imaging_pipeline.cli.animal_changes import run_and_tell
from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_table
from imaging_pipeline.colony.sources.contract import SOURCE_KEY
from imaging_pipeline.colony.sources.registry import configured_source
from imaging_pipeline.errors import ConfigError


@click.group()
def mlims() -> None:
    """Keep the animals as the colony system has them."""


@mlims.command(name="sync")
@click.option("--dry-run", is_flag=True, help="Only say what would be added, changed and marked as gone.")
@click.option("--force", is_flag=True, help="Also where the source has lost more than half of its animals.")
def sync_animals(dry_run: bool, force: bool) -> None:
    """Add the colony's animals, and change those that differ, field by field; never removes any.

    What is read is said by custom.mlims.source in the configuration. Rows that cannot be taken are listed
    and skipped, and the command ends with 1.
    """
    with connected() as tables:
        source = configured_source(tables.config)
        if source is None:
            raise ConfigError(
                f"This machine's configuration names no source of animals ({SOURCE_KEY})",
                path=tables.config.path,
                remedy="name one, as docs/colony.md shows; or import a file: imaging-pipeline animals import",
            )
        run_and_tell(tables, source, is_whole=True, dry_run=dry_run, force=force)


@mlims.command()
@click.option("--last", type=click.IntRange(min=1), default=10, show_default=True, help="How many.")
def log(last: int) -> None:
    """List the newest comparisons with the colony, and the rows that the newest one skipped."""
    with connected() as tables:
        sync = tables.mlims.Sync
        rows = sync().to_dicts(order_by="sync_id DESC", limit=last)
        problems = sync.Problem().to_dicts(order_by="sync_id, problem_number")
    print_table(
        ("run", "when", "source", "animals", "added", "changed", "gone", "skipped", "seconds", "error"),
        (
            (
                row["sync_id"],
                f"{row['sync_started']:%Y-%m-%d %H:%M:%S}",
                row["sync_source"],
                row["num_animals"],
                row["num_added"],
                row["num_changed"],
                row["num_gone"],
                row["num_rows_skipped"],
                "runs" if row["sync_duration_s"] is None else f"{row['sync_duration_s']:.1f}",
                row["sync_error"],
            )
            for row in rows
        ),
    )
    if problems:
        click.echo("\nRows that were skipped")
        print_table(
            ("run", "row", "animal", "because", "found", "allowed"),
            (
                (
                    row["sync_id"],
                    row["problem_row"],
                    row["problem_animal"],
                    row["problem_what"],
                    row["problem_found"],
                    row["problem_allowed"],
                )
                for row in problems
            ),
        )
