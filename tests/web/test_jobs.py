"""Jobs, as people watch them and help them on."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.lanes import Need
from imaging_pipeline.living_worker import Lack
from imaging_pipeline.schemas import imaging, suite2p_jobs, tables
from imaging_pipeline.schemas.administer import administration
from imaging_pipeline.web.queries import jobs as queries
from tests.makers.lab import Lab, register
from tests.makers.living import add_worker
from tests.makers.recordings import OPEN_FIELD, write_outputs, write_recording
from tests.makers.site import Visitor, html_forms
from tests.makers.suite2p_output import curate
from tests.makers.worker import worked


@pytest.fixture
def folder(lab: Lab, site) -> Path:
    folder = lab.share / "90218" / "2024-05-17"
    write_recording(folder, OPEN_FIELD)
    return folder


@pytest.fixture
def failed(lab: Lab, folder: Path) -> dict[str, Any]:
    """Return the key of an import whose tif was cut short."""
    register(lab, folder, combined=False)
    tif = folder / OPEN_FIELD.tif_names[0]
    tif.write_bytes(tif.read_bytes()[:-100])
    key = (imaging.Session.Data()).proj().fetch1()
    worked(imaging.Tif(), key)
    return key


def address(key: dict[str, Any], table: str = "imaging.Tif") -> str:
    return "&".join([f"/jobs/one?table={table}", *(f"{name}={value}" for name, value in key.items())])


def test_jobs_are_counted_by_table_and_failures_told_with_what_to_do(
    anna: Visitor, failed: dict[str, Any]
) -> None:
    page = anna.get("/jobs/").text
    assert "What failed" in page
    assert OPEN_FIELD.tif_names[0] in page
    assert '<a class="bad" href="/jobs/list?table=Tif&amp;status=error"' in page
    assert "No worker lives" in page
    assert 'hx-trigger="every 10s"' in anna.part("/jobs/").text


@pytest.mark.usefixtures("failed")
@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ("table=Tif&status=error", 1),
        ("table=Tif&status=success", 0),
        ("error=tif", 1),
        ("error=zebra", 0),
        ("error=%25", 0),
        ("status=lost&page=x", 1),
    ],
)
def test_jobs_are_listed_by_table_state_and_words(anna: Visitor, asked: str, number: int) -> None:
    assert f"{number} job" in anna.get(f"/jobs/list?{asked}").text


def test_a_failed_job_shows_where_in_the_code_and_is_tried_again(
    anna: Visitor, failed: dict[str, Any]
) -> None:
    page = anna.get(address(failed))
    assert "Traceback" in page.text
    forms = {form.fields.get("action"): form for form in _forms(anna, page)}
    assert set(forms) >= {"retry", "ignore", "prioritise"}
    assert anna.send(forms["prioritise"], {"priority": "2"}).status_code == 302
    assert (imaging.Tif().jobs & failed).fetch1("priority") == 2
    assert anna.send(forms["ignore"]).status_code == 302
    assert (imaging.Tif().jobs & failed).fetch1("status") == "ignore"
    assert anna.send(forms["retry"]).status_code == 302
    assert (imaging.Tif().jobs & failed).fetch1("status") == "pending"
    assert len(imaging.JobAction & {"jobaction_who": "anna"}) == 3
    assert len(imaging.Change()) == 3


@pytest.mark.parametrize("typed", ["9" * 5000, "", "-1", "101", "soon", "9" * 30])
def test_a_priority_is_a_small_number(anna: Visitor, failed: dict[str, Any], typed: str) -> None:
    forms = {form.fields.get("action"): form for form in _forms(anna, anna.get(address(failed)))}
    assert anna.send(forms["prioritise"], {"priority": typed}).status_code == 400
    assert (imaging.Tif().jobs & failed).fetch1("priority") == 5


def test_only_ones_own_jobs_can_be_changed(anna: Visitor, bob: Visitor, failed: dict[str, Any]) -> None:
    form = next(form for form in _forms(anna, anna.get(address(failed))) if "action" in form.fields)
    imaging.User.insert1({"username": "carl", "first_name": "Carl"})
    imaging.MetaSession.update1({"metasession_name": failed["metasession_name"], "username": "carl"})
    assert "Try again" not in anna.get(address(failed)).text
    assert anna.send(form).status_code == 403
    assert "Try again" in bob.get(address(failed)).text


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "?table=Tif",
        "?table=Nothing&session_name=a",
        "?table=Tif&session_name=0123456789abcdef",
        "?table=imaging.Tif&secret=1",
        "?table=MakeDatasetSessions&basefolder_id=x",
    ],
)
@pytest.mark.usefixtures("site")
def test_a_job_that_is_not_there_is_told(anna: Visitor, asked: str) -> None:
    assert anna.get(f"/jobs/one{asked}").status_code in (400, 404)


def test_workers_are_shown_with_what_they_do_and_lack(anna: Visitor, lab: Lab) -> None:
    lack = Lack(Need.SUITE2P, "suite2p", "It is not installed.", "Install the extra suite2p.")
    add_worker(imaging.Worker(), "desk-1", "ingest,imported", processes={7: "Tif of day1"}, lacks=(lack,))
    page = anna.get("/jobs/").text
    for told in ("desk-1", "ingest, imported", "Tif of day1", "It is not installed."):
        assert told in page
    assert "No worker lives" not in page


@pytest.fixture
def run(lab: Lab, folder: Path) -> dict[str, Any]:
    administration.add_options(tables.default_tables(), "fast", {"tau": 1.0})
    return finished_run(lab, folder, combined=False)


def finished_run(lab: Lab, folder: Path, *, combined: bool) -> dict[str, Any]:
    """Register a folder, let Suite2p have run on it, and give the key of the run."""
    register(lab, folder, combined=combined, ops_name="fast")
    (key,) = (imaging.MetaSession.Suite2pyOps - suite2p_jobs.Suite2Py).keys()
    row = {
        "output_folder": "x",
        "adopted": True,
        "run_num_frames": OPEN_FIELD.num_frames,
        "run_num_rois": 5,
        "run_seconds": 1.0,
        "run_machine": "",
        "run_threads": 0,
    }
    json = ("run_settings", "run_overridden", "run_trimmed", "run_stage_seconds", "run_versions")
    suite2p_jobs.Suite2Py.insert1({**key, **row, **dict.fromkeys(json, {})}, allow_direct_insert=True)
    return key


def add_links(page: Any) -> list[str]:
    return re.findall(r'href="(/jobs/add-run[^"]*)"', page.text)


def test_of_many_runs_the_newest_are_shown(
    lab: Lab, folder: Path, anna: Visitor, run: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = finished_run(lab, folder, combined=True)
    for number, newest in ((2, [newer, run]), (1, [newer])):
        monkeypatch.setattr(queries, "_NUM_RUNS", number)
        names = [link.rpartition("=")[2] for link in add_links(anna.get("/jobs/"))]
        assert names == [each["metasession_name"] for each in newest]


def test_what_was_curated_is_previewed_before_it_is_added(
    lab: Lab, folder: Path, anna: Visitor, run: dict[str, Any]
) -> None:
    root = write_outputs(lab, OPEN_FIELD)
    register(lab, folder, combined=False, ops_name="fast")
    for table in (imaging.Tif, imaging.ImagingAnalysis, imaging.Cell):
        table.populate()
    curate(root / "plane0", [True, False, True, True, True])
    requested = len(imaging.BaseFolder())
    (link,) = add_links(anna.get("/jobs/"))
    place = anna.get(link).headers["Location"]
    form = anna.form(anna.get(place), "/add/")
    asked = anna.send(dataclasses.replace(form, fields={**form.fields, "do": "register"}))
    assert "Delete these rows, and add" in asked.text
    assert len(imaging.BaseFolder()) == requested
    form = anna.form(asked, "/add/")
    anna.send(dataclasses.replace(form, fields={**form.fields, "do": "register"}))
    newest = (imaging.BaseFolder & {"basefolder_id": requested}).fetch1()
    assert newest["ops_name"] == "fast"
    assert newest["consent"]


def test_only_ones_own_runs_are_added(anna: Visitor, run: dict[str, Any]) -> None:
    (link,) = add_links(anna.get("/jobs/"))
    imaging.User.insert1({"username": "carl", "first_name": "Carl"})
    imaging.MetaSession.update1({"metasession_name": run["metasession_name"], "username": "carl"})
    assert add_links(anna.get("/jobs/")) == []
    assert anna.get(link).status_code == 403
    assert anna.get("/jobs/add-run?metasession_name=x").status_code == 400


def _forms(visitor: Visitor, page: Any) -> list[Any]:

    return [form for form in html_forms(page) if form.action == "/jobs/act"]
