"""Updating the tables of animals from a source: on request, and by workers when it is due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from imaging_pipeline import progress
from imaging_pipeline.colony.animal import Animal, AnimalKey
from imaging_pipeline.colony.animal_tables import Writer, stored_animals, stored_rows
from imaging_pipeline.colony.comparison import AnimalChanges, compare, gone
from imaging_pipeline.colony.reading import Problems, read
from imaging_pipeline.colony.runs import AlreadyRunningError, Counts, Run
from imaging_pipeline.colony.sources.contract import Source
from imaging_pipeline.colony.sources.record import RowProblem
from imaging_pipeline.colony.sources.registry import configured_source
from imaging_pipeline.colony.staging import Staging
from imaging_pipeline.errors import ColonyError, NothingFoundError, Responsible
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.locks import in_transaction
from imaging_pipeline.schemas.register import pending_animals
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import counted

_ANIMALS_PER_BATCH = 2000

Listener = Callable[[AnimalChanges], None]
"""Receives each batch of changes; animals that are gone come last."""


@dataclass(frozen=True)
class Outcome:
    """The result of a comparison.

    Attributes
    ----------
    source
        Name of the source.
    counts
        How many animals are new, changed, gone and returned, and rows skipped.
    problems
        Why rows were skipped; the first thousand.
    none_is_gone
        Whether no animal was marked as gone, since a row without identifier may be any animal's.
    requests
        Requests for folders that waited for an animal and can be carried out now.
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
    on_changes: Listener = lambda changes: None,
) -> Outcome:
    """Read all of a source, then update the tables, one transaction for each batch of animals.

    Parameters
    ----------
    tables
        The database.
    source
        The source.
    is_whole
        Whether an animal that is not in the source is gone.
    dry_run
        Whether nothing is written.
    force
        Whether the source may have fewer than half as many animals as the tables.
    on_changes
        Receives the changes.

    Raises
    ------
    ColonyError, NothingFoundError, StillCopyingError, FormatError, InputError, StoreError
        Another run is under way, the source does not answer, breaks off, has nearly no animals or is not
        as its settings say, or the disk for temporary files is full. Nothing was changed.
    """
    counts = Counts()
    run = None if dry_run else Run(tables, source, is_whole=is_whole)
    try:
        with Staging() as staging:
            comparison = _Sync(tables, source, staging, run, counts, on_changes)
            return comparison.carry_out(is_whole=is_whole, force=force)
    # Also Ctrl-C: a row that stays open would hold up other runs for five minutes.
    except BaseException as error:
        if run is not None:
            run.fail(counts, error)
        raise


def compare_when_due(tables: Tables) -> str:
    """Compare with the source in the configuration if that is due, and return a line about the result.

    However many workers call it, one compares: a comparison that began less than ``custom.mlims.every_min``
    minutes ago, anywhere, is not repeated, and while one is under way no other begins. The line is empty
    where nothing was compared.

    Raises
    ------
    PipelineError
        The comparison failed, as in `sync`; the row of the run has the error, too.
    """
    source = configured_source(tables.config)
    if source is None or due_in_s(tables) > 0:
        return ""
    try:
        outcome = sync(tables, source)
    except AlreadyRunningError:
        return ""
    counts = outcome.counts
    return (
        f"Compared {counted(counts.num_animals, 'animal')} with {outcome.source}: {counts.num_added} added,"
        f" {counts.num_changed} changed, {counts.num_gone} gone, {counts.num_rows_skipped} rows skipped"
    )


def due_in_s(tables: Tables) -> float:
    """Return in how many seconds the next comparison is due, by the server's clock; 0 if it is due now."""
    # PostgreSQL's CURRENT_TIMESTAMP has a zone, and the column has none.
    age_s = {
        "postgresql": "EXTRACT(EPOCH FROM CURRENT_TIMESTAMP(6)::timestamp - MAX(sync_started))",
        "mysql": "TIMESTAMPDIFF(MICROSECOND, MAX(sync_started), CURRENT_TIMESTAMP(6)) / 1000000",
    }[tables.connection.adapter.backend]
    query = f"SELECT {age_s} FROM {tables.mlims.Sync.full_table_name} WHERE sync_is_whole"
    ((seconds,),) = plain_rows.fetch(tables.connection, query)
    return 0.0 if seconds is None else max(60.0 * tables.config.mlims_every_min - float(seconds), 0.0)


