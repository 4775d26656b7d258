"""``imaging-pipeline animals``."""

from __future__ import annotations

from pathlib import Path

import click

from imaging_pipeline.cli.animal_sync import sync_and_print
from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_rows
from imaging_pipeline.colony.sources.columns import COLUMNS, GENOTYPE
from imaging_pipeline.colony.sources.csv_file import CsvFile
from imaging_pipeline.colony.sources.json_lines import JsonLines

_KINDS = {".jsonl": JsonLines, ".ndjson": JsonLines}


@click.group()
def animals() -> None:
    """Import and list animals."""


@animals.command(
    name="import",
    short_help="Add and update the animals of a file.",
    help=f"""Add the animals in FILE and update those that differ; never removes any.

    For a lab without a colony system; with one, mlims sync updates all animals from there.
    FILE is a CSV or, named .jsonl, JSON lines. Its columns are animal_id and some of datasource_id,
    {", ".join(COLUMNS)} and {GENOTYPE}<gene>. A column that it does not have stays as it is; an empty cell
    is nothing. Rows that are not valid are listed and skipped, and the command ends with 1.""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be added and changed.")
def import_animals(file: Path, dry_run: bool) -> None:
    """Add the animals in a file, and update those that differ."""
    source = _KINDS.get(file.suffix.lower(), CsvFile)(file)
    with connected() as tables:
        sync_and_print(tables, source, is_whole=False, dry_run=dry_run)


@animals.command(name="list")
def list_animals() -> None:
    """List all animals."""
    with connected() as tables:
        animal = tables.mlims.Animal
        listed = animal()
        # Left joins: most animals have neither died nor gone.
        for part, column in ((animal.Death, "death_date"), (animal.Gone, "missed_since")):
            listed = listed.join(part.proj(column), left=True)
        rows = listed.to_dicts(order_by="animal_name, animal_id, datasource_id")
    print_rows(
        rows,
        {
            "name": "animal_name",
            "animal_id": "animal_id",
            "datasource_id": "datasource_id",
            "species": "animal_species",
            "sex": "animal_sex",
            "born": "animal_dob",
            "died": "death_date",
            "gone": lambda row: row["missed_since"] and row["missed_since"].date(),
            "notes": "animal_notes",
        },
    )
