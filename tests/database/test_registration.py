"""Registering folders: what becomes of them, and what becomes of them the second time."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas import imaging, mlims, suite2p_jobs, tables
from imaging_pipeline.schemas.administer.administration import add_options, add_setup
from tests.makers.folders import OPEN_FIELD, WHEEL, write_folder, write_suite2p
from tests.makers.lab import Lab, register
from tests.makers.outputs import suite2p_output, tif_paths
from tests.makers.suite2p_output import Suite2pSpec


@pytest.fixture
def folder(lab: Lab) -> Path:
    return write_folder(lab.share / "90218" / "2024-05-17", OPEN_FIELD, WHEEL)


def test_each_timeseries_name_becomes_a_session_of_its_own(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False)
    sessions = imaging.Session().to_dicts(order_by="session_timestamp")
    assert [row["timeseries_name"] for row in sessions] == [OPEN_FIELD.name, WHEEL.name]
    assert [row["session_timestamp"] for row in sessions] == [OPEN_FIELD.start, WHEEL.start]
    assert all(row["metasession_name"] == row["session_name"] for row in sessions)
    assert len(imaging.MetaSession()) == 2


def test_combined_sessions_share_a_metasession_in_order_of_time(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True)
    assert len(imaging.MetaSession()) == 1
    ordered = imaging.Session().to_arrays("timeseries_name", order_by="session_order")
    assert list(ordered) == [OPEN_FIELD.name, WHEEL.name]


def test_files_stand_in_their_dataset_by_acquisition_and_file_number(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True)
    name = imaging.MetaSession().fetch1("metasession_name")
    assert tif_paths(name) == [
        f"90218/2024-05-17/{tif}" for series in (OPEN_FIELD, WHEEL) for tif in series.tif_names
    ]


def test_every_file_is_accounted_for(lab: Lab, folder: Path) -> None:
    (folder / "notes.txt").write_text("the laser was tired")
    (folder / "Thumbs.db").write_bytes(b"")
    request = register(lab, folder, combined=False)
    files = (imaging.MakeDatasetSessions.File & {"basefolder_id": request}).to_dicts()
    verdicts = {Path(row["reported_path"]).name: row["file_verdict"] for row in files}
    assert len(files) == sum(path.is_file() for path in folder.rglob("*"))
    assert verdicts["notes.txt"] == "unknown"
    assert verdicts["Thumbs.db"] == "ignored"
    assert verdicts[OPEN_FIELD.tif_names[0]] == "used"


def test_a_finished_suite2p_output_belongs_to_every_session(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True)
    suite2p_output(lab, combined=True)
    register(lab, folder, combined=True)
    outputs = imaging.Session.Data * imaging.Dataset & {"datasettype": "suite2p_python"}
    assert len(outputs) == 2
    assert set(outputs.to_arrays("bundle")) == {"fast/plane0"}


def test_every_output_is_reported_with_what_it_is(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True)
    suite2p_output(lab, combined=True)
    write_suite2p(folder / "older" / "suite2p", Suite2pSpec(file_list=[OPEN_FIELD.tif_names[0]]))
    request = register(lab, folder, combined=True)
    reported = imaging.MakeDatasetSessions.Output & {"basefolder_id": request}
    older, finished = sorted(reported.to_dicts(), key=lambda row: row["output_verdict"], reverse=True)
    assert (older["output_path"], older["output_verdict"]) == ("90218/2024-05-17/older/suite2p", "superseded")
    assert older["output_reason"].startswith("made without ")
    name = imaging.MetaSession().fetch1("metasession_name")
    columns = ("output_verdict", "output_datasettype", "output_metasession", "output_ops_name")
    assert [finished[column] for column in columns] == ["finished", "suite2p_python", name, "fast"]


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        ({"username": "Ana"}, "anna"),
        ({"animal": "9218"}, "90218"),
        ({"experiment_type": "2Pminiscope"}, "2Pminiscope_A"),
        ({"ops_name": "fastt"}, "none is there yet"),
        ({"combined": "perhaps"}, "'yes', 'no'"),
    ],
)
def test_a_wrong_value_lists_what_looks_like_it(
    lab: Lab, folder: Path, wrong: dict[str, str], shown: str
) -> None:
    with pytest.raises(InputError, match=shown):
        imaging.BaseFolder.add(**{**lab.request(folder, combined=True), **wrong})
    assert len(imaging.BaseFolder()) == 0


def test_an_ambiguous_animal_name_lists_the_candidates(lab: Lab, folder: Path) -> None:
    mlims.Animal.insert1({"animal_id": "b7", "datasource_id": 1, "animal_name": "90218"})
    with pytest.raises(InputError, match=r"a0f1.*b7"):
        imaging.BaseFolder.add(**lab.request(folder, combined=True))
    imaging.BaseFolder.add(**{**lab.request(folder, combined=True), "animal": "b7"})
    assert imaging.BaseFolder().fetch1("datasource_id") == 1


def test_an_output_that_a_person_made_is_adopted_and_not_replaced(lab: Lab, folder: Path) -> None:
    add_options(tables.default_tables(), "fast", {"tau": 1.0})
    register(lab, folder, combined=True, ops_name="fast")
    root = suite2p_output(lab, combined=True)
    before = sorted(path.name for path in root.parents[1].iterdir())
    register(lab, folder, combined=True)
    suite2p_jobs.Suite2Py.populate()
    assert suite2p_jobs.Suite2Py().fetch1("adopted", "run_num_rois") == (True, 5)
    assert sorted(path.name for path in root.parents[1].iterdir()) == before


def test_a_metasession_takes_the_newest_calibration_that_is_not_after_it(lab: Lab, folder: Path) -> None:
    for day in ((2023, 1, 1), (2024, 5, 17), (2024, 5, 18)):
        add_setup(tables.default_tables(), "room 1", date(*day), "2Pminiscope_A")
    register(lab, folder, combined=True, setup="room 1")
    assert imaging.MetaSession.Setup().fetch1("setup_date") == date(2024, 5, 17)


def test_a_setup_without_a_calibration_for_the_day_is_refused_with_both_dates(lab: Lab, folder: Path) -> None:
    add_setup(tables.default_tables(), "room 1", date(2025, 1, 1), "2Pminiscope_A")
    with pytest.raises(InputError, match=r"2024-05-17.*2025-01-01"):
        register(lab, folder, combined=True, setup="room 1")
    assert len(imaging.Session()) == 0


def test_a_run_registers_its_folder_again_by_itself_where_that_was_asked_for(lab: Lab, folder: Path) -> None:
    add_options(tables.default_tables(), "fast", {"tau": 1.0})
    register(lab, folder, combined=True, ops_name="fast", register_uncurated=True)
    suite2p_output(lab, combined=True)
    register(lab, folder, combined=True, ops_name="fast", register_uncurated=True)
    suite2p_jobs.Suite2Py.populate()
    again = (imaging.BaseFolder - imaging.MakeDatasetSessions).fetch1()
    assert again["folder"] == "90218/2024-05-17"
    assert "fast" in again["base_folder_note"]
    imaging.MakeDatasetSessions.populate()
    suite2p_jobs.Suite2Py.populate()
    assert len(imaging.BaseFolder - imaging.MakeDatasetSessions) == 0


def test_what_was_gone_when_a_folder_was_moved_is_missed_in_its_new_place(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True)
    (folder / OPEN_FIELD.tif_names[2]).unlink()
    (folder / f"{WHEEL.name}_0001.avi").unlink()
    left_behind = (folder / f"{WHEEL.name}_0001.csv").rename(lab.share / "kept.csv")
    moved = folder.rename(folder.with_name("archive"))
    left_behind.rename(write_folder(folder) / f"{WHEEL.name}_0001.csv")
    register(lab, moved, combined=True)
    request = register(lab, moved, combined=True)
    places = {
        Path(path).name: str(Path(path).parent) for path in imaging.PhysicalFile().to_arrays("file_path")
    }
    assert places.pop(f"{WHEEL.name}_0001.csv") == "90218/2024-05-17", "it is still there"
    assert set(places.values()) == {"90218/archive"}
    told = (imaging.MakeDatasetSessions.Finding & {"basefolder_id": request}).to_arrays("finding")
    assert sorted(each.split()[1] for each in told) == [
        f"90218/archive/{OPEN_FIELD.tif_names[2]}",
        f"90218/archive/{WHEEL.name}_0001.avi",
    ]
    assert imaging.MakeDatasetSessions().to_arrays("num_files_unknown", order_by="basefolder_id")[-1] == 0


def test_what_the_animal_did_is_kept_of_sessions_that_are_new(lab: Lab) -> None:
    folder = write_folder(lab.share / "90218" / "2024-05-17", OPEN_FIELD)
    register(lab, folder, combined=True, sessiontype="open field")
    write_folder(folder, OPEN_FIELD, WHEEL)
    register(lab, folder, combined=True, sessiontype="wheel")
    kept = (imaging.Session * imaging.Session.SessionType).to_dicts(order_by="session_order")
    assert [(row["timeseries_name"], row["sessiontype"]) for row in kept] == [
        (OPEN_FIELD.name, "open field"),
        (WHEEL.name, "wheel"),
    ]


def test_an_unknown_session_type_is_refused_with_those_that_are_known(lab: Lab) -> None:
    with pytest.raises(InputError, match="open field"):
        register(lab, lab.share / "90218", combined=True, sessiontype="open filed")
