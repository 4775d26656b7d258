import io
import os
from dataclasses import replace
from datetime import timedelta

import pytest

from imaging_pipeline import names
from imaging_pipeline.errors import (
    FormatError,
    InputError,
    NamingError,
    NothingFoundError,
    PathError,
    Responsible,
    StillCopyingError,
    TruncatedError,
)
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import Request
from tests.makers.femtonics import write_femtonics
from tests.makers.folders import (
    COPIED,
    OPEN_FIELD,
    START,
    WHEEL,
    Timeseries,
    aged,
    write_companions,
    write_file,
    write_folder,
    write_tif,
    write_unlike_tif,
)
from tests.makers.plain_tifs import write_plain_tifs
from tests.makers.scanimage import truncate, write_tif_without_header

REQUEST = Request("moser", "90218/day1", "2Pminiscope_A", False, "90218", 0)


def plan_of(folder, stored=None, **changes):
    return make_plan(replace(REQUEST, **changes), scan(folder), stored or {}, {})


def reports(plan):
    return {report.path.removeprefix("90218/day1/"): report for report in plan.files}


def stored_of(plan):
    """Return what a database holds once a plan is applied."""
    return {
        file.path: replace(file, session_start=session.start if file is dataset.files[0] else None)
        for metasession in plan.metasessions
        for session in metasession.sessions
        for dataset in session.datasets
        for file in dataset.files
    }


def sessions(plan):
    return [session for metasession in plan.metasessions for session in metasession.sessions]


def dataset(session, datasettype):
    (found,) = (each for each in session.datasets if each.datasettype == datasettype)
    return found


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "day1", OPEN_FIELD, WHEEL)


def test_every_timeseries_name_is_a_session_that_started_when_its_first_tif_says(folder):
    plan = plan_of(folder)

    assert [(session.timeseries_name, session.start) for session in sessions(plan)] == [
        ("90218-openfield1m", START),
        ("90218-wheel", START + timedelta(minutes=40)),
    ]


def test_acquisitions_are_stitched_in_order_of_acquisition_and_file(tmp_path):
    folder = write_folder(tmp_path, Timeseries("mouse", files=(2, 3)))

    (session,) = sessions(plan_of(folder))

    assert [(file.name, file.acquisition) for file in dataset(session, "tif").files] == [
        ("mouse_00001_00001.tif", 1),
        ("mouse_00001_00002.tif", 1),
        ("mouse_00002_00001.tif", 2),
        ("mouse_00002_00002.tif", 2),
        ("mouse_00002_00003.tif", 2),
    ]


def test_companions_join_the_session_of_their_acquisition(folder):
    session = sessions(plan_of(folder))[0]

    assert {each.datasettype: (each.filetype, len(each.files)) for each in session.datasets} == {
        "tif": ("tif", 3),
        "wavesurfer": ("h5", 2),
        "tracking_openfield": ("csv", 2),
        "tracking_wheel": ("csv", 2),
        "tracking_video": ("avi", 2),
    }
    assert [file.acquisition for file in dataset(session, "wavesurfer").files] == [1, 2]


def test_a_split_session_is_its_own_metasession(folder):
    plan = plan_of(folder)

    for metasession in plan.metasessions:
        (session,) = metasession.sessions
        assert metasession.metasession_name == session.session_name
        assert metasession.suite2p_folder == (
            f"90218/day1/split_{session.timeseries_name}_{session.session_name}"
        )


def test_combined_sessions_share_a_metasession_and_have_names_of_their_own(folder):
    split, combined = plan_of(folder), plan_of(folder, combined=True)

    (metasession,) = combined.metasessions
    expected = names.combined_metasession_name("90218", 0, "moser", "90218/day1")
    assert metasession.metasession_name == expected
    assert metasession.suite2p_folder == f"90218/day1/combined_{expected}"
    assert not {each.session_name for each in sessions(split)} & {
        each.session_name for each in sessions(combined)
    }


