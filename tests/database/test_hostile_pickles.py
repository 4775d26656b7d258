"""Pickles of strangers on a share: refused by the preview of their folder and by its import."""

from __future__ import annotations

import pytest

from imaging_pipeline.schemas import imaging
from tests.makers.folders import aged
from tests.makers.hostile_pickles import HOSTILE, write_option_set
from tests.makers.lab import Lab, register, row_counts
from tests.makers.recordings import (
    OBJECT,
    populate,
    register_all,
    session_key,
    write_outputs,
    write_recording,
)
from tests.makers.worker import worked

# One of each kind: memory that is not the file's, no end, a function, too much of it.
CHOSEN = (
    "a dtype whose items grow when an array has them",
    "lists that hold each other many times over",
    "a change of a function",
    "a set of ten thousand million numbers",
)
each_hostile = pytest.mark.parametrize("body", [HOSTILE[name] for name in CHOSEN], ids=CHOSEN)


@each_hostile
def test_a_preview_and_a_registration_tell_of_a_hostile_output_and_take_nothing_of_it(
    lab: Lab, body: bytes
) -> None:
    folder = lab.share / "90218" / "2024-05-17"
    write_recording(folder, OBJECT)
    register(lab, folder, combined=False)
    root = write_outputs(lab, OBJECT)
    path = aged(write_option_set(root / "plane0" / "settings.npy", body))
    before = row_counts(lab)
    shown = str(imaging.BaseFolder.preview(**lab.request(folder, combined=False)))
    assert row_counts(lab) == before
    request = register(lab, folder, combined=False)
    reported = imaging.MakeDatasetSessions.Output & {"basefolder_id": request}
    reason = reported.fetch1("output_reason")
    assert reported.fetch1("output_verdict") != "finished"
    assert (path.name in reason, path.name in shown) == (True, True)
    assert "suite2p" not in imaging.Dataset().to_arrays("datasettype")


@each_hostile
def test_a_worker_tells_of_a_hostile_list_of_regions_and_stores_nothing_of_it(lab: Lab, body: bytes) -> None:
    root = register_all(lab, OBJECT)
    populate("Tif", "ImagingAnalysis")
    stored = row_counts(lab)
    path = root / "plane0" / "stat.npy"
    regions = path.read_bytes()
    write_option_set(path, body)
    job = worked(imaging.Cell(), session_key(OBJECT))
    assert (job["status"], path.name in job["error_message"]) == ("error", True)
    assert {name for name, count in row_counts(lab).items() if count != stored[name]} == {
        imaging.Cell().jobs.full_table_name
    }
    path.write_bytes(regions)
    imaging.Cell().jobs.delete()
    populate("Cell")
    assert len(imaging.Cell.Rois()) == 5
