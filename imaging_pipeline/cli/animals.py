"""``imaging-pipeline animals``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_table
from imaging_pipeline.colony.animal import COLUMNS, GENOTYPE
from imaging_pipeline.colony.animal_csv import read_animals
from imaging_pipeline.colony.apply import apply


@click.group()
def animals() -> None:
    """Import and list animals."""


@animals.command(
    name="import",
    short_help="Add and update the animals of a CSV file.",
    help=f"""Add the animals in FILE, a CSV, and update those that differ; never removes any.

    Its columns are some of {", ".join(COLUMNS)} and {GENOTYPE}<gene>. An empty cell leaves what is there.
    Rows that cannot be taken are listed and skipped, and the command ends with 1.""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_animals(file: Path) -> None:
    """Add the animals in a file, and update those that differ."""
    read = read_animals(file)
    with connected() as tables:
        changes = apply(tables, read.animals)
    if changes.changed:
        print_table(
            ("animal", "column", "was", "is"),
            (
                (change.key.animal_id, change.column, change.before, change.after)
                for change in changes.changed
            ),
        )
    click.echo(
        f"Added: {len(changes.added)}, changed: {changes.num_changed}, as they were:"
        f" {changes.num_unchanged}, rows skipped: {read.num_skipped}."
    )
    if read.problems:
        print_table(
            ("row", "skipped because", "found", "allowed"),
            ((each.row, each.what, each.found, each.allowed) for each in read.problems),
            to_stderr=True,
        )
        sys.exit(1)


@animals.command(name="list")
def list_animals() -> None:
    """List all animals."""
    with connected() as tables:
        animal = tables.mlims.Animal
        rows = animal().to_dicts(order_by="animal_name, animal_id, datasource_id")
        died = {
            (row["animal_id"], row["datasource_id"]): row["death_date"] for row in animal.Death().to_dicts()
        }
    print_table(
        ("name", "animal_id", "datasource_id", "species", "sex", "born", "died", "notes"),
        (
            (
                row["animal_name"],
                row["animal_id"],
                row["datasource_id"],
                row["animal_species"],
                row["animal_sex"],
                row["animal_dob"],
                died.get((row["animal_id"], row["datasource_id"])),
                row["animal_notes"],
            )
            for row in rows
        ),
    )
