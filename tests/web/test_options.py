"""Suite2p options, as people see them."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer import administration
from tests.makers.hostile_pickles import HOSTILE, write_option_set
from tests.makers.site import ON_ONE_SERVER, Visitor


@pytest.fixture
def mouse(site) -> None:
    administration.add_options(
        tables.default_tables(), "mouse", {"tau": 1.5, "nonrigid": False, "combined": True}
    )


def npy(content: object) -> io.BytesIO:
    file = io.BytesIO()
    np.save(file, np.array(content, dtype=object), allow_pickle=True)
    file.seek(0)
    return file


def test_no_set_is_told(anna: Visitor) -> None:
    assert "There is no option set yet" in anna.get("/options/").text


@pytest.mark.usefixtures("mouse")
def test_a_set_is_listed_and_shown_with_what_differs(anna: Visitor) -> None:
    assert 'href="/options/set/mouse"' in anna.get("/options/").text
    page = anna.get("/options/set/mouse").text
    assert "registration.nonrigid" in page
    assert "<code>1.5</code>" in page
    assert "registration.block_size" not in page


@pytest.mark.parametrize("file", ["ops.npy", "ops.json", r"C:\fakepath\Ops.NPY"])
def test_a_file_becomes_a_set(anna: Visitor, file: str) -> None:
    content = npy({"tau": 0.7}) if file.lower().endswith("npy") else io.BytesIO(b'{"tau": 0.7}')
    sent = anna.fill("/options/add", {"name": "fast", "file": (content, file)})
    assert sent.headers["Location"] == "/options/set/fast"
    assert imaging.Suite2pyOps.fetch1("ops_settings") == {"tau": 0.7}
    change = imaging.Change.fetch1()
    assert (change["change_username"], change["change_action"], change["change_subject"]) == (
        "anna",
        "added the option set",
        "fast",
    )


class Dangerous:
    def __reduce__(self) -> object:
        return (print, ("unpickled",))


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("ops.npy", npy({"tau": Dangerous()}), "print"),
        ("ops.npy", io.BytesIO(pickle.dumps({"tau": 1.0})), "Not a whole .npy file"),
        ("ops.json", io.BytesIO(b"{"), "no JSON"),
        ("ops.json", io.BytesIO(b'{"tau": "long"}'), "tau has a value of the wrong kind"),
        ("ops.json", io.BytesIO(b'{"taux": 1}'), "tau"),
        ("ops.txt", io.BytesIO(b"{}"), ".npy or .json"),
        ("ops.json", io.BytesIO(b'{"tau": 1' + b"0" * 400 + b"}"), "tau has a value of the wrong kind"),
        ("ops.json", io.BytesIO(b'{"tau": 1' + b"0" * 5000 + b"}"), "no JSON"),
        ("ops.json", io.BytesIO(b"[" * 100_000), "no JSON"),
        ("ops.json", io.BytesIO(b'{"dcnv_preprocess": {"baseline": "\\u0000"}}'), "cannot be kept"),
        ("ops.json", io.BytesIO(b'{"dcnv_preprocess": {"baseline": "\\ud800"}}'), "cannot be kept"),
    ],
)
def test_a_file_that_is_none_is_told_beside_the_field(
    anna: Visitor, capsys, file: str, content: io.BytesIO, told: str
) -> None:
    content.seek(0)
    page = anna.fill("/options/add", {"name": "fast", "file": (io.BytesIO(content.read()), file)})
    assert page.status_code == 422
    wrong = page.text.partition('id="file-wrong"')[2].partition("</ul>")[0]
    assert told in wrong
    assert 'value="fast"' in page.text
    assert not imaging.Suite2pyOps()
    assert "unpickled" not in capsys.readouterr().out


@ON_ONE_SERVER
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_an_uploaded_pickle_of_a_stranger_is_refused_and_the_site_goes_on(
    anna: Visitor, tmp_path: Path, body: bytes
) -> None:
    content = write_option_set(tmp_path / "ops.npy", body).read_bytes()
    page = anna.fill("/options/add", {"name": "fast", "file": (io.BytesIO(content), "ops.npy")})
    assert page.status_code == 422
    wrong = page.text.partition('id="file-wrong"')[2].partition("</ul>")[0]
    assert "File: ops.npy" in wrong
    assert len(wrong) < 1000
    assert not imaging.Suite2pyOps()
    assert anna.get("/options/").status_code == 200


@pytest.mark.usefixtures("mouse")
def test_a_set_is_never_changed(anna: Visitor) -> None:
    page = anna.fill("/options/add", {"name": "mouse", "file": (io.BytesIO(b'{"tau": 9}'), "ops.json")})
    assert "There is an option set mouse, with other content" in page.text
    assert imaging.Suite2pyOps.fetch1("ops_settings")["tau"] == 1.5
    assert not imaging.Change()


@pytest.mark.usefixtures("mouse")
def test_a_set_is_saved_as_it_was_given(anna: Visitor) -> None:
    sent = anna.get("/options/set/mouse/file")
    assert json.loads(sent.data) == {"tau": 1.5, "nonrigid": False, "combined": True}
    assert sent.headers["Content-Disposition"] == "attachment; filename=mouse.json"


@pytest.mark.usefixtures("mouse")
def test_two_sets_are_compared(anna: Visitor) -> None:
    administration.add_options(tables.default_tables(), "fast", {"tau": 0.7, "nonrigid": False})
    page = anna.get("/options/compare?first=mouse&second=fast").text
    assert "<code>tau</code>" in page
    assert "nonrigid" not in page.partition("<h1>")[2].replace("combined", "")


@pytest.mark.usefixtures("mouse")
def test_a_set_is_copied_and_edited(anna: Visitor) -> None:
    page = anna.get("/options/set/mouse/copy")
    form = anna.form(page, "/options/set/mouse/copy")
    assert (form.fields["tau"], form.fields["registration.nonrigid"]) == ("1.5", "false")
    assert form.fields["registration.block_size"] == ""
    typed = {"new_name": "fast", "tau": "0.7", "registration.nonrigid": "", "diameter": "[8, 9]"}
    typed |= {"nplanes": "3", "registration.batch_size": "auto", "classification.classifier_path": "null"}
    assert anna.send(form, typed).headers["Location"] == "/options/set/fast"
    settings = (imaging.Suite2pyOps & {"ops_name": "fast"}).fetch1("ops_settings")
    assert settings == {
        "tau": 0.7,
        "diameter": [8, 9],
        "nplanes": 3,
        "io": {"combined": True},
        "registration": {"batch_size": "auto"},
        "classification": {"classifier_path": None},
    }
    assert imaging.Change.fetch1("change_details") == {"copied from": "mouse"}


@pytest.mark.usefixtures("mouse")
@pytest.mark.parametrize(
    ("typed", "field", "told"),
    [
        ({"tau": "long"}, "tau", "Allowed: a number"),
        ({"registration.nimg_init": "1.5"}, "registration.nimg_init", "Allowed: a whole number"),
        ({"diameter": "[1, "}, "diameter", "Allowed: a number, or a list of numbers"),
        ({"registration.nonrigid": "perhaps"}, "registration.nonrigid", "Not a valid choice"),
        ({"new_name": "suite2p"}, "new_name", "take another name"),
        ({"new_name": "mouse"}, "new_name", "with other content"),
        ({"new_name": ""}, "new_name", "Give it a name"),
    ],
)
def test_what_cannot_be_taken_is_told_beside_its_field_and_stays(
    anna: Visitor, typed: dict[str, str], field: str, told: str
) -> None:
    values = {"new_name": "fast", "tau": "0.7", **typed}
    page = anna.fill("/options/set/mouse/copy", values)
    assert page.status_code == 422
    wrong = page.text.partition(f'id="{field}-wrong"')[2].partition("</ul>")[0]
    assert told.lower() in wrong.lower()
    form = anna.form(page, "/options/set/mouse/copy")
    assert (form.fields["new_name"], form.fields["tau"]) == (values["new_name"], values["tau"])
    assert imaging.Suite2pyOps.fetch1("ops_name") == "mouse"
