"""Hostile results of Suite2p for MATLAB: told in the report, refused by the import, nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.schemas import imaging
from tests.makers.folders import aged
from tests.makers.hostile_matlab import REFUSED
from tests.makers.lab import Lab, register
from tests.makers.recordings import OBJECT, populate, session_key, write_recording
from tests.makers.refusals import snapshot
from tests.makers.suite2p_matlab import MatlabSpec, write_result
from tests.makers.worker import worked

SPEC = MatlabSpec(tifs=[OBJECT.tif_names], frames=[OBJECT.num_frames])
NAME = "F_90218_2024-05-17_plane1.mat"

# One of each way to do harm; the reader's own tests know all.
KINDS = (
    "nested_cells_compressed",
    "zip_bomb",
    "too_few_bytes",
    "empty_cells",
    "unknown_data_type",
    "cut_stream",
)

each_kind = pytest.mark.parametrize("kind", KINDS)


def recording_of(lab: Lab) -> Path:
    """Write a recording, and give its folder."""
    folder = lab.share / "90218" / "2024-05-17"
    write_recording(folder, OBJECT)
    return folder


def assert_ignored(files: Sequence[Mapping[str, Any]]) -> None:
    """Check that a report names the result, and says why it was not taken."""
    (told,) = [row for row in files if row["reported_path"].endswith(NAME)]
    assert told["file_verdict"] == "ignored"
    for text in (NAME, "ops", "Found: ", "Allowed: "):
        assert text in told["file_reason"]


@each_kind
def test_a_preview_and_a_registration_tell_of_a_hostile_result_and_take_the_rest(lab: Lab, kind: str) -> None:
    folder = recording_of(lab)
    aged(REFUSED[kind](folder / "Plane 1" / NAME))
    before = snapshot(lab)

    preview = imaging.BaseFolder.preview(**lab.request(folder, combined=False))

    assert_ignored(preview.report.parts["File"])
    assert snapshot(lab) == before

    register(lab, folder, combined=False)

    assert len(imaging.Session()) == 1
    assert len(imaging.Dataset & {"datasettype": "suite2p_matlab"}) == 0
    assert_ignored(imaging.MakeDatasetSessions.File().to_dicts())


@each_kind
def test_a_worker_refuses_a_result_that_became_hostile_after_it_was_registered(lab: Lab, kind: str) -> None:
    folder = recording_of(lab)
    path = write_result(folder / "Plane 1", SPEC)
    register(lab, folder, combined=False)
    populate("Tif")
    REFUSED[kind](path)
    before = snapshot(lab)

    job = worked(imaging.ImagingAnalysis(), session_key(OBJECT))

    assert job["status"] == "error"
    assert f"File: {path}" in job["error_message"]
    assert job["error_message"].startswith(("FormatError: ", "TruncatedError: "))
    after = snapshot(lab)
    assert (after.stored, len(imaging.ImagingAnalysis())) == (before.stored, 0)
