"""``imaging-pipeline options``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_added, print_rows
from imaging_pipeline.schemas.administer import administration
from imaging_pipeline.suite2p_runner.known_options import flat
from imaging_pipeline.suite2p_runner.options import load_options


@click.group()
def options() -> None:
    """Add and list Suite2p option sets."""


@options.command()
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def add(name: str, file: Path) -> None:
    """Add the options in FILE, as Suite2p's window saves them (.npy) or as JSON, as the set NAME."""
    settings = load_options(file)
    with connected() as tables:
        added = administration.add_options(tables, name, settings)
    print_added(f"the option set {added.name}", is_new=added.is_new)
    if added.alike:
        click.echo(f"The same content has {', '.join(added.alike)}.")
    if added.not_carried:
        click.echo("Of this set has no effect:")
        for reason, keys in _by_reason(added.not_carried).items():
            click.echo(f"  {', '.join(keys)}: {reason}")


@options.command(name="list")
def list_options() -> None:
    """List all option sets."""
    with connected() as tables:
        rows = tables.imaging.Suite2pyOps().to_dicts(order_by="ops_name")
    print_rows(
        rows,
        {
            "name": "ops_name",
            "settings": lambda row: len(list(flat(row["ops_settings"]))),
            "without effect": lambda row: len(row["ops_not_carried"]),
            "content": "ops_hash",
            "added": lambda row: f"{row['suite2pyops_entry_time']:%Y-%m-%d %H:%M}",
        },
    )


def _by_reason(not_carried: Mapping[str, str]) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = defaultdict(list)
    for key, reason in not_carried.items():
        keys[reason].append(key)
    return keys
