"""Femtonics' folders from request to cells."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from imaging_pipeline.cli import main
from imaging_pipeline.errors import InputError, Responsible, parse_message
from imaging_pipeline.schemas import imaging, suite2p_jobs, tables
from imaging_pipeline.schemas.administer.administration import add_options
from tests.makers.config_file import write_config
from tests.makers.femtonics import FIRST, LATER, SECOND, STACK, export_tifs, write_beside, write_femtonics
from tests.makers.folders import COPIED, aged, write_suite2p
from tests.makers.lab import Lab, row_counts
from tests.makers.mesc import FRAMES, HEIGHT, START_UTC, WIDTH, add_to_mesc, movie, write_mesc
from tests.makers.recordings import populate
from tests.makers.stand_in_suite2p import stand_in_suite2p
from tests.makers.suite2p_matlab import MatlabSpec, write_result
from tests.makers.suite2p_output import Suite2pSpec

FEMTONICS = {"experiment_type": "femtonics"}


@pytest.fixture
def folder(lab: Lab) -> Path:
    return write_femtonics(lab.share / "90218" / "2024-05-17")


def register_femtonics(lab: Lab, folder: Path, **inputs: Any) -> int:
    """Request a folder, look at it, and give the request's identifier."""
    request = imaging.BaseFolder.add(**{**lab.request(folder, combined=False), **FEMTONICS, **inputs})
    imaging.MakeDatasetSessions.populate({"basefolder_id": request})
    return request


def session_of(name: str) -> dict[str, Any]:
    return dict((imaging.Session & {"timeseries_name": name}).fetch1())


def verdicts(request: int) -> dict[str, str]:
    rows = (imaging.MakeDatasetSessions.Session & {"basefolder_id": request}).to_dicts()
    return {row["reported_timeseries"]: row["session_verdict"] for row in rows}


