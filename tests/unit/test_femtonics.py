"""Femtonics' folders: which files mean what, and what is told of them."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import h5py
import pytest

from imaging_pipeline.errors import (
    FormatError,
    NamingError,
    NothingFoundError,
    StillCopyingError,
    TruncatedError,
)
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import Plan, Request
from tests.makers.femtonics import (
    FIRST,
    LATER,
    SECOND,
    STACK,
    export_tifs,
    write_beside,
    write_femtonics,
)
from tests.makers.folders import COPIED, aged, write_file, write_suite2p
from tests.makers.mesc import FRAMES, START_UTC, MescUnitSpec, add_to_mesc, write_mesc
from tests.makers.registered import Registered
from tests.makers.scanimage import truncate
from tests.makers.suite2p_output import Suite2pSpec

OSLO = ZoneInfo("Europe/Oslo")
REQUEST = Request("moser", "day1", "femtonics", False, "90218", 0)
OPTIONS = {"fast": {"tau": 1.0}, "slow": {"tau": 2.0}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_femtonics(tmp_path / "day1")


@pytest.fixture
def registered() -> Registered:
    return Registered()


def plan_of(folder: Path, registered: Registered | None = None, **changes: object) -> Plan:
    known = registered.files() if registered else {}
    return make_plan(replace(REQUEST, **changes), scan(folder), known, OPTIONS, zone=OSLO)


def datasets(plan: Plan) -> dict[tuple[str, str], list[str]]:
    """Return the names of the files of each session's datasets."""
    return {
        (session.timeseries_name, dataset.datasettype): [file.name for file in dataset.files]
        for metasession in plan.metasessions
        for session in metasession.sessions
        for dataset in session.datasets
    }


def reports(plan: Plan) -> dict[str, str]:
    return {each.path.removeprefix("day1/"): f"{each.verdict}: {each.reason}" for each in plan.files}


def outputs(plan: Plan) -> dict[str, list[str]]:
    """Return the bundles of Suite2p output by the folder of each MetaSession."""
    return {each.suite2p_folder: [output.bundle for output in each.datasets] for each in plan.metasessions}


