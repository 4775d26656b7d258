"""A repository whose files were moved: they are verified, then the repository gets other roots.

Rows of files hold the repository's name and the path below it, so only its roots change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from imaging_pipeline.errors import InputError, Responsible
from imaging_pipeline.ingest.records import FileRecord
from imaging_pipeline.ingest.verification import Verification, verify
from imaging_pipeline.paths import clean
from imaging_pipeline.schemas.administer.administration import AddedRepository, add_repository
from imaging_pipeline.schemas.checked_rows import exclusive, existing, not_existing
from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class Repointed:
    """The roots that a repository got, and those that were removed."""

    added: AddedRepository
    retired: tuple[str, ...]


def verify_repository(tables: Tables, name: str, folder: Path) -> Verification:
    """Look for every registered file of a repository below a folder of this machine; writes nothing.

    Raises
    ------
    InputError
        There is no such repository.
    """
    key = {"repository_name": existing(tables.imaging.Repository, "repository_name", name)}
    columns = ("repository_name", "file_path", "size_bytes", "modified", "fingerprint", "file_part")
    files = (tables.imaging.PhysicalFile & key).proj(*columns, "content_hash")
    rows = files.to_dicts(order_by="file_path, file_part")
    records = (
        replace(FileRecord(*(row[column] for column in columns)), content_hash=row["content_hash"] or "")
        for row in rows
    )
    return verify(folder, records)


def repoint(tables: Tables, name: str, roots: Sequence[str], retired: Sequence[str]) -> Repointed:
    """Replace roots of a repository; nothing else changes.

    Parameters
    ----------
    tables
        The database.
    name
        The repository.
    roots
        The new roots, as people type them.
    retired
        Roots to remove.

    Raises
    ------
    InputError
        There is no such repository or root, or the repository would have none.
    PathError
        A root is not a whole path.
    """
    existing(tables.imaging.Repository, "repository_name", name)
    with exclusive(tables):
        added = add_repository(tables, name, roots)
        own = [root.root for root in tables.roots() if root.repository_name == name]
        removed = [clean(root) for root in retired]
        for root in removed:
            if root not in own:
                raise not_existing("root", root, own)
        if set(removed) == set(own):
            raise InputError(
                f"The repository {name} would have no root",
                found=f"{', '.join(own)} retired" if own else "none that it has",
                remedy="name a new root with --root, so that people can type its folders.",
                responsible=Responsible.ADMINISTRATOR,
            )
        _remove(tables, name, removed)
    return Repointed(added, tuple(removed))


def _remove(tables: Tables, name: str, roots: Sequence[str]) -> None:
    for root in roots:
        (tables.imaging.Repository.Root & {"repository_name": name, "root": root}).delete_quick()
