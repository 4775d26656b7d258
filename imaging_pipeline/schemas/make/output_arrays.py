"""The whole content of the large arrays of an output, by which a later registration compares them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from imaging_pipeline import progress
from imaging_pipeline.ingest.fingerprint import content_hash, is_sampled
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class OutputArray:
    """A registered file of an output of which the fingerprint samples some blocks.

    Attributes
    ----------
    file_order
        Its place in the dataset.
    path, size_bytes, modified
        Where it is on this machine, and what it was when it was registered; the time is UTC.
    """

    file_order: int
    path: str
    size_bytes: int
    modified: datetime


def output_arrays(tables: Tables, key: Row) -> tuple[OutputArray, ...]:
    """Return the large arrays of the output of a job; those of an output that sessions share for one of them.

    Raises
    ------
    NotMountedError, PathError
        The repository is not mounted on this machine, or the path leaves it.
    """
    dataset = {"dataset_name": key["dataset_name"]}
    sharing = (tables.imaging.Session.Data & dataset).to_arrays("session_name")
    # Which of them is the same whenever it is asked: a job fetches twice, and compares.
    if key["session_name"] != min(sharing):
        return ()
    rows = (tables.imaging.PhysicalFile & dataset).to_dicts(order_by="file_order")
    return tuple(
        OutputArray(
            row["file_order"],
            str(tables.local_path(row["repository_name"], row["file_path"])),
            row["size_bytes"],
            row["modified"],
        )
        for row in rows
        if is_sampled(row["size_bytes"])
    )


def content_hashes(arrays: Sequence[OutputArray]) -> tuple[tuple[OutputArray, str], ...]:
    """Return the hash of each array as it is now.

    To be called before the arrays are imported: where one is written in between, its content is none of that
    hash, and the next registration lets it be imported again.

    Raises
    ------
    OSError
        An array cannot be read.
    """
    # The import says more of a file that is not there.
    present = [array for array in arrays if Path(array.path).exists()]
    hashes = []
    for number, array in enumerate(present):
        progress.report("reading arrays", number, len(present))
        hashes.append((array, content_hash(Path(array.path))))
    return tuple(hashes)


def note_hashes(tables: Tables, dataset_name: str, hashes: Sequence[tuple[OutputArray, str]]) -> None:
    """Note the hashes with their files, unless these were registered anew; in the open transaction."""
    for array, found in hashes:
        tables.connection.query(
            f"UPDATE {tables.full_name(tables.imaging.PhysicalFile)} SET content_hash = %s"
            " WHERE dataset_name = %s AND file_order = %s AND size_bytes = %s AND modified = %s",
            args=(found, dataset_name, array.file_order, array.size_bytes, array.modified),
        )
