"""Bringing the animal tables up to what a source says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from imaging_pipeline import progress
from imaging_pipeline.colony.animal import Animal, AnimalKey
from imaging_pipeline.colony.animal_tables import Writer
from imaging_pipeline.colony.comparison import Changes, compare, went
from imaging_pipeline.colony.reading import Problems, read
from imaging_pipeline.colony.runs import Counts, Run
from imaging_pipeline.colony.sources.contract import Source
from imaging_pipeline.colony.sources.record import RowProblem
from imaging_pipeline.colony.staging import Spool
from imaging_pipeline.colony.stored import accounts, stored_animals
from imaging_pipeline.errors import ColonyError, NothingFoundError, Responsible
from imaging_pipeline.schemas.locks import in_transaction
from imaging_pipeline.schemas.register import pending_animals
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import counted

_ANIMALS_A_BATCH = 2000

Listener = Callable[[Changes], None]
"""Hears of each batch of changes; that of the animals that are gone comes last."""


@dataclass(frozen=True)
class Outcome:
    """What came of a comparison.

    Attributes
    ----------
    source
        What was read.
    counts
        How many animals are new, changed, gone and returned, and rows skipped.
    problems
        Why rows were skipped; the first thousand.
    none_is_gone
        Whether nobody was marked as gone, since a row without an identifier could be anybody's.
    requests
        Requests for folders that waited for an animal and are carried out now.
    """

    source: str
    counts: Counts
    problems: tuple[RowProblem, ...]
    none_is_gone: bool
    requests: tuple[int, ...]


def sync(
    tables: Tables,
    source: Source,
    *,
    is_whole: bool = True,
    dry_run: bool = False,
    force: bool = False,
    tell: Listener = lambda changes: None,
) -> Outcome:
    """Read all of a source, then bring the tables up to it, one transaction a batch of animals.

    Parameters
    ----------
    tables
        The database.
    source
        What is read.
    is_whole
        Whether an animal that it lacks is gone.
    dry_run
        Whether nothing is written.
    force
        Whether it may tell of fewer than half as many animals as there are.
    tell
        Hears of the changes.

    Raises
    ------
    ColonyError, NothingFoundError, StillCopyingError, FormatError, InputError, StoreError
        Another run goes on, or the source is away, breaks off, tells of nearly nothing, or is not as it
        should be, or what it tells has no room here. Nothing was changed.
    """
    counts = Counts()
    run = None if dry_run else Run(tables, source, is_whole=is_whole)
    try:
        with Spool() as spool:
            return _Sync(tables, source, spool, run, counts, tell).carry_out(is_whole=is_whole, force=force)
    except BaseException as error:
        if run is not None:
            run.fail(counts, error)
        raise


@dataclass
class _Sync:
    """One comparison, from reading to its end."""

    tables: Tables
    source: Source
    spool: Spool
    run: Run | None
    counts: Counts
    tell: Listener
    _writer: Writer = field(init=False)
    _datasource_id: int = field(init=False)

    def __post_init__(self) -> None:
        self._writer = Writer(self.tables)
        self._datasource_id = self.source.datasource_id or 0

    def carry_out(self, *, is_whole: bool, force: bool) -> Outcome:
        problems = read(self.source, self.spool, self._alive)
        if is_whole:
            self._look_at_tables()
        self.counts.num_animals = self.spool.num_animals()
        self.counts.num_rows_skipped = problems.num_rows
        self._refuse_too_few(is_whole=is_whole, force=force)
        done = 0
        for animals in self.spool.batches(_ANIMALS_A_BATCH):
            self._bring_up(animals)
            done += len(animals)
            progress.report("bring up animals", done)
        none_is_gone = is_whole and problems.has_unnamed
        if is_whole and not none_is_gone:
            self._mark_gone()
        requests = self._end(problems)
        return Outcome(self.source.name, self.counts, tuple(problems.told), none_is_gone, requests)

    def _alive(self) -> None:
        if self.run is not None:
            self.run.alive()

    def _look_at_tables(self) -> None:
        """Have the spool know the animals that are here, so that it leaves out those that are as told."""
        done = 0
        for some in accounts(self.tables, self._datasource_id):
            self.spool.keep_stored(some)
            done += len(some)
            progress.report("look at animals here", done)
            self._alive()

    def _refuse_too_few(self, *, is_whole: bool, force: bool) -> None:
        """Raise where the source tells of so few animals that something must be wrong with it."""
        found = self.counts.num_animals
        if not found and not self.counts.num_rows_skipped and not (is_whole and force):
            raise NothingFoundError(
                f"The source holds no animals ({self.source.name})",
                remedy="see whether it is the right one, and whole.",
                responsible=Responsible.ADMINISTRATOR,
            )
        before = 0 if force else self.spool.num_present()
        if 2 * found < before:
            raise ColonyError(
                f"The source has lost more than half of its animals ({self.source.name})",
                found=counted(found, "animal"),
                allowed=f"at least {(before + 1) // 2:,}: {before:,} are here",
                remedy="see whether the source is whole. If it is: imaging-pipeline mlims sync --force",
            )

    def _bring_up(self, animals: list[Animal]) -> None:
        keys = [animal.key for animal in animals]
        if self.run is None:
            changes = compare(animals, stored_animals(self.tables, keys))
        else:
            with in_transaction(self.tables.connection):
                self.run.claim()
                stored = stored_animals(self.tables, keys)
                changes = compare(animals, stored)
                self._writer.write(changes, stored)
                self.run.log(changes.changed)
        self._count(changes)

    def _count(self, changes: Changes) -> None:
        self.counts.num_added += len(changes.added)
        self.counts.num_changed += changes.num_changed
        self.counts.num_returned += changes.num_returned
        self.tell(changes)

    def _mark_gone(self) -> None:
        for ids in self.spool.missing(_ANIMALS_A_BATCH):
            keys = [AnimalKey(animal_id, self._datasource_id) for animal_id in ids]
            changed = tuple(went(key) for key in keys)
            if self.run is not None:
                with in_transaction(self.tables.connection):
                    self.run.claim()
                    self._writer.mark_gone(keys)
                    self.run.log(changed)
            self.counts.num_gone += len(keys)
            self.tell(Changes((), changed))

    def _end(self, problems: Problems) -> tuple[int, ...]:
        if self.run is None:
            return ()
        with in_transaction(self.tables.connection):
            # Only now: with half of the animals a name may seem to be one animal's alone.
            requests = pending_animals.take_up(self.tables)
            self.run.end(self.counts, problems.told)
        return requests
