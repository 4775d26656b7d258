"""Requests that cannot be carried out: what a person is told, and that nothing of them is left."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging_pipeline.errors import Responsible
from imaging_pipeline.schemas import imaging
from tests.makers.lab import Lab, row_counts
from tests.makers.worker import Row, worked

# All that a request that fails may add to: itself, and its job.
_OF_REQUESTS = ("base_folder", "~~make_dataset_sessions")


@dataclass(frozen=True)
class Snapshot:
    """What a request that fails must leave as it is.

    Attributes
    ----------
    rows
        Rows of each table but those of requests and their jobs.
    stored
        Objects in the store.
    share
        Content and time of each file of the lab.
    """

    rows: Mapping[str, int]
    stored: frozenset[Path]
    share: Mapping[Path, tuple[str, int]]


def snapshot(lab: Lab) -> Snapshot:
    store = Path(lab.config.stores["main"]["location"])
    return Snapshot(
        {
            name: count
            for name, count in row_counts(lab).items()
            if not name.rstrip('`"').endswith(_OF_REQUESTS)
        },
        frozenset(path for path in store.rglob("*") if path.is_file()),
        {
            path: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
            for path in lab.share.rglob("*")
            if path.is_file()
        },
    )


def carried_out(lab: Lab, folder: Path, **inputs: Any) -> Row:
    """Register a folder as a person does, let a worker look at it, and give the row of the job."""
    imaging.BaseFolder.insert1({**lab.request(folder, combined=False), **inputs})
    newest = max(imaging.BaseFolder().to_arrays("basefolder_id"))
    return worked(imaging.MakeDatasetSessions(), {"basefolder_id": int(newest)})


def assert_refused(
    lab: Lab, folder: Path, *told: str, responsible: Responsible = Responsible.EXPERIMENTER
) -> Row:
    """Register a folder; check that its job has an error that tells all of this, and nothing else is left."""
    before = snapshot(lab)
    job = carried_out(lab, folder)
    assert job["status"] == "error"
    assert_told(job["error_message"], *told)
    assert job["error_message"].endswith(f"The {responsible}'s move.")
    assert snapshot(lab) == before
    return job


def assert_waits(lab: Lab, folder: Path, *told: str) -> Row:
    """Register a folder and check that its job is left for later, says why, and left nothing."""
    before = snapshot(lab)
    job = carried_out(lab, folder)
    assert job["status"] == "pending"
    assert job["scheduled_time"] > job["created_time"]
    assert_told(job["error_message"], *told)
    assert job["error_message"].endswith("It is tried again by itself.")
    assert snapshot(lab) == before
    return job


def assert_told(message: str, *told: str) -> None:
    for text in (*told, "What to do: "):
        assert text in message