def write_output(root: Path, number: int = 0, tau: float = 1.0) -> Path:
    names = [f"MUnit_{number}_{file:05d}.tif" for file in (1, 2)]
    return write_suite2p(
        root, Suite2pSpec(file_list=names, frames_per_file=(FRAMES // 2,) * 2, settings={"tau": tau})
    )


def test_every_time_series_is_a_session_with_what_lies_beside_it(folder: Path) -> None:
    assert datasets(plan_of(folder)) == {
        ("90218_MUnit_0", "mesc"): ["90218.mesc/MSession_0/MUnit_0"],
        ("90218_MUnit_0", "tif"): ["MUnit_0_00001.tif", "MUnit_0_00002.tif"],
        ("90218_MUnit_0", "tracking_video"): ["MUnit_0.mp4"],
        ("90218_MUnit_0", "tracking_wheel"): ["MUnit_0.csv"],
        ("90218_MUnit_2", "mesc"): ["90218.mesc/MSession_0/MUnit_2"],
        ("90218_MUnit_2", "tif"): ["MUnit_2_00001.tif", "MUnit_2_00002.tif"],
        ("90218_MUnit_2", "tracking_video"): ["MUnit_2.mp4"],
        ("90218_MUnit_2", "tracking_wheel"): ["MUnit_2.csv"],
    }


@pytest.mark.parametrize(
    ("utc", "wall_time"),
    [
        (datetime(2024, 7, 1, 22, 30, tzinfo=UTC), datetime(2024, 7, 2, 0, 30)),
        (datetime(2024, 12, 31, 23, 30, tzinfo=UTC), datetime(2025, 1, 1, 0, 30)),
    ],
)
def test_a_session_starts_at_its_own_measurement_date_in_the_labs_zone(
    tmp_path: Path, utc: datetime, wall_time: datetime
) -> None:
    write_mesc(tmp_path / "day1" / "a.mesc", MescUnitSpec(0, utc))
    (metasession,) = plan_of(tmp_path / "day1").metasessions
    assert metasession.sessions[0].start == wall_time


def test_other_measurements_are_ignored_by_name(folder: Path) -> None:
    assert (
        reports(plan_of(folder))["90218.mesc/MSession_0/MUnit_1"] == "ignored: a z-stack, which is no session"
    )


def test_a_file_without_a_time_series_holds_nothing_and_says_what_it_has(tmp_path: Path) -> None:
    write_mesc(tmp_path / "day1" / "a.mesc", STACK)
    with pytest.raises(NothingFoundError, match="z-stack"):
        plan_of(tmp_path / "day1")


def test_a_file_without_measurements_is_unknown(folder: Path) -> None:
    write_mesc(folder / "empty.mesc")
    assert "no measurement" in reports(plan_of(folder))["empty.mesc"]


def test_companions_of_several_files_are_told_apart_by_the_files_name(folder: Path) -> None:
    write_mesc(folder / "90218-evening.mesc", replace(FIRST, start=START_UTC + timedelta(hours=5), seed=7))
    write_beside(folder, FIRST, "90218-evening_")
    plan = plan_of(folder)
    found = datasets(plan)
    assert found["90218-evening_MUnit_0", "tracking_wheel"] == ["90218-evening_MUnit_0.csv"]
    assert found["90218-evening_MUnit_0", "tif"] == ["MUnit_0_00001.tif", "MUnit_0_00002.tif"]
    assert ("90218_MUnit_0", "tracking_wheel") not in found
    assert reports(plan)["MUnit_0.csv"] == (
        "unknown: its name does not say of which file it is: 90218.mesc, 90218-evening.mesc"
    )
    assert "does not say of which file" in reports(plan)["MUnit_0/MUnit_0_00001.tif"]


def test_a_second_file_stops_until_what_is_registered_says_of_which_it_is(
    folder: Path, registered: Registered
) -> None:
    write_output(folder / "MUnit_0" / "fast" / "suite2p")
    registered.register(plan_of(folder, registered, ops_name="fast"))
    write_mesc(folder / "evening.mesc", replace(FIRST, start=START_UTC + timedelta(hours=5), seed=7))
    with pytest.raises(NamingError, match=r"MUnit_0\.csv.*90218\.mesc, evening\.mesc"):
        plan_of(folder, registered, ops_name="fast")
    for path in list(folder.glob("MUnit_*")):
        path.rename(path.with_name(f"90218_{path.name}"))
    changes = registered.register(plan_of(folder, registered, ops_name="fast"))
    assert changes.purges == ()
    verdicts = {each.session.timeseries_name: str(each.verdict) for each in changes.sessions}
    assert verdicts == {"90218_MUnit_0": "known", "90218_MUnit_2": "known", "evening_MUnit_0": "new"}
    assert {each.suite2p_folder for each in changes.relocations} == {
        "day1/90218_MUnit_0",
        "day1/90218_MUnit_2",
    }
    assert registered.register(plan_of(folder, registered, ops_name="fast")).relocations == ()


def test_the_same_unit_of_two_msessions_is_told_apart_by_the_msession(tmp_path: Path) -> None:
    folder = tmp_path / "day1"
    write_mesc(folder / "a.mesc", FIRST, replace(LATER, number=0, session=1))
    write_file(folder / "MUnit_0.csv")
    write_file(folder / "MSession_1_MUnit_0.csv")
    plan = plan_of(folder)
    assert datasets(plan)["a_MSession_1_MUnit_0", "tracking_wheel"] == ["MSession_1_MUnit_0.csv"]
    assert "MUnit_0 is in MSession_0 and MSession_1" in reports(plan)["MUnit_0.csv"]
    assert list(outputs(plan)) == ["day1/MSession_0_MUnit_0", "day1/MSession_1_MUnit_0"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("MUnit_9.csv", "there is no time series MUnit_9"),
        ("MUnit_1.csv", "there is no time series MUnit_1"),
        ("MUnit_02x.csv", "does not say of which measurement"),
        ("notes.txt", "no file of this experiment type ends in '.txt'"),
        ("notes", "it has no suffix"),
        ("MUnit_0_00001.tif", "lie in a folder of their measurement"),
        ("MUnit_0.avi", "'MUnit_0.avi' is tracking_video"),
        ("MUnit_0/readme.txt", "neither an exported tif"),
        ("MUnit_0/MUnit_2_00003.tif", "its name says another measurement"),
        ("other/MUnit_0_00001.tif", "lies in a subfolder"),
        ("other/b.mesc", "lies in a subfolder"),
    ],
)
def test_a_file_that_no_rule_knows_is_told_with_the_reason(folder: Path, name: str, reason: str) -> None:
    write_file(folder / name)
    told = reports(plan_of(folder))
    unknown = "MUnit_0.mp4" if name == "MUnit_0.avi" else name
    assert told[unknown].startswith("unknown: ")
    assert reason in told[unknown]


def test_missing_exported_tifs_are_refused_with_the_number(folder: Path) -> None:
    (folder / "MUnit_0" / "MUnit_0_00001.tif").unlink()
    with pytest.raises(NamingError, match="without 00001"):
        plan_of(folder)


def test_two_copies_of_one_file_are_refused(folder: Path) -> None:
    write_mesc(folder / "copy.mesc", FIRST)
    with pytest.raises(NamingError, match=r"90218_MUnit_0.*copy_MUnit_0"):
        plan_of(folder)


def test_a_file_that_is_still_being_copied_lets_the_request_wait(folder: Path) -> None:
    path = folder / "90218.mesc"
    os.utime(path)
    with pytest.raises(StillCopyingError, match="still being copied"):
        plan_of(folder)
    aged(truncate(path, 1000))
    with pytest.raises(StillCopyingError, match="never copied whole"):
        plan_of(folder)


def test_a_file_that_stays_truncated_is_an_error(folder: Path) -> None:
    aged(truncate(folder / "90218.mesc", 1000))
    now = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=2)
    with pytest.raises(TruncatedError, match=r"90218\.mesc"):
        make_plan(REQUEST, scan(folder), {}, {}, zone=OSLO, now=now)


