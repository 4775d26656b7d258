"""Rows that version 3 got wrong, where no restriction by SQL finds them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from imaging_pipeline.errors import NotMountedError, PipelineError
from imaging_pipeline.readers.npy.file import load_npy
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables


def of_lost_volumes(tables: Tables) -> list[Row]:
    """Return the MetaSessions of volumes that lack a frame: from there on, planes are mixed."""
    imaging = tables.imaging
    volumes = imaging.Tif.SI & (imaging.Tif & "frames_per_volume > 1").proj()
    found = set()
    for key in volumes.keys():  # noqa: SIM118  no mapping
        steps = np.diff((volumes & key).fetch1("frame_numbers").load())
        # Another acquisition begins anew, and averaged frames may be numbered in steps.
        forward = steps[steps > 0]
        if forward.size and forward.max() > forward.min():
            found.add(key["metasession_name"])
    return [{"metasession_name": name} for name in sorted(found)]


def with_merged_parts(tables: Tables) -> list[Row]:
    """Return imports in which parts of merged regions are cells, where the file that tells is here."""
    imaging = tables.imaging
    # What was merged comes last.
    last = imaging.Cell * imaging.Cell.Rois.proj() & "cell_id = num_rois - 1"
    keys = (imaging.Cell & last.proj()).keys()
    return [key for key in keys if _merged_parts(tables, key) & _cells(tables, key)]


def _cells(tables: Tables, key: Row) -> set[int]:
    return {int(number) for number in (tables.imaging.Cell.Rois & key).to_arrays("cell_id")}


def _merged_parts(tables: Tables, key: Row) -> set[int]:
    return {
        number
        for stats in _stats(tables, key)
        for number, stat in enumerate(stats)
        if np.size(stat.get("inmerge", 0)) == 1 and int(np.ravel(stat.get("inmerge", 0))[0]) > 0
    }


def _stats(tables: Tables, key: Row) -> Iterator[np.ndarray]:
    files = tables.imaging.PhysicalFile & {"dataset_name": key["dataset_name"]}
    places = zip(*files.to_arrays("repository_name", "file_path"), strict=True)
    for repository_name, path in places:
        if path.endswith("/stat.npy"):
            try:
                yield load_npy(tables.local_path(repository_name, path))
            # Registering the folder again tells of these.
            except (NotMountedError, PipelineError):
                continue
