"""``imaging-pipeline setup``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_added, print_rows
from imaging_pipeline.errors import FormatError, Responsible
from imaging_pipeline.schemas.administer import administration
from imaging_pipeline.schemas.administer.setup_parts import PARTS, read_parts


@click.group()
def setup() -> None:
    """Add and list setups and their calibrations."""


@setup.command()
@click.argument("name")
@click.option(
    "--date",
    "first_day",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="First day of this calibration.",
)
@click.option("--experiment-type", required=True, help="Which files mean what, such as 2Pminiscope_A.")
@click.option("--note")
@click.option(
    "--parts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"A JSON file with some of {', '.join(PARTS)}: each a group of its columns, Sync a list of such.",
)
def add(name: str, first_day: datetime, experiment_type: str, note: str | None, parts: Path | None) -> None:
    """Add a calibration of the setup NAME, or parts that it lacks."""
    # Read before the database is asked: a mistake in the file is told also where no server answers.
    columns = None if parts is None else _read_parts(parts)
    with connected() as tables:
        added = administration.add_setup(
            tables, name, first_day.date(), experiment_type, note=note, parts=columns
        )
    print_added(f"the setup {added.name} of {added.setup_date}", is_new=added.is_new)
    for part in added.new_parts:
        print_added(f"the part {part}", is_new=True)
    for part in added.known_parts:
        print_added(f"the part {part}", is_new=False)


@setup.command(name="list")
def list_setups() -> None:
    """List all calibrations of all setups."""
    with connected() as tables:
        table = tables.imaging.Setup
        rows = table().to_dicts(order_by=table.primary_key)
        for row in rows:
            key = {name: row[name] for name in table.primary_key}
            row["parts"] = ", ".join(part for part in PARTS if getattr(table, part) & key)
    print_rows(
        rows,
        {
            "name": "setup_name",
            "from": "setup_date",
            "experiment type": "experiment_type",
            "parts": "parts",
            "note": "setup_note",
        },
    )


def _read_parts(path: Path) -> Mapping[str, Any]:
    try:
        return read_parts(path.read_bytes())
    except FormatError as error:
        raise error.of(path, Responsible.ADMINISTRATOR) from error