def test_a_file_that_is_no_mesc_is_refused_with_its_name(folder: Path) -> None:
    write_file(folder / "other.mesc", b"not HDF5 at all")
    with pytest.raises(FormatError, match=r"other\.mesc"):
        plan_of(folder)


def test_registering_again_changes_nothing_and_reads_no_known_file(
    folder: Path, registered: Registered
) -> None:
    first = plan_of(folder)
    registered.register(first)
    for path in folder.rglob("*"):
        if path.is_file():
            aged(write_file(path, bytes(path.stat().st_size)))
    again = plan_of(folder, registered)
    assert reports(again) == reports(first)
    changes = registered.register(again)
    assert {str(each.verdict) for each in (*changes.sessions, *changes.datasets)} == {"known"}


def test_a_unit_that_was_added_is_a_new_session_and_the_others_stay(
    folder: Path, registered: Registered
) -> None:
    registered.register(plan_of(folder))
    aged(add_to_mesc(folder / "90218.mesc", LATER), COPIED + timedelta(days=1))
    changes = registered.register(plan_of(folder, registered))
    verdicts = {each.session.timeseries_name: str(each.verdict) for each in changes.sessions}
    assert verdicts == {"90218_MUnit_0": "known", "90218_MUnit_2": "known", "90218_MUnit_3": "new"}
    assert changes.purges == ()
    again = registered.register(plan_of(folder, registered))
    assert {str(each.verdict) for each in (*again.sessions, *again.datasets)} == {"known"}


def test_a_unit_that_was_replaced_is_imported_again_and_the_others_stay(
    folder: Path, registered: Registered
) -> None:
    registered.register(plan_of(folder))
    aged(write_mesc(folder / "90218.mesc", replace(FIRST, seed=5), STACK, SECOND), COPIED + timedelta(days=1))
    changes = registered.register(plan_of(folder, registered))
    assert {str(each.verdict) for each in changes.sessions} == {"known"}
    assert {each.reason for each in changes.purges} == {
        "'90218_MUnit_0': replaced 90218.mesc/MSession_0/MUnit_0"
    }


