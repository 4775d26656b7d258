"""Adding a folder, as an experimenter does it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.schemas import imaging, mlims
from tests.makers.lab import Lab, register
from tests.makers.recordings import IMPORTED, OPEN_FIELD, populate, write_outputs, write_recording
from tests.makers.site import Visitor
from tests.makers.suite2p_output import curate


@pytest.fixture
def folder(lab: Lab, site) -> Path:
    folder = lab.share / "90218" / "2024-05-17"
    write_recording(folder, OPEN_FIELD)
    (folder / "notes.txt").write_text("seen")
    return folder


@pytest.fixture
def typed(lab: Lab, folder: Path) -> dict[str, Any]:
    return {"path": lab.windows_path(folder), "animal": "90218", "experiment_type": "2Pminiscope_A"}


def test_a_preview_accounts_for_every_file_and_writes_nothing(anna: Visitor, typed: dict[str, Any]) -> None:
    page = anna.fill("/add/", {**typed, "do": "preview"})
    assert page.status_code == 200
    for told in (OPEN_FIELD.name, *OPEN_FIELD.tif_names, "notes.txt", "used"):
        assert told in page.text
    assert len(imaging.BaseFolder()) == 0


@pytest.mark.parametrize("quote", ['"{}"', "'{}'", " {} "])
def test_a_path_may_be_pasted_with_quotes(anna: Visitor, typed: dict[str, Any], quote: str) -> None:
    sent = anna.fill("/add/", {**typed, "path": quote.format(typed["path"]), "do": "register"})
    assert sent.status_code == 302
    assert imaging.BaseFolder.fetch1("folder") == "90218/2024-05-17"


def test_a_folder_is_requested_and_who_did_it_is_kept(anna: Visitor, typed: dict[str, Any]) -> None:
    sent = anna.fill("/add/", {**typed, "combined": "yes", "sessiontype": "wheel", "do": "register"})
    assert sent.headers["Location"] == "/folders/0"
    row = imaging.BaseFolder.fetch1()
    assert (row["username"], row["combined"], row["consent"]) == ("anna", "yes", {})
    assert row["sessiontype"] == "wheel"
    assert imaging.Change.fetch1("change_username") == "anna"
    assert "waiting" in anna.get("/folders/0").text


def test_what_becomes_of_damaged_tifs_is_chosen_and_chosen_again(
    anna: Visitor, typed: dict[str, Any]
) -> None:
    assert "refuse the folder" in anna.get("/add/").text
    sent = anna.fill("/add/", {**typed, "damaged_tifs": "leave out", "do": "register"})
    assert sent.status_code == 302
    assert imaging.BaseFolder.fetch1("damaged_tifs") == "leave out"
    assert "<dt>Damaged tifs</dt><dd>leave out</dd>" in anna.get("/folders/0").text
    assert '<option selected value="leave out">' in anna.get("/add/?again=0").text


def wrongly_typed() -> list[tuple[dict[str, str], str]]:
    return [
        ({"path": ""}, "Paste the folder"),
        ({"path": r"Q:\nowhere\90218"}, "repositor"),
        ({"path": r"N:\moser\..\secrets"}, ".."),
        ({"path": r"N:\moser\90218\2031-01-01"}, "2031-01-01"),
        ({"animal": "90219"}, "90218"),
        ({"experiment_type": "femtonics", "combined": "yes"}, "combined"),
        ({"experiment_type": "secrets"}, "Not a valid choice"),
        ({"damaged_tifs": "drop"}, "Not a valid choice"),
        ({"experiment_type": "femtonics", "damaged_tifs": "cut"}, "MESc exports them again"),
        ({"username": "bob"}, "Not a valid choice"),
    ]


@pytest.mark.parametrize(("wrong", "said"), wrongly_typed())
@pytest.mark.parametrize("button", ["preview", "register"])
def test_what_is_wrong_is_told_beside_its_field_and_what_was_typed_stays(
    anna: Visitor, typed: dict[str, Any], wrong: dict[str, str], said: str, button: str
) -> None:
    page = anna.fill("/add/", {**typed, "base_folder_note": "keep me", **wrong, "do": button})
    assert page.status_code == 422
    assert said in page.text
    assert "keep me" in page.text
    assert 'aria-invalid="true"' in page.text
    assert len(imaging.BaseFolder()) == 0


def test_a_file_for_which_a_folder_is_refused_is_named_beside_the_folder(
    anna: Visitor, folder: Path, typed: dict[str, Any], tmp_path: Path
) -> None:
    tif = folder / OPEN_FIELD.tif_names[-1]
    tif.rename(tmp_path / tif.name)
    tif.symlink_to(tmp_path / tif.name)
    page = anna.fill("/add/", {**typed, "do": "preview"})
    beside_folder = page.text.partition('id="path-wrong"')[2].partition("</ul>")[0]
    assert "a link, which is not followed" in beside_folder
    assert f"File: {tif}." in beside_folder


def test_a_folder_is_not_named_again_beside_the_field_that_holds_it(
    lab: Lab, anna: Visitor, typed: dict[str, Any]
) -> None:
    missing = lab.windows_path(lab.share / "90218" / "2031-01-01")
    page = anna.fill("/add/", {**typed, "path": missing, "do": "preview"})
    assert "There is no such folder." in page.text
    assert "File:" not in page.text


def test_an_error_stands_beside_the_field_that_it_is_of_whatever_its_words_are(
    anna: Visitor, typed: dict[str, Any]
) -> None:
    imaging.Setup.insert1(
        {"setup_name": "animal rig", "setup_date": "2024-01-01", "experiment_type": "femtonics"}
    )
    page = anna.fill("/add/", {**typed, "setup": "animal rig", "do": "preview"})
    beside_setup = page.text.partition('id="setup-wrong"')[2].partition("</ul>")[0]
    assert "The setup animal rig is not one for 2Pminiscope_A" in beside_setup


def test_what_would_be_deleted_is_shown_before_it_is_agreed_to(
    lab: Lab, anna: Visitor, folder: Path, typed: dict[str, Any]
) -> None:
    register(lab, folder, combined=False)
    root = write_outputs(lab, OPEN_FIELD, num_rois=3)
    register(lab, folder, combined=False)
    populate(*IMPORTED)
    curate(root / "plane0", (True, False, False))
    first = anna.fill("/add/", {**typed, "combined": "no", "do": "register"})
    assert first.status_code == 200
    assert "Nothing was requested yet" in first.text
    assert "imaging.Cell.Rois" in first.text
    assert len(imaging.BaseFolder()) == 2
    second = anna.send(anna.form(first, "/add/"), {"do": "register"})
    assert second.status_code == 302
    consent = (imaging.BaseFolder & {"basefolder_id": 2}).fetch1("consent")
    assert consent[imaging.Cell.Rois.full_table_name] == len(imaging.Cell.Rois())
    imaging.MakeDatasetSessions.populate()
    assert len(imaging.Cell()) == 0


@pytest.mark.parametrize("forged", ["", "{", "[]", '{"x": "y"}'])
def test_consent_that_cannot_be_read_is_none(
    lab: Lab, anna: Visitor, folder: Path, typed: dict[str, Any], forged: str
) -> None:
    register(lab, folder, combined=False)
    root = write_outputs(lab, OPEN_FIELD, num_rois=3)
    register(lab, folder, combined=False)
    populate(*IMPORTED)
    curate(root / "plane0", (True, False, False))
    page = anna.fill("/add/", {**typed, "combined": "no", "do": "register", "agreed": forged})
    assert "Nothing was requested yet" in page.text


def test_a_folder_that_is_still_copied_can_be_requested_all_the_same(
    anna: Visitor, folder: Path, typed: dict[str, Any]
) -> None:
    next(folder.glob("*.tif")).touch()
    page = anna.fill("/add/", {**typed, "do": "preview"})
    assert "can be added all the same" in page.text
    assert anna.fill("/add/", {**typed, "do": "register"}).status_code == 302


def test_a_folder_of_which_every_session_would_be_refused_is_not_requested(
    lab: Lab, anna: Visitor, folder: Path, typed: dict[str, Any]
) -> None:
    register(lab, folder, combined=False)
    copy = shutil.copytree(folder, folder.with_name("copy"))
    page = anna.fill("/add/", {**typed, "path": lab.windows_path(copy), "do": "register"})
    assert page.status_code == 422
    assert "Nothing of this folder would be registered: nothing was requested." in page.text
    assert "it is registered in 90218/2024-05-17 of moser, and still there" in page.text
    assert len(imaging.BaseFolder()) == 1


@pytest.mark.parametrize("typed", ["902", "A0F", "90218"])
@pytest.mark.usefixtures("site")
def test_animals_are_found_as_one_types(anna: Visitor, typed: str) -> None:
    page = anna.part(f"/add/animals?animal={typed}")
    assert 'value="90218"' in page.text
    assert "a0f1" in page.text


def test_a_name_that_several_animals_have_is_not_offered_for_the_one_whose_identifier_is_typed(
    anna: Visitor,
) -> None:
    mlims.Animal.insert1({"animal_id": "b7", "datasource_id": 0, "animal_name": "90218"})
    assert 'value="b7"' in anna.part("/add/animals?animal=b7").text


@pytest.mark.parametrize("typed", ["", "%", "_", "'", "\\", "9021_", "zebra"])
@pytest.mark.usefixtures("site")
def test_signs_of_sql_find_no_animal(anna: Visitor, typed: str) -> None:
    page = anna.get("/add/animals", query_string={"animal": typed})
    assert page.status_code == 200
    assert "<option" not in page.text


def test_a_name_is_not_offered_for_two_animals_where_the_list_ends_between_them(anna: Visitor) -> None:
    # With the 90218 that is there, the first 90219 is the twentieth and last one of the list.
    names = [*(f"902{number:02}" for number in range(18)), "90219", "90219"]
    mlims.Animal.insert(
        {"animal_id": f"c{index:02}", "datasource_id": 0, "animal_name": name}
        for index, name in enumerate(names)
    )
    page = anna.part("/add/animals?animal=902")
    assert page.text.count("<option") == 20
    assert 'value="c18"' in page.text
    assert 'value="90219"' not in page.text


def test_of_animals_with_one_name_the_identifier_is_taken(anna: Visitor) -> None:
    mlims.Animal.insert1({"animal_id": "b7", "datasource_id": 0, "animal_name": "90218"})
    page = anna.part("/add/animals?animal=90218")
    assert 'value="a0f1"' in page.text
    assert 'value="b7"' in page.text


def test_an_administrator_may_add_for_others(bob: Visitor, typed: dict[str, Any]) -> None:
    assert bob.fill("/add/", {**typed, "username": "anna", "do": "register"}).status_code == 302
    assert imaging.BaseFolder.fetch1("username") == "anna"
    assert imaging.Change.fetch1("change_username") == "bob"


def test_a_request_is_made_again_with_what_was_typed(anna: Visitor, typed: dict[str, Any]) -> None:
    anna.fill("/add/", {**typed, "combined": "yes", "base_folder_note": "twice", "do": "register"})
    form = anna.form(anna.get("/add/?again=0"), "/add/")
    assert form.fields["path"] == typed["path"]
    assert (form.fields["combined"], form.fields["base_folder_note"]) == ("yes", "twice")
    assert anna.send(form, {"do": "register"}).headers["Location"] == "/folders/1"


@pytest.mark.parametrize("again", ["77", "x", "-1", "9999999999999"])
@pytest.mark.usefixtures("site")
def test_a_request_that_is_not_there_is_no_error_of_the_site(anna: Visitor, again: str) -> None:
    assert anna.get(f"/add/?again={again}").status_code in (200, 404)
