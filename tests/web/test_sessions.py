"""Sessions, as people look for them and at them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imaging_pipeline.schemas import imaging, suite2p_jobs, tables
from imaging_pipeline.schemas.administer import administration
from tests.makers.lab import Lab, register
from tests.makers.recordings import OBJECT, OPEN_FIELD, session_key, write_recording
from tests.makers.site import Visitor, links_of
from tests.makers.viewed_session import viewed_session


@pytest.fixture
def key(lab: Lab, site) -> dict[str, Any]:
    return viewed_session(lab)


def shown(page: str) -> list[str]:
    return [name for name in (OBJECT.name, OPEN_FIELD.name) if f">{name}</a>" in page]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", [OBJECT.name, OPEN_FIELD.name]),
        ("name=openfield", [OPEN_FIELD.name]),
        ("name=OBJECT", [OBJECT.name]),
        ("name=%25", []),
        ("name=_", []),
        ("animal=90218", [OBJECT.name, OPEN_FIELD.name]),
        ("username=anna&type=2Pminiscope_A", [OBJECT.name, OPEN_FIELD.name]),
        ("type=femtonics", []),
        ("username=bob", []),
        ("since=2024-05-17&until=2024-05-17", [OBJECT.name, OPEN_FIELD.name]),
        ("until=2024-05-16", []),
        ("since=someday&page=x", [OBJECT.name, OPEN_FIELD.name]),
        ("page=2", []),
    ],
)
@pytest.mark.usefixtures("key")
def test_sessions_are_found(anna: Visitor, asked: str, found: list[str]) -> None:
    assert shown(anna.get(f"/sessions/?{asked}").text) == found


def test_a_session_tells_of_its_acquisitions_and_of_frames_that_are_missing(
    anna: Visitor, key: dict[str, Any]
) -> None:
    page = anna.get(f"/sessions/{key['session_name']}").text
    assert "<dd>2.1 s, in 2 acquisitions with pauses between</dd>" in page
    assert "<dt>Missing</dt>" not in page
    session = {"session_name": key["session_name"]}
    first = (imaging.Tif.Acquisition & session & {"acquisition_number": 1}).fetch1()
    imaging.Tif.Acquisition().update1({**first, "num_lost_frames": 3})
    assert "<dt>Missing</dt><dd>3 frames</dd>" in anna.get(f"/sessions/{key['session_name']}").text


def test_a_session_tells_of_files_that_are_cut(anna: Visitor, key: dict[str, Any]) -> None:
    path = f"90218/2024-05-17/{OPEN_FIELD.tif_names[-1]}"
    last = (imaging.PhysicalFile & {"file_path": path}).fetch1()
    assert "damaged" not in anna.get(f"/sessions/{key['session_name']}").text
    imaging.PhysicalFile().update1({**last, "pages_taken": 5})
    page = anna.get(f"/sessions/{key['session_name']}").text
    assert "<td>damaged: only its first 5 pages taken</td>" in page
    assert ", 1 damaged and cut</summary>" in page


def test_a_session_tells_what_suite2p_was_not_given(lab: Lab, anna: Visitor) -> None:
    folder = lab.share / "90218" / "2024-05-17"
    tif = write_recording(folder, OPEN_FIELD)[-1].name
    administration.add_options(tables.default_tables(), "fast", {"tau": 1.0})
    register(lab, folder, combined=False, ops_name="fast")
    (key,) = imaging.MetaSession.Suite2pyOps.keys()
    row = {
        **{"output_folder": "x", "adopted": False, "run_num_frames": 20, "run_num_rois": 5},
        **{"run_seconds": 1.0, "run_machine": "", "run_threads": 0},
        **dict.fromkeys(("run_settings", "run_overridden", "run_stage_seconds", "run_versions"), {}),
        **{"run_bad_frames": [3, 9], "run_trimmed": {tif: 1}},
    }
    suite2p_jobs.Suite2Py.insert1({**key, **row}, allow_direct_insert=True)
    page = anna.get(f"/sessions/{imaging.Session.fetch1('session_name')}").text
    assert "<dd>of detection: 2 frames of bad_frames.npy</dd>" in page
    assert f"<dd>1 page at the end of <code>{tif}</code>, of a volume that is not complete</dd>" in page


def test_sessions_are_found_by_the_beginning_of_a_hash(anna: Visitor, key: dict[str, Any]) -> None:
    assert shown(anna.get(f"/sessions/?name={key['session_name'][:7]}").text) == [OPEN_FIELD.name]
    whole = anna.get(f"/sessions/?name={key['metasession_name']}").text
    assert shown(whole) == [OBJECT.name, OPEN_FIELD.name]


@pytest.mark.usefixtures("key")
def test_an_animal_that_is_not_there_is_told(anna: Visitor) -> None:
    page = anna.get("/sessions/?animal=90217")
    assert page.status_code == 200
    assert "90218" in page.text.split('id="sessions"')[1]


@pytest.mark.usefixtures("key")
def test_a_strip_says_how_far_each_table_is(anna: Visitor) -> None:
    page = anna.part("/sessions/").text
    assert page.count('<li class="done" title="Cell: done">') == 2
    assert "<html" not in page


def test_why_a_session_is_not_done_is_told(anna: Visitor, key: dict[str, Any]) -> None:
    (imaging.FilteredSpikes & key).delete(prompt=False)
    page = anna.part(f"/sessions/{key['session_name']}/why").text
    assert "FilteredSpikes" in page
    assert "pending" in page
    assert anna.get(f"/sessions/{key['session_name']}/why").text.count("<h1>") == 1


def test_from_why_a_session_is_not_done_one_gets_to_its_job_and_to_registering_again(
    anna: Visitor, key: dict[str, Any]
) -> None:
    path = f"/sessions/{key['session_name']}/why"
    assert not [link for link in links_of(anna.get(path)) if "again=" in link]
    (imaging.SNR & key).delete(prompt=False)
    links = {link.partition("?")[0]: link for link in links_of(anna.get(path))}
    assert "imaging.SNR" in links["/jobs/one"]
    assert "SNR of " in anna.get(links["/jobs/one"]).text
    assert "90218/2024-05-17".replace("/", "\\") in anna.get(links["/add/"]).text
    imaging.User.insert1({"username": "carl", "first_name": "Carl"})
    imaging.MetaSession.update1({"metasession_name": key["metasession_name"], "username": "carl"})
    assert not [link for link in links_of(anna.get(path)) if "again=" in link]


def test_a_session_shows_files_rates_cells_and_its_siblings(anna: Visitor, key: dict[str, Any]) -> None:
    page = anna.get(f"/sessions/{key['session_name']}").text
    for told in (*OPEN_FIELD.tif_names, "10 Hz", 'id="viewer"', OBJECT.name, "90218/2024-05-17"):
        assert told in page
    tif = (imaging.Tif & session_key(OPEN_FIELD)).fetch1()
    pixels = np.frombuffer(
        anna.get(f"/sessions/{key['session_name']}/image/{tif['dataset_name']}").data, "<f4"
    )
    np.testing.assert_array_equal(pixels, tif["mean_image"].load().ravel())


def test_a_session_without_anything_imported_is_shown(lab: Lab, anna: Visitor) -> None:
    folder = lab.share / "90218" / "2024-05-17"
    write_recording(folder, OPEN_FIELD)
    imaging.BaseFolder.add(**lab.request(folder, combined=False))
    imaging.MakeDatasetSessions.populate()
    page = anna.get(f"/sessions/{imaging.Session.fetch1('session_name')}")
    assert page.status_code == 200
    assert "Nothing is imported yet" in page.text


def test_notes_and_circumstances_are_kept_with_who_made_them(anna: Visitor, key: dict[str, Any]) -> None:
    address = f"/sessions/{key['session_name']}"
    assert anna.fill(address, {"note": "woke up"}, action=f"{address}/note").status_code == 302
    sent = anna.fill(address, {"types": ["open field", "wheel"]}, action=f"{address}/circumstances")
    assert sent.status_code == 302
    page = anna.get(address).text
    assert "woke up" in page
    assert 'value="wheel" checked' in page
    assert set((imaging.Session.SessionType & key).to_arrays("sessiontype")) == {"open field", "wheel"}
    anna.fill(address, {"types": ["wheel"]}, action=f"{address}/circumstances")
    assert (imaging.Session.SessionType & key).fetch1("sessiontype") == "wheel"
    assert set(imaging.Change.to_arrays("change_username")) == {"anna"}


@pytest.mark.parametrize(
    ("field", "shown", "other", "mine"),
    [("types", [], ["open field"], ["wheel"]), ("types", ["wheel"], [], ["wheel", "open field"])],
)
def test_what_another_person_changed_meanwhile_is_not_overwritten(
    anna: Visitor, key: dict[str, Any], field: str, shown: list[str], other: list[str], mine: list[str]
) -> None:
    address = f"/sessions/{key['session_name']}"
    anna.fill(address, {field: shown}, action=f"{address}/circumstances")
    form = anna.form(anna.get(address), f"{address}/circumstances")
    anna.fill(address, {field: other}, action=f"{address}/circumstances")
    refused = anna.send(form, {field: mine})
    assert refused.status_code == 400
    for values in (other, mine):
        assert (", ".join(sorted(values)) or "none") in refused.text
    assert set((imaging.Session.SessionType & key).to_arrays("sessiontype")) == set(other)


@pytest.mark.parametrize(
    ("typed", "action"),
    [({"types": "sleep"}, "circumstances"), ({"note": ""}, "note"), ({"note": "x" * 5000}, "note")],
)
def test_what_cannot_be_noted_changes_nothing(
    anna: Visitor, key: dict[str, Any], typed: dict[str, str], action: str
) -> None:
    address = f"/sessions/{key['session_name']}"
    assert anna.fill(address, typed, action=f"{address}/{action}").status_code == 400
    assert not imaging.Session.SessionType()
    assert not imaging.Change()


def test_only_ones_own_sessions_can_be_noted_of(anna: Visitor, bob: Visitor, key: dict[str, Any]) -> None:
    address = f"/sessions/{key['session_name']}"
    form = anna.form(anna.get(address), f"{address}/note")
    imaging.User.insert1({"username": "carl", "first_name": "Carl"})
    imaging.MetaSession.update1({"metasession_name": key["metasession_name"], "username": "carl"})
    assert f"{address}/note" not in anna.get(address).text
    assert anna.send(form, {"note": "mine"}).status_code == 403
    assert bob.fill(address, {"note": "seen"}, action=f"{address}/note").status_code == 302


@pytest.mark.parametrize("path", ["", "/why", "/image/0123456789abcdef"])
@pytest.mark.usefixtures("site")
def test_a_session_that_is_not_there_is_told(anna: Visitor, path: str) -> None:
    assert anna.get(f"/sessions/0123456789abcdef{path}").status_code == 404