@dataclass
class _Sync:
    tables: Tables
    source: Source
    staging: Staging
    run: Run | None
    counts: Counts
    on_changes: Listener
    _writer: Writer = field(init=False)
    _datasource_id: int = field(init=False)

    def __post_init__(self) -> None:
        self._writer = Writer(self.tables)
        self._datasource_id = self.source.datasource_id or 0

    def carry_out(self, *, is_whole: bool, force: bool) -> Outcome:
        problems = read(self.source, self.staging, self._renew_if_due)
        if is_whole:
            self._stage_stored()
        self.counts.num_animals = self.staging.num_animals()
        self.counts.num_rows_skipped = problems.num_rows
        self._refuse_too_few(is_whole=is_whole, force=force)
        done = 0
        for animals in self.staging.differing(_ANIMALS_PER_BATCH):
            self._update(animals)
            done += len(animals)
            progress.report("update animals", done)
        # A row without identifier may be that of an animal that seems to be missing.
        none_is_gone = is_whole and problems.has_unnamed
        if is_whole and not none_is_gone:
            self._mark_gone()
        requests = self._end(problems)
        return Outcome(self.source.name, self.counts, tuple(problems.recorded), none_is_gone, requests)

    def _renew_if_due(self) -> None:
        if self.run is not None:
            self.run.renew_if_due()

    def _stage_stored(self) -> None:
        """Put the stored animals beside those of the source, so that only differing ones are read again."""
        done = 0
        for rows in stored_rows(self.tables, self._datasource_id):
            self.staging.add_stored(rows)
            done += len(rows)
            progress.report("read stored animals", done)
            self._renew_if_due()

    def _refuse_too_few(self, *, is_whole: bool, force: bool) -> None:
        """Raise if the source has so few animals that something must be wrong with it."""
        number = self.counts.num_animals
        if not number and not self.counts.num_rows_skipped and not (is_whole and force):
            raise NothingFoundError(
                f"The source holds no animals ({self.source.name})",
                remedy="see whether it is the right one, and whole.",
                responsible=Responsible.ADMINISTRATOR,
            )
        before = 0 if force else self.staging.num_present()
        # An export that broke off looks like a smaller colony; `force` is for one that lost so many.
        if 2 * number < before:
            raise ColonyError(
                f"The source has lost more than half of its animals ({self.source.name})",
                found=counted(number, "animal"),
                allowed=f"at least {(before + 1) // 2:,}: {before:,} are here",
                remedy="see whether the source is whole. If it is: imaging-pipeline mlims sync --force",
            )

    def _update(self, animals: list[Animal]) -> None:
        keys = [animal.key for animal in animals]
        if self.run is None:
            changes = compare(animals, stored_animals(self.tables, keys))
        else:
            with in_transaction(self.tables.connection):
                self.run.renew()
                # Once more, in the transaction: what was staged may be out of date.
                stored = stored_animals(self.tables, keys)
                changes = compare(animals, stored)
                self._writer.write(changes, stored)
                self.run.record(changes.changed)
        self._count(changes)

    def _count(self, changes: AnimalChanges) -> None:
        self.counts.num_added += len(changes.added)
        self.counts.num_changed += changes.num_changed
        self.counts.num_returned += changes.num_returned
        self.on_changes(changes)

    def _mark_gone(self) -> None:
        for ids in self.staging.missing(_ANIMALS_PER_BATCH):
            keys = [AnimalKey(animal_id, self._datasource_id) for animal_id in ids]
            changed = tuple(gone(key) for key in keys)
            if self.run is not None:
                with in_transaction(self.tables.connection):
                    self.run.renew()
                    self._writer.mark_gone(keys)
                    self.run.record(changed)
            self.counts.num_gone += len(keys)
            self.on_changes(AnimalChanges((), changed))

    def _end(self, problems: Problems) -> tuple[int, ...]:
        if self.run is None:
            return ()
        with in_transaction(self.tables.connection):
            # Not before all animals are there: among half of them a name may seem to be one animal's alone.
            requests = pending_animals.resolve_pending(self.tables)
            self.run.end(self.counts, problems.recorded)
        return requests
