"""Deleting what is wrong or damaged, so that workers import it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from imaging_pipeline.ingest.folder_changes import Purge
from imaging_pipeline.schemas.administer.change_log import record_change
from imaging_pipeline.schemas.locks import in_transaction
from imaging_pipeline.schemas.register import purge
from imaging_pipeline.schemas.register.affected_jobs import drop_failed
from imaging_pipeline.schemas.register.consent import Consent, check_consent, consent_to
from imaging_pipeline.schemas.register.purge import Purged
from imaging_pipeline.schemas.register.retire import lock_as_registering
from imaging_pipeline.schemas.table_changes import count_change
from imaging_pipeline.schemas.table_names import readable_name
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.upgrade.correction import Key

# MetaSessions whose rows are deleted in one transaction: statements name each of them.
_AT_ONCE = 50


class Imported(Protocol):
    """Rows of ``Session.Data`` of which what was imported is deleted for one cause."""

    @property
    def keys(self) -> tuple[Key, ...]:
        """The rows, sorted."""

    def purge(self, key: Key) -> Purge:
        """Return what is deleted of one of them."""


def counted(tables: Tables, wrong: Iterable[Imported]) -> tuple[Purged, ...]:
    """Return the rows that `delete_wrong` would delete, by cause and table."""
    return _sum(each for purges in _portions(wrong) for each in purge.find(tables, purges).counted)


def consent_to_all(purged: Iterable[Purged]) -> Consent:
    """Return the consent of a person who was shown these rows, whatever their causes."""
    return consent_to(_by_table(purged))


def delete_wrong(
    tables: Tables, wrong: Sequence[Imported], *, consent: Consent | None, username: str
) -> tuple[Purged, ...]:
    """Delete what was imported of wrong rows, in several transactions, and let workers look for new jobs.

    What is deleted is recorded in ``Change``. Where it is interrupted, the next upgrade finds the rest.

    Parameters
    ----------
    tables
        The database.
    wrong
        What is wrong, as it was found a moment ago.
    consent
        The rows to which a person agreed; None agrees to all.
    username
        Who agreed.

    Returns
    -------
    tuple of Purged
        By cause and table.

    Raises
    ------
    InputError
        More would be deleted than was agreed to.
    DatabaseError
        Rows lie in a private schema where this account may not delete.
    """
    if consent is not None:
        check_consent(consent, _by_table(counted(tables, wrong)))
    return _sum(each for purges in _portions(wrong) for each in _delete(tables, purges, username))


def _delete(tables: Tables, purges: Sequence[Purge], username: str) -> tuple[Purged, ...]:
    """Delete one portion, which has one cause."""
    names = sorted({each.metasession_name for each in purges})
    with in_transaction(tables.connection):
        of_names = tables.imaging.MetaSession & [{"metasession_name": name} for name in names]
        lock_as_registering(tables, of_names.to_dicts())
        to_delete = purge.find(tables, purges)
        deleted = to_delete.delete_rows()
        # A job that failed on what is deleted would block the one that follows.
        drop_failed(tables, to_delete.reached)
        rows = {readable_name(each.table): each.num_rows for each in deleted}
        record_change(tables, username, "deleted, to be imported again", purges[0].reason, rows)
        count_change(tables.imaging.TableChange, tables.imaging.MetaSession)
    return deleted


def _portions(wrong: Iterable[Imported]) -> Iterator[list[Purge]]:
    """Yield what is deleted of a cause, some MetaSessions at a time; what has two causes, for the first."""
    seen: set[Key] = set()
    for each in wrong:
        by_name: dict[str, list[Purge]] = {}
        for key in each.keys:
            if key not in seen:
                by_name.setdefault(key[0], []).append(each.purge(key))
        seen.update(each.keys)
        names = sorted(by_name)
        for start in range(0, len(names), _AT_ONCE):
            yield [seed for name in names[start : start + _AT_ONCE] for seed in by_name[name]]


def _sum(purged: Iterable[Purged]) -> tuple[Purged, ...]:
    """Return one entry a cause and table."""
    numbers: Counter[tuple[str, str]] = Counter()
    for each in purged:
        numbers[each.table, each.reason] += each.num_rows
    return tuple(Purged(name, number, reason) for (name, reason), number in numbers.items())


def _by_table(purged: Iterable[Purged]) -> list[Purged]:
    numbers: Counter[str] = Counter()
    for each in purged:
        numbers[each.table] += each.num_rows
    return [Purged(name, number, "") for name, number in numbers.items()]
