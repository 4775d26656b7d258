"""A folder of motion-corrected tifs, from its registration to the cells that Suite2p finds in them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.schemas import imaging, suite2p_jobs, tables
from imaging_pipeline.schemas.administer.administration import add_options
from tests.makers.folders import COPIED, aged, write_file
from tests.makers.lab import Lab, register, row_counts
from tests.makers.preprocessed import write_corrected, write_poses, write_preprocessed
from tests.makers.recordings import (
    HEIGHT,
    IMPORTED,
    OBJECT,
    OPEN_FIELD,
    PAUSE_S,
    RATE_HZ,
    WIDTH,
    populate,
    write_recording,
)
from tests.makers.stand_in_suite2p import stand_in_suite2p

TYPE = "2Pminiscope_A preprocessed"
OPS_NAME = "small"
# A set as people have it for raw tifs.
OPTIONS = {
    "run": {"do_registration": 1},
    "registration": {"nonrigid": True, "two_step_registration": True, "block_size": [128, 128]},
}


@pytest.fixture
def folder(lab: Lab) -> Path:
    """Return a folder with raw and corrected tifs, intermediate files and poses, registered once."""
    folder = lab.share / "90218" / "2024-05-17"
    write_recording(folder, OPEN_FIELD)
    write_preprocessed(folder, OPEN_FIELD)
    write_file(folder / "preprocessed" / "shifts.npz")
    write_poses(folder, OPEN_FIELD.name)
    add_options(tables.default_tables(), OPS_NAME, OPTIONS)
    register_it(lab, folder)
    return folder


def register_it(lab: Lab, folder: Path) -> int:
    return register(lab, folder, combined=True, experiment_type=TYPE, ops_name=OPS_NAME)


def files_by_type() -> dict[str, list[str]]:
    files: dict[str, list[str]] = {}
    rows = (imaging.Session.Data * imaging.Dataset * imaging.PhysicalFile).to_dicts(order_by="file_order")
    for row in rows:
        files.setdefault(row["datasettype"], []).append(Path(row["file_path"]).name)
    return files


def corrected_names() -> list[str]:
    return [f"{OPEN_FIELD.name}_{acquisition:05d}_preproc.tif" for acquisition in (1, 2)]


def test_raw_and_corrected_tifs_tracking_intermediate_files_and_poses_are_datasets_of_one_session(
    lab: Lab, folder: Path
) -> None:
    assert imaging.Session().fetch1("session_timestamp") == OPEN_FIELD.settings.start
    files = files_by_type()
    assert files["tif"] == list(OPEN_FIELD.tif_names)
    assert files["tif_preprocessed"] == corrected_names()
    assert files["tracking_preprocessed"] == [name.replace(".tif", ".csv") for name in corrected_names()]
    assert files["intermediate"] == ["shifts.npz"]
    assert files["dlc"][0] == "config.yaml"
    assert [Path(name).suffix for name in files["dlc"][1:]] == [".h5", ".h5", ".pickle", ".pickle"]
    verdicts = imaging.MakeDatasetSessions.File().to_arrays("file_verdict")
    assert set(verdicts.tolist()) == {"used"}


def test_the_same_preprocessed_folder_again_writes_nothing_but_the_request(lab: Lab, folder: Path) -> None:
    before = row_counts(lab)
    register_it(lab, folder)
    own = ("base_folder", "make_dataset_sessions", "~~")
    changed = {name for name, rows in row_counts(lab).items() if rows != before[name]}
    assert [name for name in changed if not any(part in name for part in own)] == []


def test_both_stacks_are_imported_and_one_is_motion_corrected(lab: Lab, folder: Path) -> None:
    populate("Tif")
    stacks = (imaging.Tif * imaging.Dataset.proj("datasettype")).to_dicts(order_by="datasettype")
    assert [(row["datasettype"], bool(row["motion_cor"])) for row in stacks] == [
        ("tif", False),
        ("tif_preprocessed", True),
    ]
    assert [row["frames_per_tif"] for row in stacks] == [[9, 5, 7], [14, 7]]
    assert {row["num_frames"] for row in stacks} == {OPEN_FIELD.num_frames}
    assert {row["tif_rate_hz"] for row in stacks} == {RATE_HZ}
    # ScanImage did not write the corrected one.
    assert imaging.Tif.SI().fetch1("dataset_name") == stacks[0]["dataset_name"]


def test_suite2p_takes_the_corrected_tifs_and_registers_nothing(
    lab: Lab, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_suite2p(tmp_path / "packages", monkeypatch)

    suite2p_jobs.Suite2Py.populate()

    run = suite2p_jobs.Suite2Py().fetch1()
    assert (run["run_num_frames"], run["run_settings"]["run"]["do_registration"]) == (21, 0)
    assert run["run_overridden"] == {
        "run.do_registration": [1, 0],
        "registration.two_step_registration": [True, False],
    }
    register_it(lab, folder)
    populate(*IMPORTED)
    analysis = imaging.ImagingAnalysis().fetch1()
    assert (analysis["first_frame"], analysis["num_frames"]) == (0, OPEN_FIELD.num_frames)
    assert (analysis["analysis_rate_hz"], bool(analysis["is_tif_preproc"])) == (RATE_HZ, True)
    assert imaging.Cell().fetch1("num_cells") == 5
    assert set(imaging.Projection.Motion().fetch1("x_mocor").load()) == {0}
    # The raw tifs say when the frames of the corrected ones were taken.
    expected_s = [*np.arange(14) / RATE_HZ, *(PAUSE_S + np.arange(7) / RATE_HZ)]
    np.testing.assert_allclose(imaging.Cell.times(imaging.Cell().keys()[0]), expected_s, atol=1e-8)


def test_each_session_has_its_frames_of_the_corrected_tifs(
    lab: Lab, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_suite2p(tmp_path / "packages", monkeypatch)
    write_recording(folder, OBJECT)
    write_preprocessed(folder, OBJECT)
    register_it(lab, folder)
    suite2p_jobs.Suite2Py.populate()
    register_it(lab, folder)

    populate("Tif", "ImagingAnalysis")

    slices = (imaging.ImagingAnalysis * imaging.Session).to_dicts(order_by="session_order")
    assert [(row["timeseries_name"], row["first_frame"], row["num_frames"]) for row in slices] == [
        (OPEN_FIELD.name, 0, OPEN_FIELD.num_frames),
        (OBJECT.name, OPEN_FIELD.num_frames, OBJECT.num_frames),
    ]


def test_a_corrected_tif_of_another_length_fails_with_both_numbers(lab: Lab, folder: Path) -> None:
    write_corrected(folder, OPEN_FIELD.name, 1, np.ones((13, HEIGHT, WIDTH), np.int16))
    register_it(lab, folder)

    imaging.Tif.populate(reserve_jobs=True, suppress_errors=True)

    message = (imaging.Tif.jobs & "status = 'error'").fetch1("error_message")
    for told in (corrected_names()[0], "Found: 13 pages", "Allowed: 14 pages", "experimenter's move"):
        assert told in message
    assert len(imaging.Tif()) == 1


def test_a_corrected_tif_that_was_made_anew_lets_what_came_of_it_be_imported_again(
    lab: Lab, folder: Path
) -> None:
    populate("Tif")
    raw = imaging.Tif.SI().fetch1("dataset_name")
    made = write_corrected(folder, OPEN_FIELD.name, 2, np.full((7, HEIGHT, WIDTH), 5, np.int16))
    aged(made, COPIED + timedelta(days=1))
    register_it(lab, folder)

    assert imaging.Tif().fetch1("dataset_name") == raw
    populate("Tif")
    assert len(imaging.Tif()) == 2


def test_a_folder_that_is_registered_as_another_type_is_told_and_nothing_is_changed(
    lab: Lab, folder: Path
) -> None:
    before = row_counts(lab)
    request = register(lab, folder, combined=True, experiment_type="2Pminiscope_A")

    (finding,) = (imaging.MakeDatasetSessions.Finding & {"basefolder_id": request}).to_arrays("finding")
    assert f"registered as '{TYPE}'; register it as that again" in finding
    own = ("base_folder", "make_dataset_sessions", "~~")
    changed = {name for name, rows in row_counts(lab).items() if rows != before[name]}
    assert [name for name in changed if not any(part in name for part in own)] == []


def test_raw_tifs_that_are_missing_are_named_and_nothing_is_registered(lab: Lab, tmp_path: Path) -> None:
    folder = lab.share / "day2"
    for path in write_recording(folder, OPEN_FIELD):
        corrected = folder / f"{path.stem}_preproc.tif"
        path.rename(corrected)
        aged(corrected)
    request = imaging.BaseFolder.add(**{**lab.request(folder, combined=True), "experiment_type": TYPE})

    imaging.MakeDatasetSessions.populate({"basefolder_id": request}, reserve_jobs=True, suppress_errors=True)

    message = (imaging.MakeDatasetSessions.jobs & {"basefolder_id": request}).fetch1("error_message")
    for told in ("raw tifs of acquisition 1", f"{OPEN_FIELD.name}_00001_00001_preproc.tif", "Copy the raw"):
        assert told in message
    assert len(imaging.Session()) == 0
