"""Whether arrays can be written to each store and read again."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from datajoint.storage import StorageBackend

from imaging_pipeline.checks.disk import gigabytes
from imaging_pipeline.checks.finding import Finding, failed, notice, ok
from imaging_pipeline.checks.writing import how_to_help, try_writing, why_not
from imaging_pipeline.config.config import Config
from imaging_pipeline.config.stores import PIPELINE_STORE

_PROBE_BYTES = 65_536
# The traces of 1,000 cells in an hour: five quantities at 30 Hz, float32.
_HOUR_BYTES = 5 * 30 * 3600 * 1000 * 4
# About two such hours.
_LITTLE_BYTES = 5_000_000_000
# What each protocol needs beside DataJoint.
_PACKAGES = {"s3": "s3fs", "gcs": "gcsfs", "azure": "adlfs"}


def check_stores(config: Config) -> tuple[Finding, ...]:
    """Check each store with a small file that is removed again."""
    return tuple(
        _check_folder(name, Path(str(spec["location"])), config)
        if spec["protocol"] == "file"
        else _check_bucket(f"store {name}", spec)
        for name, spec in config.datajoint_stores().items()
        # Entries such as "default" are no stores, but the name of one.
        if isinstance(spec, dict)
    )


def _is_made_by_init_db(name: str, folder: Path, config: Config) -> bool:
    # init-db makes no folder elsewhere: a share may have to be mounted there first.
    embedded = config.embedded_folder
    return name == PIPELINE_STORE and embedded is not None and folder.is_relative_to(embedded)


def _check_folder(name: str, folder: Path, config: Config) -> Finding:
    subject = f"store {name}"
    try:
        if _is_made_by_init_db(name, folder, config) and not folder.exists():
            return notice(subject, f"{folder} is not there yet", "To make it, run: imaging-pipeline init-db")
        if not folder.is_dir():
            return _missing(subject, folder)
        try_writing(folder, _PROBE_BYTES)
        free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        return failed(subject, f"{folder}: {why_not(error)}", how_to_help(error))
    found = f"{folder}: written to and read back, {gigabytes(free_bytes)} free"
    if free_bytes < _LITTLE_BYTES:
        return notice(subject, found, f"Make room: an hour of 1,000 cells takes {gigabytes(_HOUR_BYTES)}.")
    return ok(subject, found)


def _missing(subject: str, folder: Path) -> Finding:
    return failed(
        subject,
        f"{folder} is {'no folder' if folder.exists() else 'not there'}",
        "Mount the share that holds it, or make the folder. Where it is another one, correct its"
        " location in the configuration.",
    )


def _check_bucket(subject: str, spec: Mapping[str, Any]) -> Finding:
    protocol = str(spec["protocol"])
    holder = spec.get("bucket") or spec.get("container")
    address = f"{protocol} {PurePosixPath(str(holder), str(spec['location']))}"
    # A name of its own, so that several machines can check the same store.
    name, content = f".probe-{uuid.uuid4().hex}", os.urandom(_PROBE_BYTES)
    try:
        backend = StorageBackend(dict(spec))
        backend.put_buffer(content, name)
        try:
            is_same = backend.get_buffer(name) == content
        finally:
            backend.remove(name)
    except ImportError:
        return failed(
            subject,
            f"{address}: not tested, because the package for {protocol} is not installed",
            f"Install {_PACKAGES[protocol]} beside imaging-pipeline: without it nothing can use this store.",
        )
    except Exception as error:  # each protocol has its own classes
        return failed(
            subject,
            f"{address}: {type(error).__name__}, not shown further since it may name credentials",
            "See whether the address, the bucket and the credentials of this store are right, and whether the"
            " account may write, read and delete there.",
        )
    if not is_same:
        return failed(
            subject, f"{address}: what is read back is not what was written", "See whether it is in order."
        )
    return ok(subject, f"{address}: written to and read back; how much room there is was not asked")