def test_the_second_counter_may_be_absent(tmp_path):
    folder = write_folder(tmp_path, Timeseries("90853_3L", files=(1, 1), is_split=False))

    (session,) = sessions(plan_of(folder))

    assert session.timeseries_name == "90853_3L"
    assert [file.acquisition for file in dataset(session, "tif").files] == [1, 2]


def test_the_same_folder_gives_the_same_plan(folder):
    assert plan_of(folder) == plan_of(folder)


def test_a_dataset_keeps_its_name_when_files_are_added(tmp_path):
    before = sessions(plan_of(write_folder(tmp_path, Timeseries("mouse", files=(1,)))))[0]
    after = sessions(plan_of(write_folder(tmp_path, Timeseries("mouse", files=(2, 1)))))[0]

    assert before.session_name == after.session_name
    assert dataset(before, "tif").dataset_name == dataset(after, "tif").dataset_name


def test_every_file_is_accounted_for_with_a_reason(folder):
    for path in (
        "Thumbs.db",
        "~$notes.docx",
        ".DS_Store",
        "notes.txt",
        "90218-sleep_0001.h5",
        "90218-wheel_0002.csv",
        "overview.tif",
        "old/90218-old_00001_00001.tif",
        "combined_x/A.superseded-20240101/suite2p/plane0/F.npy",
        "combined_x/.A.partial-12/plane0/F.npy",
        "suite2p/plane0/data.bin",
        "suite2p/plane0/reg_tif/file000.tif",
    ):
        write_file(folder / path)

    found = reports(plan_of(folder))

    assert set(found) == {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert all(report.reason for report in found.values())
    by_verdict = {
        verdict: {path for path, report in found.items() if report.verdict == verdict}
        for verdict in ("used", "ignored", "unknown")
    }
    assert by_verdict["unknown"] == {
        "notes.txt",
        "90218-sleep_0001.h5",
        "90218-wheel_0002.csv",
        "overview.tif",
        "old/90218-old_00001_00001.tif",
    }
    assert "acquisition 2 of '90218-wheel'" in found["90218-wheel_0002.csv"].reason
    assert len(by_verdict["ignored"]) == 7
    assert {"tif", "wavesurfer"} <= {found[path].datasettype for path in by_verdict["used"]}


def test_a_converted_video_does_not_stand_beside_its_original(folder):
    write_file(folder / "90218-wheel_0001.mp4")

    found = reports(plan_of(folder))

    assert found["90218-wheel_0001.avi"].verdict == "used"
    assert "90218-wheel_0001.avi" in found["90218-wheel_0001.mp4"].reason


def test_a_link_is_reported_and_not_followed(folder, tmp_path):
    elsewhere = write_tif(tmp_path / "mouse_00001_00001.tif")
    (folder / "mouse_00001_00001.tif").symlink_to(elsewhere)

    report = reports(plan_of(folder))["mouse_00001_00001.tif"]

    assert report.verdict == "unknown"
    assert "link" in report.reason


LINKED = [
    (OPEN_FIELD.tif_names[1], "2Pminiscope_A", lambda path: write_folder(path, OPEN_FIELD)),
    (OPEN_FIELD.tif_names[-1], "2Pminiscope_A", lambda path: write_folder(path, OPEN_FIELD)),
    (f"{OPEN_FIELD.name}_0001.csv", "2Pminiscope_A", lambda path: write_folder(path, OPEN_FIELD)),
    ("movie_2.tif", "plain tifs", write_plain_tifs),
    ("MUnit_0/MUnit_0_00002.tif", "femtonics", write_femtonics),
]


@pytest.mark.parametrize(("name", "experiment_type", "write"), LINKED)
def test_a_recording_with_a_file_that_is_a_link_is_refused(tmp_path, name, experiment_type, write):
    folder = write(tmp_path / "day1")
    (folder / name).replace(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(PathError, match=rf"would not be whole.*{name}.*a link, which is not followed"):
        plan_of(folder, experiment_type=experiment_type)


def test_a_folder_without_recordings_is_an_error(tmp_path):
    write_file(tmp_path / "notes.txt")
    write_file(tmp_path / "mouse_0001.h5")

    with pytest.raises(NothingFoundError, match="no recording of type 2Pminiscope_A.*mouse_0001.h5"):
        plan_of(tmp_path)


def test_a_folder_of_one_unknown_file_is_told_to_hold_one_file(tmp_path):
    write_file(tmp_path / "mouse_0001.h5")

    with pytest.raises(NothingFoundError, match=r"Found: 1 file: mouse_0001\.h5"):
        plan_of(tmp_path)


@pytest.mark.parametrize("name", ["x_12345_00001.tif", "x_00001_00001_00001.tif"])
def test_a_name_that_can_be_split_in_two_ways_is_refused_with_the_file(tmp_path, name):
    write_tif(tmp_path / name)

    with pytest.raises(NamingError, match=f"certainly.*{name}"):
        plan_of(tmp_path)


def test_an_animal_number_before_both_counters_is_part_of_the_name(tmp_path):
    write_tif(tmp_path / "open_field_90218_00001_00001.tif")

    (session,) = sessions(plan_of(tmp_path))

    assert session.timeseries_name == "open_field_90218"


def test_one_acquisition_cannot_be_split_and_whole(tmp_path):
    write_tif(tmp_path / "mouse_00001.tif")
    write_tif(tmp_path / "mouse_00001_00002.tif")

    with pytest.raises(NamingError, match="acquisition 1 of 'mouse'"):
        plan_of(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    folder = write_folder(tmp_path, Timeseries("mouse", files=(4,)))
    (folder / "mouse_00001_00002.tif").unlink()

    with pytest.raises(NamingError, match="files 1, 3, 4, without 2"):
        plan_of(folder)


def test_a_missing_acquisition_is_named(tmp_path):
    folder = write_folder(tmp_path, Timeseries("mouse", files=(1, 1, 1)))
    (folder / "mouse_00002_00001.tif").unlink()

    with pytest.raises(NamingError, match="acquisitions 1, 3, without 2"):
        plan_of(folder)


def test_first_tries_may_be_thrown_away(tmp_path):
    folder = write_folder(tmp_path, Timeseries("mouse", files=(1, 1), first_acquisition=3))

    (session,) = sessions(plan_of(folder))

    assert [file.acquisition for file in dataset(session, "tif").files] == [3, 4]


def test_two_names_of_one_recording_are_refused(tmp_path):
    folder = write_folder(tmp_path, Timeseries("mouse"), Timeseries("mouse-copy"))

    with pytest.raises(NamingError, match="'mouse' and 'mouse-copy'"):
        plan_of(folder)


def test_a_file_written_a_moment_ago_lets_the_request_wait(folder):
    now = COPIED.replace(tzinfo=None) + timedelta(seconds=30)

    with pytest.raises(StillCopyingError, match="waits"):
        make_plan(REQUEST, scan(folder), {}, {}, now=now)

    assert make_plan(REQUEST, scan(folder), {}, {}, now=now, settle_s=0).metasessions


def test_a_gap_waits_while_files_are_still_arriving(tmp_path):
    folder = write_folder(tmp_path, Timeseries("mouse", files=(3,)))
    (folder / "mouse_00001_00002.tif").unlink()

    with pytest.raises(StillCopyingError):
        make_plan(REQUEST, scan(folder), {}, {}, now=COPIED.replace(tzinfo=None))


def test_a_folder_in_which_nothing_has_arrived_but_companions_waits(tmp_path):
    write_companions(tmp_path, "mouse", 1)

    with pytest.raises(StillCopyingError):
        make_plan(REQUEST, scan(tmp_path), {}, {}, now=COPIED.replace(tzinfo=None))


def test_a_new_file_of_another_kind_does_not_hold_the_request_up(folder):
    now = COPIED.replace(tzinfo=None) + timedelta(hours=1)
    aged(write_file(folder / "Thumbs.db"), COPIED + timedelta(hours=1))
    aged(write_file(folder / "notes.txt"), COPIED + timedelta(hours=1))

    assert make_plan(REQUEST, scan(folder), {}, {}, now=now).metasessions


@pytest.mark.parametrize("num_bytes", [0, 500, -50])
def test_a_truncated_tif_lets_the_request_wait_while_it_may_still_grow(folder, num_bytes):
    wheel = folder / "90218-wheel_00001_00001.tif"
    write_file(wheel, wheel.read_bytes()[:num_bytes])

    with pytest.raises(StillCopyingError, match="90218-wheel_00001_00001.tif.*60 min"):
        plan_of(folder)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (-20, TruncatedError),  # times so far ahead come of a wrong clock
        (-10, StillCopyingError),  # the server's clock may be a little ahead
        (59, StillCopyingError),
        (61, TruncatedError),
    ],
)
def test_a_truncated_tif_is_an_error_when_nothing_of_it_came_for_an_hour(folder, minutes, expected):
    aged(truncate(folder / "90218-wheel_00001_00001.tif", 50))
    (entry,) = (file for file in scan(folder).files if file.path == "90218-wheel_00001_00001.tif")
    now = entry.arrived + timedelta(minutes=minutes)

    with pytest.raises(expected):
        make_plan(REQUEST, scan(folder), {}, {}, now=now)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may read all")
def test_a_tif_that_may_not_be_read_waits_and_is_then_the_administrators_to_mend(folder):
    (folder / "90218-wheel_00001_00001.tif").chmod(0)
    listing = scan(folder)

    with pytest.raises(StillCopyingError, match="90218-wheel_00001_00001.tif"):
        make_plan(REQUEST, listing, {}, {})
    with pytest.raises(PathError, match="90218-wheel_00001_00001.tif.*Give the account") as error:
        make_plan(REQUEST, listing, {}, {}, now=listing.files[-1].arrived + timedelta(hours=2))

    assert error.value.responsible is Responsible.ADMINISTRATOR


def test_a_tif_that_goes_away_while_the_folder_is_read_lets_the_request_wait(folder):
    listing = scan(folder)
    (folder / "90218-wheel_00001_00001.tif").unlink()

    with pytest.raises(StillCopyingError, match="went away.*90218-wheel_00001_00001.tif"):
        make_plan(REQUEST, listing, {}, {})


@pytest.mark.parametrize("minutes", [-10, 1])
def test_a_server_whose_clock_is_ahead_lets_the_request_wait_longer(folder, minutes):
    now = COPIED.replace(tzinfo=None) + timedelta(minutes=minutes)

    with pytest.raises(StillCopyingError, match="still being copied"):
        make_plan(REQUEST, scan(folder), {}, {}, now=now)


def test_files_dated_far_ahead_do_not_wait_for_that_day(folder):
    now = COPIED.replace(tzinfo=None) - timedelta(days=400)

    assert make_plan(REQUEST, scan(folder), {}, {}, now=now).metasessions


def test_the_tif_that_differs_from_most_of_its_session_is_named(tmp_path):
    folder = write_folder(tmp_path, Timeseries("mouse", files=(3,)))
    write_unlike_tif(folder / "mouse_00001_00001.tif")

    with pytest.raises(FormatError, match=r"mouse_00001_00001.*uint16.*int16.*as in mouse_00001_00002"):
        plan_of(folder)


def test_a_tif_that_joins_is_held_against_those_that_are_registered(tmp_path):
    folder = write_folder(tmp_path, Timeseries("mouse"))
    stored = stored_of(plan_of(folder))
    for number in (2, 3):
        write_unlike_tif(folder / f"mouse_00001_0000{number}.tif")

    with pytest.raises(FormatError, match=r"mouse_00001_00002.*uint16.*as in mouse_00001_00001"):
        plan_of(folder, stored)


def test_a_tif_of_another_program_is_an_error_and_no_wait(folder):
    aged(write_tif_without_header(folder / "90218-wheel_00001_00001.tif"))

    with pytest.raises(FormatError, match="90218-wheel_00001_00001.tif"):
        plan_of(folder)


def test_an_unchanged_file_is_not_read_again(folder):
    first = plan_of(folder)
    stored = stored_of(first)
    for path in folder.rglob("*.tif"):
        path.write_bytes(b"?" * path.stat().st_size)
        aged(path)

    assert plan_of(folder, stored) == first


def test_never_more_than_one_file_is_open(folder, monkeypatch):
    opened = []

    def opening(*args, **kwargs):
        assert all(file.closed for file in opened)
        opened.append(builtin(*args, **kwargs))
        return opened[-1]

    builtin = io.open
    monkeypatch.setattr(io, "open", opening)
    plan_of(folder)
    assert len(opened) >= len(list(folder.iterdir()))


def test_a_replaced_file_is_seen_although_its_name_and_size_are_the_same(folder):
    first = plan_of(folder)
    aged(write_tif(folder / "90218-wheel_00001_00001.tif", WHEEL.start, seed=99), COPIED + timedelta(hours=1))

    second = plan_of(folder, stored_of(first))

    old, new = (dataset(sessions(plan)[1], "tif").files[0] for plan in (first, second))
    assert old.size_bytes == new.size_bytes
    assert old.fingerprint != new.fingerprint
    assert sessions(first)[1].session_name == sessions(second)[1].session_name


def test_a_recording_that_is_gone_stays_in_its_session(folder):
    first = plan_of(folder)
    (folder / "90218-openfield1m_00001_00001.tif").unlink()

    second = plan_of(folder, stored_of(first))

    assert second.metasessions == first.metasessions
    assert second.gone == ("90218/day1/90218-openfield1m_00001_00001.tif",)
    assert "90218-openfield1m_00001_00001.tif" not in reports(second)


def test_a_recording_that_was_put_into_a_subfolder_is_gone(tmp_path):
    folder = write_folder(tmp_path, Timeseries("mouse", files=(2,)))
    first = plan_of(folder)
    (folder / "old").mkdir()
    (folder / "mouse_00001_00002.tif").rename(folder / "old/mouse_00001_00002.tif")

    second = plan_of(folder, stored_of(first))

    assert second.metasessions == first.metasessions
    assert second.gone == ("90218/day1/mouse_00001_00002.tif",)


def test_a_renamed_timeseries_is_not_gone(tmp_path):
    folder = write_folder(tmp_path, Timeseries("mouse"))
    first = plan_of(folder)
    (folder / "mouse_00001_00001.tif").rename(folder / "rat_00001_00001.tif")

    second = plan_of(folder, stored_of(first))

    assert second.gone == ()
    assert [session.timeseries_name for session in sessions(second)] == ["rat"]
    assert sessions(second)[0].session_name == sessions(first)[0].session_name


def test_a_companion_that_arrives_later_joins(folder):
    first = plan_of(folder)
    write_companions(folder, "90218-wheel", 2)
    write_tif(folder / "90218-wheel_00002_00001.tif", WHEEL.start + timedelta(minutes=10))

    second = plan_of(folder, stored_of(first))

    assert sessions(second)[1].session_name == sessions(first)[1].session_name
    assert len(dataset(sessions(second)[1], "wavesurfer").files) == 2


def test_an_unknown_experiment_type_is_refused_with_the_nearest(folder):
    with pytest.raises(InputError, match="Did you mean 2Pminiscope_A"):
        plan_of(folder, experiment_type="2pminiscope")


def test_an_unknown_option_set_is_refused_with_the_nearest(folder):
    request = replace(REQUEST, ops_name="fsat")

    with pytest.raises(InputError, match="fast"):
        make_plan(request, scan(folder), {}, {"fast": {}, "slow": {}})


def test_a_folder_that_is_a_repository_itself_has_plain_paths(tmp_path):
    folder = write_folder(tmp_path, Timeseries("mouse"))

    plan = make_plan(replace(REQUEST, folder=""), scan(folder), {}, {})

    assert [report.path for report in plan.files] == ["mouse_00001_00001.tif"]
    assert plan.metasessions[0].suite2p_folder.startswith("split_mouse_")
