"""Update the animals from a source, and print what is new, changed and gone."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import click
from rich.console import Console

from imaging_pipeline.cli.printing import print_lines, print_table
from imaging_pipeline.cli.steps import steps
from imaging_pipeline.colony.animal import Animal
from imaging_pipeline.colony.comparison import GONE, AnimalChanges, FieldChange
from imaging_pipeline.colony.sources.columns import GENOTYPE
from imaging_pipeline.colony.sources.contract import Source
from imaging_pipeline.colony.sync import Outcome, sync
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import counted

# Shown of each kind, since a first comparison adds a whole colony.
_MAX_ANIMALS = 20
_MAX_CHANGES = 200
_T = TypeVar("_T")
# The name is printed before the details already; notes may fill a page.
_NO_DETAIL = ("animal_name", "animal_notes")


@dataclass
class _FirstChanges:
    """The first changes of each kind, of perhaps a whole colony."""

    added: list[Animal] = field(default_factory=list)
    changed: list[FieldChange] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    num_changes: int = 0

    def add(self, changes: AnimalChanges) -> None:
        """Add a batch of changes."""
        # That an animal is gone, or there again, is a change of a field too, but printed in lines of its own.
        values = [change for change in changes.changed if change.field != GONE]
        marks = [change for change in changes.changed if change.field == GONE]
        self.num_changes += len(values)
        _extend(self.added, changes.added, _MAX_ANIMALS)
        _extend(self.changed, values, _MAX_CHANGES)
        _extend(self.gone, [mark.key.animal_id for mark in marks if mark.after], _MAX_ANIMALS)
        _extend(self.returned, [mark.key.animal_id for mark in marks if mark.before], _MAX_ANIMALS)


def _extend(first: list[_T], more: Sequence[_T], max_length: int) -> None:
    first.extend(more[: max_length - len(first)])


def sync_and_print(
    tables: Tables, source: Source, *, is_whole: bool, dry_run: bool, force: bool = False
) -> None:
    """Update the animals from a source, print what changed, and end with 1 if rows were skipped."""
    first = _FirstChanges()
    with steps(Console(stderr=True)):
        outcome = sync(tables, source, is_whole=is_whole, dry_run=dry_run, force=force, on_changes=first.add)
    _print_added(first.added, outcome.counts.num_added)
    _print_changed(first)
    _print_ids("Gone from the colony system", first.gone, outcome.counts.num_gone)
    _print_ids("There again", first.returned, outcome.counts.num_returned)
    _print_summary(outcome, dry_run=dry_run, is_whole=is_whole)
    if outcome.problems:
        _print_problems(outcome)
        sys.exit(1)


def _print_added(added: Sequence[Animal], number: int) -> None:
    if not added:
        return
    click.echo("New")
    for animal in added:
        name = animal.values.get("animal_name") or animal.key.animal_id
        details = ", ".join(_details(animal))
        print_lines([f"  {name} ({animal.key.animal_id})" + (f": {details}" if details else "")])
    _print_rest(len(added), number)


def _details(animal: Animal) -> Iterable[str]:
    for column, value in animal.values.items():
        if value is not None and column not in _NO_DETAIL:
            yield f"{column.removeprefix(GENOTYPE).removeprefix('animal_')} {value}"


def _print_changed(first: _FirstChanges) -> None:
    if first.changed:
        print_table(
            ("animal", "field", "was", "is"),
            ((change.key.animal_id, change.field, change.before, change.after) for change in first.changed),
        )
        _print_rest(len(first.changed), first.num_changes)


def _print_ids(label: str, ids: Sequence[str], number: int) -> None:
    if ids:
        print_lines([f"{label}: {', '.join(ids)}"])
        _print_rest(len(ids), number)


def _print_rest(num_shown: int, number: int) -> None:
    if number > num_shown:
        click.echo(f"  and {number - num_shown:,} more")


def _print_summary(outcome: Outcome, *, dry_run: bool, is_whole: bool) -> None:
    counts = outcome.counts
    parts = [f"Added: {counts.num_added}", f"changed: {counts.num_changed}"]
    if is_whole:
        parts += [f"gone: {counts.num_gone}", f"there again: {counts.num_returned}"]
    parts.append(f"rows skipped: {counts.num_rows_skipped}")
    click.echo(f"{', '.join(parts)}; of {counted(counts.num_animals, 'animal')}.")
    if outcome.none_is_gone:
        click.echo("Nobody is marked as gone, since a row without an identifier may be anybody's.")
    if outcome.requests:
        requests = counted(len(outcome.requests), "request")
        numbers = ", ".join(map(str, outcome.requests))
        click.echo(f"{requests} that waited for an animal can be carried out now: {numbers}.")
    if dry_run:
        click.echo("Nothing was written.")


def _print_problems(outcome: Outcome) -> None:
    print_table(
        ("row", "animal", "skipped because", "found", "allowed"),
        (
            (problem.row, problem.animal_id, problem.what, problem.found, problem.allowed)
            for problem in outcome.problems
        ),
        to_stderr=True,
    )
