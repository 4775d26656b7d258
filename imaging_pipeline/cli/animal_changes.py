"""How commands tell of animals that are new, changed and gone."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import click
from rich.console import Console

from imaging_pipeline.cli.printing import print_table, text_width
from imaging_pipeline.cli.steps import steps
from imaging_pipeline.colony.animal import GENOTYPE, Animal
from imaging_pipeline.colony.comparison import GONE, Changes, FieldChange
from imaging_pipeline.colony.sources.contract import Source
from imaging_pipeline.colony.sync import Outcome, sync
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import counted, wrapped

_NUM_SHOWN = 20
_NUM_CHANGES_SHOWN = 200
_NO_DETAIL = ("animal_name", "animal_notes")


@dataclass
class _Shown:
    """What is told of all changes: the first of each kind."""

    added: list[Animal] = field(default_factory=list)
    changed: list[FieldChange] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    num_changes: int = 0

    def hear(self, changes: Changes) -> None:
        """Take note of a batch."""
        values = [change for change in changes.changed if change.field != GONE]
        went = [change.key.animal_id for change in changes.changed if change.field == GONE and change.after]
        back = [change.key.animal_id for change in changes.changed if change.field == GONE and change.before]
        self.num_changes += len(values)
        for kept, new, most in (
            (self.added, changes.added, _NUM_SHOWN),
            (self.changed, values, _NUM_CHANGES_SHOWN),
            (self.gone, went, _NUM_SHOWN),
            (self.returned, back, _NUM_SHOWN),
        ):
            kept.extend(new[: most - len(kept)])  # type: ignore[arg-type]


def run_and_tell(
    tables: Tables, source: Source, *, is_whole: bool, dry_run: bool, force: bool = False
) -> None:
    """Bring the animals up to a source, say what changed, and end with 1 where rows were skipped."""
    shown = _Shown()
    with steps(Console(stderr=True)):
        outcome = sync(tables, source, is_whole=is_whole, dry_run=dry_run, force=force, tell=shown.hear)
    _tell_added(shown.added, outcome.counts.num_added)
    _tell_changed(shown)
    _tell_ids("Gone from the colony system", shown.gone, outcome.counts.num_gone)
    _tell_ids("There again", shown.returned, outcome.counts.num_returned)
    _tell_end(outcome, dry_run=dry_run, is_whole=is_whole)
    if outcome.problems:
        _tell_problems(outcome)
        sys.exit(1)


def _tell_added(added: Sequence[Animal], number: int) -> None:
    if not added:
        return
    click.echo("New")
    for animal in added:
        name = animal.values.get("animal_name") or animal.key.animal_id
        details = ", ".join(_details(animal))
        click.echo(
            wrapped(f"  {name} ({animal.key.animal_id})" + (f": {details}" if details else ""), text_width())
        )
    _tell_rest(len(added), number)


def _details(animal: Animal) -> Iterable[str]:
    for column, value in animal.values.items():
        if value is not None and column not in _NO_DETAIL:
            yield f"{column.removeprefix(GENOTYPE).removeprefix('animal_')} {value}"


def _tell_changed(shown: _Shown) -> None:
    if shown.changed:
        print_table(
            ("animal", "field", "was", "is"),
            ((each.key.animal_id, each.field, each.before, each.after) for each in shown.changed),
        )
        _tell_rest(len(shown.changed), shown.num_changes)


def _tell_ids(what: str, ids: Sequence[str], number: int) -> None:
    if ids:
        click.echo(wrapped(f"{what}: {', '.join(ids)}", text_width()))
        _tell_rest(len(ids), number)


def _tell_rest(num_shown: int, number: int) -> None:
    if number > num_shown:
        click.echo(f"  and {number - num_shown:,} more")


def _tell_end(outcome: Outcome, *, dry_run: bool, is_whole: bool) -> None:
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


def _tell_problems(outcome: Outcome) -> None:
    print_table(
        ("row", "animal", "skipped because", "found", "allowed"),
        ((each.row, each.animal_id, each.what, each.found, each.allowed) for each in outcome.problems),
        to_stderr=True,
    )