def test_a_unit_that_is_gone_is_told_and_its_session_stays(folder: Path, registered: Registered) -> None:
    registered.register(plan_of(folder))
    aged(write_mesc(folder / "90218.mesc", FIRST, STACK), COPIED + timedelta(days=1))
    plan = plan_of(folder, registered)
    assert plan.gone == ("day1/90218.mesc/MSession_0/MUnit_2",)
    changes = registered.register(plan)
    assert {str(each.verdict) for each in changes.sessions} == {"known"}
    assert changes.purges == ()


def test_a_renamed_file_keeps_its_sessions(folder: Path, registered: Registered) -> None:
    registered.register(plan_of(folder))
    (folder / "90218.mesc").rename(folder / "90218-day1.mesc")
    registered.mark_gone()
    plan = plan_of(folder, registered)
    assert plan.gone == ()
    changes = registered.register(plan)
    assert {str(each.verdict) for each in changes.sessions} == {"known"}
    assert [str(each.kind) for each in changes.findings] == ["moved", "moved"]


def test_a_session_that_was_deleted_comes_back_although_its_file_is_unchanged(
    folder: Path, registered: Registered
) -> None:
    plan = plan_of(folder)
    registered.register(plan)
    del registered.metasessions[plan.metasessions[1].metasession_name]
    changes = registered.register(plan_of(folder, registered))
    assert {each.session.timeseries_name: str(each.verdict) for each in changes.sessions} == {
        "90218_MUnit_0": "known",
        "90218_MUnit_2": "new",
    }


@pytest.mark.parametrize("place", ["MUnit_0/fast", "MUnit_0/fast/suite2p"])
def test_suite2p_output_lies_in_the_folder_of_its_measurement(folder: Path, place: str) -> None:
    write_output(folder / place)
    found = outputs(plan_of(folder, ops_name="fast"))
    assert found == {"day1/MUnit_0": ["fast/plane0"], "day1/MUnit_2": []}


def test_an_output_that_a_person_put_beside_the_tifs_is_found(folder: Path) -> None:
    write_output(folder / "MUnit_2" / "suite2p", number=2)
    assert outputs(plan_of(folder)) == {"day1/MUnit_0": [], "day1/MUnit_2": ["MUnit_2/plane0"]}


def test_the_output_of_another_option_set_is_superseded(folder: Path) -> None:
    write_output(folder / "MUnit_0" / "slow" / "suite2p", tau=2.0)
    (report,) = plan_of(folder, ops_name="fast").outputs
    assert (str(report.verdict), report.ops_name) == ("superseded", "slow")


def test_tifs_of_one_name_from_two_files_are_told_apart_by_their_folders(folder: Path) -> None:
    write_mesc(folder / "evening.mesc", replace(FIRST, start=START_UTC + timedelta(hours=5), seed=7))
    for before in ("90218_", "evening_"):
        export_tifs(folder / f"{before}MUnit_0", FIRST)
    write_output(folder / "evening_MUnit_0" / "fast" / "suite2p")
    write_output(folder / "suite2p")
    plan = plan_of(folder, ops_name="fast")
    assert outputs(plan)["day1/evening_MUnit_0"] == ["fast/plane0"]
    assert outputs(plan)["day1/90218_MUnit_0"] == []
    (foreign,) = (report for report in plan.outputs if report.path == "day1/suite2p")
    assert (str(foreign.verdict), foreign.metasession_name) == ("foreign", None)


def lose_date(path: Path, unit: str = "MSession_0/MUnit_2") -> None:
    """Take the start of a measurement away, as a program that was killed leaves it."""
    with h5py.File(path, "a") as file:
        del file[unit].attrs["MeasurementDatePosix"]
    aged(path, COPIED + timedelta(minutes=1))