def write_output(folder: Path, number: int, **spec: Any) -> Path:
    names = [f"MUnit_{number}_{file:05d}.tif" for file in (1, 2)]
    return write_suite2p(
        folder / f"MUnit_{number}" / "fast" / "suite2p",
        Suite2pSpec(file_list=names, frames_per_file=(FRAMES // 2,) * 2, frame_px=(HEIGHT, WIDTH), **spec),
    )


def test_each_time_series_is_a_session_at_its_own_start_in_the_labs_zone(lab: Lab, folder: Path) -> None:
    register_femtonics(lab, folder)
    sessions = imaging.Session().to_dicts(order_by="session_timestamp")
    assert [(row["timeseries_name"], row["session_timestamp"]) for row in sessions] == [
        ("90218_MUnit_0", datetime(2024, 5, 17, 14, 30, 9, 250_000)),
        ("90218_MUnit_2", datetime(2024, 5, 17, 15, 10, 9, 250_000)),
    ]
    files = imaging.PhysicalFile & (imaging.Dataset & {"datasettype": "mesc"})
    assert set(files.to_arrays("file_path")) == {"90218/2024-05-17/90218.mesc"}
    assert set(files.to_arrays("file_part")) == {"MSession_0/MUnit_0", "MSession_0/MUnit_2"}
    assert set(imaging.MetaSession().to_arrays("suite2p_folder")) == {
        "90218/2024-05-17/MUnit_0",
        "90218/2024-05-17/MUnit_2",
    }


def test_other_measurements_are_reported_as_ignored_by_name(lab: Lab, folder: Path) -> None:
    for request in (register_femtonics(lab, folder), register_femtonics(lab, folder)):
        ignored = imaging.MakeDatasetSessions.File & {"basefolder_id": request, "file_verdict": "ignored"}
        assert ignored.fetch1("reported_path", "file_reason") == (
            "90218/2024-05-17/90218.mesc/MSession_0/MUnit_1",
            "a z-stack, which is no session",
        )


def test_measurements_of_the_repeated_hour_of_an_autumn_night_are_not_copies(lab: Lab, folder: Path) -> None:
    first, second = (datetime(2024, 10, 27, hour, 30, tzinfo=UTC) for hour in (0, 1))
    mesc = write_mesc(folder / "90218.mesc", replace(FIRST, start=first), replace(SECOND, start=second))
    register_femtonics(lab, folder)
    sessions = [session_of(f"90218_MUnit_{number}") for number in (0, 2)]
    # In Oslo both began at half past two.
    assert {session["session_timestamp"] for session in sessions} == {datetime(2024, 10, 27, 2, 30)}
    aged(add_to_mesc(mesc, LATER), COPIED + timedelta(days=1))
    for expected in ("new", "known"):
        again = verdicts(register_femtonics(lab, folder))
        assert again == {"90218_MUnit_0": "known", "90218_MUnit_2": "known", "90218_MUnit_3": expected}
    assert not imaging.MakeDatasetSessions.Finding()
    assert [session_of(f"90218_MUnit_{number}") for number in (0, 2)] == sessions
    # The second alone, elsewhere: of the first it is no copy.
    elsewhere = folder.with_name("2024-10-28")
    write_mesc(elsewhere / "90218.mesc", replace(LATER, start=second + timedelta(minutes=5)))
    write_mesc(
        folder.with_name("night") / "a.mesc", replace(LATER, seed=8, start=first + timedelta(minutes=5))
    )
    for place in (elsewhere, folder.with_name("night")):
        assert set(verdicts(register_femtonics(lab, place)).values()) == {"new"}


def test_an_odd_measurement_is_told_and_the_others_of_the_day_are_registered(lab: Lab, folder: Path) -> None:
    with h5py.File(folder / "90218.mesc", "a") as file:
        del file["MSession_0/MUnit_2"].attrs["XAxisConversionConversionLinearScale"]
    aged(folder / "90218.mesc")
    for expected in ("new", "known"):
        request = register_femtonics(lab, folder)
        assert verdicts(request) == {"90218_MUnit_0": expected}
        told = imaging.MakeDatasetSessions.File & {"basefolder_id": request, "file_verdict": "unknown"}
        reasons = {row["reported_path"].rpartition("/")[2]: row["file_reason"] for row in told.to_dicts()}
        assert "MSession_0/MUnit_2: The attribute XAxisConversion" in reasons["MUnit_2"]


def test_registering_again_writes_only_the_request_and_its_report(lab: Lab, folder: Path) -> None:
    register_femtonics(lab, folder)
    before = row_counts(lab)
    request = register_femtonics(lab, folder)
    changed = {name for name, rows in row_counts(lab).items() if rows != before[name]}
    assert all("base_folder" in name or "make_dataset_sessions" in name for name in changed)
    assert set(verdicts(request).values()) == {"known"}


def test_a_unit_that_was_added_is_a_session_and_purges_nothing(lab: Lab, folder: Path) -> None:
    register_femtonics(lab, folder)
    populate("Mesc", "Tif")
    before = set(imaging.Mesc().to_arrays("mesc_entry_time"))
    aged(add_to_mesc(folder / "90218.mesc", LATER), COPIED + timedelta(days=1))
    write_beside(folder, LATER)
    request = register_femtonics(lab, folder)
    assert verdicts(request) == {"90218_MUnit_0": "known", "90218_MUnit_2": "known", "90218_MUnit_3": "new"}
    assert len(imaging.MakeDatasetSessions.Purge & {"basefolder_id": request}) == 0
    populate("Mesc")
    assert before < set(imaging.Mesc().to_arrays("mesc_entry_time"))
    assert len(imaging.Mesc()) == 3
    again = register_femtonics(lab, folder)
    reasons = (imaging.MakeDatasetSessions.Dataset & {"basefolder_id": again}).to_arrays("dataset_verdict")
    assert set(reasons) == {"known"}


def test_a_unit_that_was_replaced_is_imported_again_alone(lab: Lab, folder: Path) -> None:
    register_femtonics(lab, folder)
    populate("Mesc")
    aged(write_mesc(folder / "90218.mesc", replace(FIRST, seed=5), STACK, SECOND), COPIED + timedelta(days=1))
    request = register_femtonics(lab, folder)
    kept = (imaging.Session & imaging.Mesc).fetch1("timeseries_name")
    assert kept == "90218_MUnit_2"
    reasons = (imaging.MakeDatasetSessions.Purge & {"basefolder_id": request}).to_arrays("purge_reason")
    assert set(reasons) == {"'90218_MUnit_0': replaced 90218.mesc/MSession_0/MUnit_0"}
    populate("Mesc")
    assert len(imaging.Mesc()) == 2


def test_a_second_file_brings_sessions_of_its_own(lab: Lab, folder: Path) -> None:
    register_femtonics(lab, folder)
    for path in list(folder.glob("MUnit_*")):
        path.rename(path.with_name(f"90218_{path.name}"))
    evening = replace(FIRST, start=START_UTC + timedelta(hours=5), seed=7)
    write_mesc(folder / "evening.mesc", evening)
    write_beside(folder, evening, "evening_")
    request = register_femtonics(lab, folder)
    assert verdicts(request)["evening_MUnit_0"] == "new"
    own = imaging.Session.Data & {"session_name": session_of("evening_MUnit_0")["session_name"]}
    paths = (imaging.PhysicalFile & own.proj()).to_arrays("file_path")
    assert {Path(path).relative_to("90218/2024-05-17").as_posix() for path in paths} == {
        "evening.mesc",
        "evening_MUnit_0.csv",
        "evening_MUnit_0.mp4",
        "evening_MUnit_0/MUnit_0_00001.tif",
        "evening_MUnit_0/MUnit_0_00002.tif",
    }
    folders = {Path(path).name for path in imaging.MetaSession().to_arrays("suite2p_folder")}
    assert folders == {"90218_MUnit_0", "90218_MUnit_2", "evening_MUnit_0"}
    assert len(imaging.MakeDatasetSessions.Purge & {"basefolder_id": request}) == 0


def test_a_copied_folder_is_told_and_not_registered_a_second_time(lab: Lab, folder: Path) -> None:
    register_femtonics(lab, folder)
    copy = write_femtonics(lab.share / "90218" / "copy", name="renamed")
    request = register_femtonics(lab, copy)
    assert len(imaging.Session()) == 2
    findings = (imaging.MakeDatasetSessions.Finding & {"basefolder_id": request}).to_arrays("finding")
    assert ["still there" in finding for finding in findings] == [True, True]


def test_a_moved_folder_keeps_its_sessions_and_their_places_follow(lab: Lab, folder: Path) -> None:
    register_femtonics(lab, folder)
    before = set(imaging.Session().to_arrays("session_name"))
    moved = folder.rename(folder.with_name("moved"))
    register_femtonics(lab, moved)
    assert set(imaging.Session().to_arrays("session_name")) == before
    assert set(imaging.MetaSession().to_arrays("suite2p_folder")) == {
        "90218/moved/MUnit_0",
        "90218/moved/MUnit_2",
    }
    populate("Mesc")
    assert len(imaging.Mesc()) == 2


def test_combined_is_refused_with_the_reason(lab: Lab, folder: Path) -> None:
    with pytest.raises(InputError, match="exported and analysed by itself") as raised:
        imaging.BaseFolder.insert1({**lab.request(folder, combined=True), **FEMTONICS})
    assert "combined = no" in str(raised.value)
    assert len(imaging.BaseFolder()) == 0


def test_the_command_refuses_combined_with_the_reason(lab: Lab, folder: Path, tmp_path: Path) -> None:
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")
    who = ["--user", "anna", "--animal", "90218", "--type", "femtonics", "--combined"]
    result = CliRunner().invoke(main, ["--config", str(config), "add", lab.windows_path(folder), *who])
    assert result.exit_code != 0
    assert "exported and analysed by itself" in " ".join(result.output.split())
    assert len(imaging.BaseFolder()) == 0


def test_what_the_file_says_of_a_recording_is_a_row(lab: Lab, folder: Path) -> None:
    register_femtonics(lab, folder)
    populate("Mesc")
    row = (imaging.Mesc * imaging.Session & {"timeseries_name": "90218_MUnit_2"}).fetch1()
    assert (row["mesc_unit"], row["mesc_version"]) == ("MSession_0/MUnit_2", "MESc 3.3")
    assert (row["num_frames"], row["width"], row["height"], row["datatype"]) == (20, 12, 8, "uint16")
    assert (row["um_per_pixel_x"], row["um_per_pixel_y"], row["frame_period_ms"]) == (1.25, 1.5, 32.5)
    assert row["framerate"] == pytest.approx(1000 / 32.5)
    assert [channel["name"] for channel in row["channels"]] == ["UG", "UR"]
    assert [curve["name"] for curve in row["curves"]] == ["DiI1", "encoder"]
    np.testing.assert_allclose(row["mean_image"].load(), movie(SECOND).mean(axis=0), rtol=1e-6)


def test_exported_tifs_take_their_rate_from_the_mesc_file(lab: Lab, folder: Path) -> None:
    register_femtonics(lab, folder)
    populate("Tif")
    row = (imaging.Tif * imaging.Session & {"timeseries_name": "90218_MUnit_0"}).fetch1()
    assert (row["num_frames"], row["frames_per_tif"]) == (FRAMES, [10, 10])
    assert row["tif_rate_hz"] == pytest.approx(1000 / 32.5)
    assert len(imaging.Tif.SI()) == 0


def test_exported_tifs_that_lack_frames_are_refused_with_both_numbers(lab: Lab, folder: Path) -> None:
    export_tifs(folder / "MUnit_0", replace(FIRST, frames=14))
    register_femtonics(lab, folder)
    key = {"session_name": session_of("90218_MUnit_0")["session_name"]}
    errors = imaging.Tif.populate(key, suppress_errors=True, return_exception_objects=True)["error_list"]
    told = str(errors[0][1])
    assert "14 pages in 2 tifs" in told
    assert "20 pages for each channel" in told


def test_suite2p_output_becomes_cells_of_its_session(lab: Lab, folder: Path) -> None:
    root = write_output(folder, 0, num_rois=4, is_cell=(True, False, True, True))
    register_femtonics(lab, folder)
    populate("Mesc", "Tif", "ImagingAnalysis", "Projection", "Cell")
    analysis = (imaging.ImagingAnalysis * imaging.Session).fetch1()
    assert analysis["timeseries_name"] == "90218_MUnit_0"
    assert (analysis["first_frame"], analysis["num_frames"]) == (0, FRAMES)
    assert analysis["analysis_rate_hz"] == pytest.approx(1000 / 32.5)
    assert list(imaging.Cell.Rois().to_arrays("cell_id", order_by="cell_id")) == [0, 2, 3]
    fluo = (imaging.Cell.Traces & {"cell_id": 2, "channel": "primary"}).fetch1("fluo")
    np.testing.assert_array_equal(fluo, np.load(root / "plane0" / "F.npy")[2])


def test_an_output_that_a_person_made_is_adopted(lab: Lab, folder: Path) -> None:
    add_options(tables.default_tables(), "fast", {"tau": 1.0})
    write_output(folder, 2)
    register_femtonics(lab, folder, ops_name="fast")
    suite2p_jobs.Suite2Py.populate({"metasession_name": session_of("90218_MUnit_2")["metasession_name"]})
    assert suite2p_jobs.Suite2Py().fetch1("adopted", "output_folder") == (
        True,
        "90218/2024-05-17/MUnit_2/fast/suite2p",
    )


def test_suite2p_runs_on_exported_tifs_in_the_folder_of_their_measurement(
    lab: Lab, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_suite2p(tmp_path / "packages", monkeypatch)
    add_options(tables.default_tables(), "fast", {"tau": 1.0, "registration": {"nonrigid": False}})
    register_femtonics(lab, folder, ops_name="fast")
    suite2p_jobs.Suite2Py.populate({"metasession_name": session_of("90218_MUnit_0")["metasession_name"]})
    run = suite2p_jobs.Suite2Py().fetch1()
    assert (run["adopted"], run["run_num_frames"]) == (False, FRAMES)
    assert run["run_pixel_conversion"] == "uint16 // 2"
    assert run["run_settings"]["fs"] == pytest.approx(1000 / 32.5)
    assert run["output_folder"] == "90218/2024-05-17/MUnit_0/fast"
    request = register_femtonics(lab, folder, ops_name="fast")
    populate("Mesc", "Tif", "ImagingAnalysis", "Projection", "Cell")
    # The stand-in's traces are the means of rows.
    fluo = (imaging.Cell.Traces & {"cell_id": 2}).fetch1("fluo")
    np.testing.assert_array_equal(fluo, (movie(FIRST)[:, 2] // 2).mean(axis=1).astype(np.float32))
    assert (imaging.ImagingAnalysis * imaging.Session).fetch1("timeseries_name") == "90218_MUnit_0"
    np.testing.assert_allclose(imaging.Cell.times(imaging.Cell().keys()[0]), np.arange(FRAMES) * 0.0325)
    reports = imaging.MakeDatasetSessions.File & {"basefolder_id": request, "file_verdict": "unknown"}
    assert len(reports) == 0


def test_suite2p_says_which_tifs_to_export_and_runs_when_they_are_registered(
    lab: Lab, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_suite2p(tmp_path / "packages", monkeypatch)
    add_options(tables.default_tables(), "fast", {"tau": 1.0, "registration": {"nonrigid": False}})
    shutil.rmtree(folder / "MUnit_0")
    register_femtonics(lab, folder, ops_name="fast")
    key = {"metasession_name": session_of("90218_MUnit_0")["metasession_name"]}

    suite2p_jobs.Suite2Py.populate(key, reserve_jobs=True, suppress_errors=True)

    said = parse_message((suite2p_jobs.Suite2Py.jobs & key).fetch1("error_message"))
    assert said.responsible is Responsible.EXPERIMENTER
    assert "as tifs into the folder MUnit_M beside the .mesc file" in said.remedy

    export_tifs(folder / "MUnit_0", FIRST)
    register_femtonics(lab, folder, ops_name="fast")
    suite2p_jobs.Suite2Py.populate(key, reserve_jobs=True)
    assert (suite2p_jobs.Suite2Py() & key).fetch1("run_num_frames") == FRAMES


def test_results_of_suite2p_for_matlab_lie_in_the_folder_of_their_measurement(lab: Lab) -> None:
    folder = lab.share / "90218" / "2024-05-17"
    unit = replace(SECOND, frame_px=(48, 64), chunks=None)
    write_mesc(folder / "90218.mesc", unit)
    write_beside(folder, unit)
    names = tuple(f"MUnit_2_{number:05d}.tif" for number in (1, 2))
    write_result(folder / "MUnit_2" / "Plane 1", MatlabSpec(tifs=(names,), frames=(FRAMES,)))
    register_femtonics(lab, folder)
    populate("Tif", "ImagingAnalysis", "Cell")
    analysis = imaging.ImagingAnalysis * imaging.Session * imaging.Dataset
    assert analysis.fetch1("timeseries_name", "datasettype") == ("90218_MUnit_2", "suite2p_matlab")
    assert imaging.Cell().fetch1("num_cells") == 5


@pytest.mark.parametrize("ops_name", [None, "fast"])
@pytest.mark.parametrize("kind", ["matlab", "python"])
def test_an_output_without_exported_tifs_says_what_is_missing_and_is_imported_with_them(
    lab: Lab, folder: Path, kind: str, ops_name: str | None
) -> None:
    add_options(tables.default_tables(), "fast", {"tau": 1.0})
    shutil.rmtree(folder / "MUnit_2")
    exported = SECOND
    if kind == "matlab":
        exported = replace(SECOND, frame_px=(48, 64), chunks=None)
        write_mesc(folder / "90218.mesc", FIRST, STACK, exported)
        names = tuple(f"MUnit_2_{number:05d}.tif" for number in (1, 2))
        write_result(folder / "MUnit_2" / "Plane 1", MatlabSpec(tifs=(names,), frames=(FRAMES,)))
    else:
        write_output(folder, 2)

    request = register_femtonics(lab, folder, ops_name=ops_name)

    told = (imaging.MakeDatasetSessions.Output & {"basefolder_id": request}).fetch1()
    assert told["output_verdict"] == "incomplete"
    assert "no tifs of its session are registered; export the frames" in told["output_reason"]
    assert not imaging.Dataset & {"datasettype": f"suite2p_{kind}"}
    explained = " ".join(str(imaging.Session.explain("90218_MUnit_2")).split())
    assert "xport the frames of its measurement from MESc as tifs" in explained
    assert "No worker of the lane suite2p" not in explained

    export_tifs(folder / "MUnit_2", exported)
    register_femtonics(lab, folder, ops_name=ops_name)
    populate("Tif", "ImagingAnalysis")
    analysis = imaging.ImagingAnalysis * imaging.Session * imaging.Dataset
    assert analysis.fetch1("timeseries_name", "datasettype") == ("90218_MUnit_2", f"suite2p_{kind}")
