"""Retiring sessions: what a person asks for goes, with all below it; what happened stays."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from imaging_pipeline.cli import main
from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas import imaging, mlims, tables
from imaging_pipeline.schemas.administer import session_notes
from imaging_pipeline.schemas.administer.administration import add_options, add_user
from imaging_pipeline.schemas.locks import in_transaction
from imaging_pipeline.schemas.register import registration
from imaging_pipeline.schemas.register import retire as retiring
from imaging_pipeline.schemas.register.folder_request import FolderRequest
from tests.database.test_rules_of_registering import content_of, imported, report
from tests.makers.config_file import write_config
from tests.makers.folders import OPEN_FIELD, START, WHEEL, Timeseries, write_folder
from tests.makers.lab import Lab, register, row_counts

LAST = Timeseries("90218-sleep", START.replace(hour=16))
KEPT = (
    "user",
    "repository",
    "animal",
    "base_folder",
    "make_dataset_sessions",
    "curation",
    "retirement",
    "~~",
)


@pytest.fixture
def folder(lab: Lab) -> Path:
    return write_folder(lab.share / "90218" / "day1", OPEN_FIELD, WHEEL)


@pytest.fixture
def run(lab: Lab, tmp_path: Path) -> Callable[..., Result]:
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")
    return lambda *arguments: CliRunner().invoke(main, ["--config", str(config), *arguments])


def retire(named: str, reason: str = "wrong animal") -> retiring.Retirement:
    return retiring.retire(tables.default_tables(), named, username="anna", reason=reason)


def session_of(timeseries: Timeseries) -> str:
    return str((imaging.Session & {"timeseries_name": timeseries.name}).fetch1("session_name"))


def test_a_retired_folder_leaves_nothing_but_what_was_done(lab: Lab, folder: Path) -> None:
    add_options(tables.default_tables(), "fast", {"tau": 1.0})
    imported(lab, folder)
    before, files = row_counts(lab), content_of(lab.share)
    seen = retiring.preview(tables.default_tables(), lab.windows_path(folder))
    retired = retire(lab.windows_path(folder))
    after = row_counts(lab)
    lost = {name: before[name] - rows for name, rows in after.items() if rows < before[name]}
    assert seen == retired
    assert {each.table: each.num_rows for each in retired.purged} == lost
    left = {name.split(".")[-1].strip('`"') for name, rows in after.items() if rows}
    assert {name for name in left if not any(kept in name for kept in KEPT)} == {"suite2py_ops"}
    assert content_of(lab.share) == files


def test_a_retirement_is_kept_with_who_when_why_and_what(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False)
    name = session_of(WHEEL)
    retired = retire(name, "it was another animal")
    event = imaging.Retirement().fetch1()
    assert (event["retirement_username"], event["retirement_reason"]) == ("anna", "it was another animal")
    row = imaging.Retirement.Session().fetch1()
    assert (row["retired_session"], row["retired_timeseries"]) == (name, WHEEL.name)
    assert (row["retired_animal"], row["retired_folder"]) == ("a0f1", "90218/day1")
    purged = {
        each["retired_table"]: each["num_rows_retired"] for each in imaging.Retirement.Purge().to_dicts()
    }
    assert purged == {each.table: each.num_rows for each in retired.purged}
    assert imaging.Session().fetch1("timeseries_name") == OPEN_FIELD.name


def test_a_session_retired_from_the_middle_closes_the_ranks_and_outdates_the_output(lab: Lab) -> None:
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD, WHEEL, LAST)
    imported(lab, folder)
    retire(session_of(WHEEL))
    assert imaging.Session().to_arrays("timeseries_name", "session_order", order_by="session_order")[
        0
    ].tolist() == [OPEN_FIELD.name, LAST.name]
    assert imaging.Session().to_arrays("session_order", order_by="session_order").tolist() == [0, 1]
    assert set(imaging.Dataset().to_arrays("datasettype")) == {
        *("tif", "wavesurfer", "tracking_openfield", "tracking_wheel", "tracking_video")
    }
    assert (len(imaging.Cell()), len(imaging.Tif())) == (0, 2)


def test_a_retired_session_is_registered_anew_when_its_folder_is(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False)
    (folder / OPEN_FIELD.tif_names[1]).unlink()
    name = session_of(OPEN_FIELD)
    retire(name, "a tif is gone")
    request = register(lab, folder, combined=False)
    assert sorted(report("Session", request, "session_verdict")) == ["known", "new"]
    assert report("Finding", request, "finding") == []
    assert session_of(OPEN_FIELD) == name


def test_a_corrected_animal_is_a_new_session_only_once_the_old_one_is_retired(lab: Lab, folder: Path) -> None:
    mlims.Animal.insert1({"animal_id": "b7", "datasource_id": 1, "animal_name": "90853"})
    register(lab, folder, combined=True)
    for combined in (True, False):
        request = imaging.BaseFolder.add(**{**lab.request(folder, combined=combined), "animal": "90853"})
        imaging.MakeDatasetSessions.populate()
        name = imaging.MetaSession().fetch1("metasession_name")
        for told in report("Finding", request, "finding"):
            assert told.startswith(("other animal: ", "conflict: "))
        assert any(
            f"imaging-pipeline retire {name}" in told for told in report("Finding", request, "finding")
        )
    retire(name)
    imaging.BaseFolder.add(**{**lab.request(folder, combined=True), "animal": "90853"})
    imaging.MakeDatasetSessions.populate()
    assert imaging.MetaSession().fetch1("animal_id", "datasource_id") == ("b7", 1)


def test_a_corrected_label_is_a_new_session_and_the_old_one_is_told_to_be_there(
    lab: Lab, folder: Path
) -> None:
    register(lab, folder, combined=True)
    old = imaging.MetaSession().fetch1("metasession_name")
    request = register(lab, folder, combined=False)
    for told in report("Finding", request, "finding"):
        assert told.startswith("other label: ")
        assert f"imaging-pipeline retire {old}" in told
    assert report("Finding", register(lab, folder, combined=False), "finding") == []
    with pytest.raises(InputError, match=f"in more than one way.*{old}"):
        retire(lab.windows_path(folder))
    retire(old)
    assert set(imaging.MetaSession().to_arrays("combined")) == {"no"}


def test_a_corrected_experimenter_is_told_how_and_no_new_session(lab: Lab, folder: Path) -> None:
    add_user(tables.default_tables(), "ben")
    register(lab, folder, combined=True)
    request = imaging.BaseFolder.add(**{**lab.request(folder, combined=True), "username": "ben"})
    imaging.MakeDatasetSessions.populate()
    (told,) = report("Finding", request, "finding")
    assert told.startswith("other person: ")
    exec(told.partition("experimenter: ")[2], {"imaging": imaging})
    assert imaging.MetaSession().fetch1("username") == "ben"
    assert len(imaging.Session()) == 2


def test_a_copy_is_registered_once_the_original_is_retired(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True)
    copy = shutil.copytree(folder, folder.with_name("copy"))
    retire(lab.windows_path(folder))
    register(lab, copy, combined=True)
    assert imaging.MetaSession().fetch1("metasession_folder") == "90218/copy"


def test_a_plan_that_waited_is_made_anew_when_its_session_was_retired(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False)
    gone = folder / OPEN_FIELD.tif_names[1]
    gone.unlink()
    request = imaging.BaseFolder.add(**lab.request(folder, combined=False))
    row = (imaging.BaseFolder & {"basefolder_id": request}).fetch1()
    planned = registration.plan(tables.default_tables(), FolderRequest.from_row(row))
    decision = registration.decide(tables.default_tables(), planned)
    retire(session_of(OPEN_FIELD))
    with in_transaction(lab.connection):
        registration.apply(tables.default_tables(), planned, decision)
    assert not imaging.PhysicalFile & {"file_path": f"90218/day1/{gone.name}"}


def test_more_than_was_shown_is_not_retired(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False)
    named = session_of(WHEEL)
    imaging.Tif.populate()
    before = row_counts(lab)
    with pytest.raises(InputError, match="More would be deleted than was shown"):
        retiring.retire(tables.default_tables(), named, username="anna", reason="wrong", consent={})
    assert row_counts(lab) == before


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("0123456789abcdef", "no session or MetaSession of this name"),
        ("N:\\moser\\nowhere", "Nothing of this folder is registered"),
        ("nowhere", "not the whole path"),
    ],
)
def test_what_is_not_registered_cannot_be_retired(run: Callable[..., Result], named: str, told: str) -> None:
    result = run("retire", named, "--user", "anna", "--reason", "wrong", "--yes")
    assert result.exit_code == 1
    assert told in result.output


@pytest.mark.parametrize(
    ("username", "reason", "told"),
    [("ana", "wrong", "There is no username 'ana'"), ("anna", " ", "Retiring needs a reason")],
)
def test_nothing_is_shown_of_what_could_not_be_noted(
    lab: Lab, folder: Path, run: Callable[..., Result], username: str, reason: str, told: str
) -> None:
    register(lab, folder, combined=False)
    result = run("retire", session_of(WHEEL), "--user", username, "--reason", reason)
    assert told in result.stderr
    assert result.stdout == ""


def test_the_command_shows_what_goes_and_deletes_nothing_unasked(
    lab: Lab, folder: Path, run: Callable[..., Result]
) -> None:
    register(lab, folder, combined=False)
    arguments = ("retire", session_of(WHEEL), "--user", "anna", "--reason", "wrong animal")
    unasked = run(*arguments)
    assert unasked.exit_code == 1
    assert "nothing was deleted" in unasked.output
    assert f"  2024-05-17 14:43:09  {WHEEL.name} ({session_of(WHEEL)})\n" in unasked.stdout
    assert "not combined, animal a0f1, 90218/day1 of moser\n" in unasked.stdout
    assert max(map(len, unasked.stdout.splitlines())) <= 80
    assert len(imaging.Session()) == 2
    done = run(*arguments, "--yes")
    assert done.exit_code == 0
    assert "PhysicalFile" in done.output
    assert imaging.Session().fetch1("timeseries_name") == OPEN_FIELD.name


def test_the_report_of_a_session_tells_that_it_was_retired(
    lab: Lab, folder: Path, run: Callable[..., Result]
) -> None:
    register(lab, folder, combined=False)
    name = session_of(WHEEL)
    assert "Retired" not in run("report", WHEEL.name).stdout
    retire(name, "it was another animal")
    told = run("report", WHEEL.name).stdout.splitlines()
    assert told[-2].startswith("Retired by anna, 20")
    assert told[-2].endswith(": it was another animal")
    assert told[-1] == f"  2024-05-17 14:43:09  {WHEEL.name} ({name})"


def test_what_people_noted_is_kept_shown_and_restored_for_the_corrected_animal(
    lab: Lab, folder: Path, run: Callable[..., Result]
) -> None:
    mlims.Animal.insert1({"animal_id": "b0f1", "datasource_id": 0, "animal_name": "90219"})
    register(lab, folder, combined=False)
    (session,) = (imaging.Session & {"timeseries_name": WHEEL.name}).to_dicts()
    session_notes.set_types(tables.default_tables(), session, ["wheel", "open field"])
    session_notes.add_note(tables.default_tables(), session["metasession_name"], "woke up")
    arguments = ("retire", session["session_name"], "--user", "anna", "--reason", "another animal", "--yes")
    retired = run(*arguments).stdout
    assert all(text in retired for text in ("woke up", "SessionType: wheel", "SessionType: open field"))
    retire(session_of(OPEN_FIELD))

    request = imaging.BaseFolder.add(**{**lab.request(folder, combined=True), "animal": "90219"})
    imaging.MakeDatasetSessions.populate()
    (finding,) = report("Finding", request, "finding")
    assert "woke up" in finding
    command = re.search(r"imaging-pipeline (restore-notes \w+)", finding)
    for _ in range(2):
        restored = run(*command[1].split())
        assert restored.exit_code == 0
        assert "woke up" in restored.stdout
    key = {"session_name": session_of(WHEEL)}
    assert key["session_name"] != session["session_name"]
    assert set((imaging.Session.SessionType & key).to_arrays("sessiontype")) == {"wheel", "open field"}
    assert imaging.MetaSession.Note().fetch1("note") == "woke up"


def test_nothing_is_restored_of_a_session_that_was_never_retired(
    lab: Lab, folder: Path, run: Callable[..., Result]
) -> None:
    register(lab, folder, combined=False)
    for name in (session_of(WHEEL), "0123456789abcdef"):
        refused = run("restore-notes", name)
        assert (refused.exit_code, "What to do" in refused.stderr) == (1, True)