def test_a_unit_that_lost_what_it_must_say_is_unknown_and_the_others_are_registered(folder: Path) -> None:
    lose_date(folder / "90218.mesc")
    plan = plan_of(folder)
    assert [each.sessions[0].timeseries_name for each in plan.metasessions] == ["90218_MUnit_0"]
    told = reports(plan)
    problem = told["90218.mesc/MSession_0/MUnit_2"]
    assert (
        problem
        == "unknown: cannot be read: MSession_0/MUnit_2: The attribute MeasurementDatePosix is not there"
    )
    assert told["90218.mesc/MSession_0/MUnit_0"].startswith("used")
    assert told["MUnit_2/MUnit_2_00001.tif"].startswith("unknown: ")


def test_a_file_of_which_no_unit_can_be_read_is_refused_with_the_reason(folder: Path) -> None:
    for number in (0, 2):
        lose_date(folder / "90218.mesc", f"MSession_0/MUnit_{number}")
    with pytest.raises(FormatError, match=r"MUnit_0: .*MeasurementDatePosix"):
        plan_of(folder)


def test_a_registered_unit_that_cannot_be_read_any_more_stays_and_is_told(
    folder: Path, registered: Registered
) -> None:
    first = plan_of(folder)
    registered.register(first)
    lose_date(folder / "90218.mesc")
    later = plan_of(folder, registered)
    assert "cannot be read" in reports(later)["90218.mesc/MSession_0/MUnit_2"]
    changes = registered.register(later)
    assert (changes.purges, len(registered.files())) == ((), 10)


def test_a_unit_that_could_not_be_read_is_looked_at_again(folder: Path, registered: Registered) -> None:
    path = folder / "90218.mesc"
    whole = path.read_bytes()
    lose_date(path)
    registered.register(plan_of(folder))
    # As after an update of the pipeline that can read it: size and time stay.
    size, times = path.stat().st_size, path.stat()
    content = whole.ljust(size, b"\0")[:size]
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    again = plan_of(folder, registered)
    assert {str(each.verdict) for each in registered.register(again).sessions} == {"known", "new"}


def test_a_unit_of_which_a_part_did_not_come_waits_and_is_then_unknown(folder: Path) -> None:
    lose_chunk(folder / "90218.mesc", "MSession_0/MUnit_2/Channel_0")
    with pytest.raises(StillCopyingError, match="never copied whole"):
        plan_of(folder)
    now = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=2)
    plan = make_plan(REQUEST, scan(folder), {}, {}, zone=OSLO, now=now)
    assert [each.sessions[0].timeseries_name for each in plan.metasessions] == ["90218_MUnit_0"]
    told = reports(plan)["90218.mesc/MSession_0/MUnit_2"]
    assert told.startswith("unknown: cannot be read: ")
    assert "chunk at (0, 0, 0)" in told


def lose_chunk(path: Path, name: str) -> None:
    """Leave a channel without its frames, as a recording that broke off: HDF5 would fill in zeros."""
    with h5py.File(path, "a") as file:
        shape = file[name].shape
        del file[name]
        file.create_dataset(name, shape, "uint16", chunks=(1, *shape[1:]))
    aged(path)


def test_measurements_of_the_repeated_hour_of_an_autumn_night_are_two_sessions(
    tmp_path: Path, registered: Registered
) -> None:
    folder = tmp_path / "day1"
    # In Oslo clocks went from 3:00 back to 2:00: at 1:00 UTC. All of these are at half past two or ten past.
    starts = [
        datetime(2024, 10, 27, hour, minute, tzinfo=UTC) for hour, minute in ((0, 30), (1, 10), (1, 30))
    ]
    write_mesc(folder / "90218.mesc", *(MescUnitSpec(i, start) for i, start in enumerate(starts)))
    first = plan_of(folder)
    sessions = [each.sessions[0] for each in first.metasessions]
    assert [session.timeseries_name for session in sessions] == [f"90218_MUnit_{i}" for i in range(3)]
    assert [f"{session.start:%H:%M}" for session in sessions] == ["02:30", "02:10", "02:30"]
    assert len({session.session_name for session in sessions}) == 3
    registered.register(first)
    changes = registered.register(plan_of(folder, registered))
    assert ({str(each.verdict) for each in changes.sessions}, changes.findings) == ({"known"}, ())
