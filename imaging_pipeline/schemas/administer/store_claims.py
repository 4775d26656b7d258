"""Which database a store belongs to, as declaring the tables and people decide."""

from __future__ import annotations

from imaging_pipeline.errors import StoreError
from imaging_pipeline.schemas.administer import store_owner
from imaging_pipeline.schemas.administer.store_sweep import find_unused
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.store.errors import store_errors


def claim_new_store(tables: Tables) -> str | None:
    """Let the store belong to this database if it is nobody's yet; return why it is not, if it is not.

    It stays nobody's where it holds much that this database does not know of. A store that is a bucket is
    never swept, and one that is not mounted here is taken by the next program that declares the tables on a
    machine that has it.
    """
    try:
        root = store_owner.store_folder()
    except StoreError as error:
        return error.what
    try:
        if not store_owner.is_unclaimed(tables, root):
            store_owner.check_owner(tables, root)
            return None
        find_unused(tables, root)
        with store_errors(0):
            store_owner.claim(tables, root)
    except StoreError as error:
        return str(error)
    return None


def why_refused(tables: Tables) -> str | None:
    """Return why the store is not this database's; None where it is.

    Raises
    ------
    StoreError
        The store is no folder, or is not there.
    """
    root = store_owner.store_folder()
    try:
        store_owner.check_owner(tables, root)
    except StoreError as error:
        return str(error)
    return None


def claim(tables: Tables) -> None:
    """Let the store belong to this database, as a person has decided.

    Raises
    ------
    StoreError
        The store is no folder, is not there, or is read-only.
    """
    root = store_owner.store_folder()
    with store_errors(0):
        store_owner.claim(tables, root)
