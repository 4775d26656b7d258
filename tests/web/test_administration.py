"""What administrators do, and nobody else."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from imaging_pipeline.schemas import imaging
from imaging_pipeline.web.connections import EXTENSION
from tests.makers.furnished import PARTS, compare_with_colony
from tests.makers.site import Site, Visitor

SETUP = {"setup_name": "rig", "setup_date": "2026-03-14", "experiment_type": "2Pminiscope_A"}


def wrong(page: str, field: str) -> str:
    """Return what stands beside a field that is wrong."""
    return page.partition(f'id="{field}-wrong"')[2].partition("</ul>")[0]


def kept() -> tuple[str, str, str]:
    row = imaging.Change.to_dicts(order_by="change_time DESC")[0]
    return row["change_username"], row["change_action"], row["change_subject"]


def test_experimenters_neither_see_it_nor_call_a_view_of_it(site: Site, anna: Visitor, bob: Visitor) -> None:
    assert "/administration/" not in anna.get("/folders/").text
    assert "/administration/" in bob.get("/folders/").text
    token = re.search(r'"X-CSRFToken": "([^"]+)"', anna.get("/folders/").text)
    assert token is not None
    rules = [rule for rule in site.app.url_map.iter_rules() if rule.endpoint.startswith("administration.")]
    assert len(rules) > 15
    for rule in rules:
        path = rule.rule.replace("<int:number>", "0")
        for method in rule.methods & {"GET", "POST"}:
            answer = anna.client.open(path, method=method, headers={"X-CSRFToken": token[1]})
            assert (path, answer.status_code) == (path, 403)


def test_a_user_is_added_and_gets_a_password_that_is_shown_once(site: Site, bob: Visitor) -> None:
    typed = {"username": "carl", "first_name": "Carl", "last_name": "", "email": "c@example.org"}
    assert bob.fill("/administration/users/add", typed).headers["Location"] == "/administration/"
    listed = bob.get("/administration/").text
    assert "Added the user carl." in listed
    assert "c@example.org" in listed
    assert kept() == ("bob", "added the user", "carl")
    page = bob.fill("/administration/user?username=carl", action="/administration/user/password")
    password = re.search(r'class="password">([^<]+)<', page.text)
    assert password is not None
    assert page.headers["Cache-Control"] == "no-store"
    assert 'class="password"' not in bob.get("/administration/user?username=carl").text
    assert password[1] not in str(imaging.Change.to_dicts())
    carl = site.visitor()
    entered = carl.fill("/sign-in", {"username": "carl", "password": password[1]})
    assert entered.status_code == 302


def test_a_user_is_disabled_and_enabled(site: Site, anna: Visitor, bob: Visitor) -> None:
    path, action = "/administration/user?username=anna", "/administration/user/active"
    assert bob.fill(path, action=action).status_code == 302
    assert anna.get("/folders/").status_code == 302
    assert kept() == ("bob", "disabled the user", "anna")
    assert "disabled" in bob.get("/administration/").text
    bob.fill(path, action=action)
    assert site.visitor("anna").get("/folders/").status_code == 200


def test_a_user_gets_another_role_and_has_it_at_once(anna: Visitor, bob: Visitor) -> None:
    path, action = "/administration/user?username=anna", "/administration/user/role"
    bob.fill(path, {"role": "administrator"}, action=action)
    assert anna.get("/administration/").status_code == 200
    bob.fill(path, {"role": "experimenter"}, action=action)
    assert anna.get("/administration/").status_code == 403
    assert kept() == ("bob", "gave another role to", "anna")


@pytest.mark.parametrize("what", ["password", "active", "role"])
def test_nobody_shuts_themselves_out(bob: Visitor, what: str) -> None:
    imaging.User.insert1({"username": "eve", "is_staff": True})
    form = bob.form(bob.get("/administration/user?username=eve"), f"/administration/user/{what}")
    assert "/administration/user/" not in bob.get("/administration/user?username=bob").text
    assert bob.send(form, {"username": "bob"}).status_code == 403
    assert bob.send(form, {"username": "nobody"}).status_code == 404
    assert not imaging.Change()


def test_a_user_with_other_values_is_refused_beside_the_name(bob: Visitor) -> None:
    page = bob.fill("/administration/users/add", {"username": "anna", "first_name": "Ann"})
    assert page.status_code == 422
    assert "there already with other values" in wrong(page.text, "username")
    assert 'value="Ann"' in page.text
    assert not imaging.Change()


def test_a_repository_gets_its_roots(bob: Visitor) -> None:
    path = "/administration/repositories/add"
    sent = bob.fill(path, {"repository_name": "archive", "roots": "F:\\\r\n\r\n/mnt/archive "})
    assert sent.headers["Location"] == "/administration/repositories"
    page = bob.get("/administration/repositories").text
    assert "Added the repository archive. Added the root F:\\. Added the root /mnt/archive." in page
    assert "not in the configuration" in page
    assert bob.form(bob.get(f"{path}?name=archive"), path).fields["repository_name"] == "archive"


@pytest.mark.parametrize("root", ["here", "C:\\a:b", "N:\\"])
def test_a_root_that_cannot_be_is_told_beside_it_and_stays(bob: Visitor, site: Site, root: str) -> None:
    taken = site.lab.windows_path(site.lab.share)
    typed = taken if root == "N:\\" else root
    page = bob.fill("/administration/repositories/add", {"repository_name": "x", "roots": typed})
    assert page.status_code == 422
    assert "root" in wrong(page.text, "roots").lower() or "path" in wrong(page.text, "roots").lower()
    assert typed in page.text
    assert not imaging.Repository & {"repository_name": "x"}


def test_a_calibration_is_added_with_its_streams(bob: Visitor) -> None:
    sent = bob.fill("/administration/setups/add", {**SETUP, "parts": json.dumps(PARTS)})
    assert sent.headers["Location"] == "/administration/setups"
    assert "Added the part Sync." in bob.get("/administration/setups").text
    page = bob.get("/administration/setup?name=rig&day=2026-03-14").text
    for shown in ("frames_imaging", "falling edge", "0.5", "master", "encoder_steps", "1024", "rate"):
        assert shown in page
    change = imaging.Change.fetch1("change_details")
    assert (change["day"], change["parts"]) == ("2026-03-14", PARTS)


def test_a_calibration_gets_the_parts_that_it_lacks(bob: Visitor) -> None:
    bob.fill("/administration/setups/add", SETUP)
    add = "/administration/setups/add?name=rig&type=2Pminiscope_A&day=2026-03-14"
    form = bob.form(bob.get(add), "/administration/setups/add")
    assert {name: form.fields[name] for name in SETUP} == SETUP
    bob.send(form, {"parts": '{"Treadmill": {"calibration": 1.5}}'})
    assert imaging.Setup.Treadmill.fetch1("calibration") == 1.5


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ("{", "no JSON object"),
        ("[]", "no JSON object"),
        ('{"Snyc": []}', "like Sync?"),
        ('{"Sync": [{"sync_name": "a"}]}', "lacks generic_name, polarity"),
        ('{"Treadmill": {"calibration": 1' + "0" * 400 + "}}", "a number"),
        ('{"Labview": {"labview_config": {"a": NaN}}}', "without NaN"),
        ('{"Labview": {"labview_config": {"a": "\\u0000"}}}', "without NaN"),
        ('{"Labview": {"labview_config": {"a": ' + "[" * 40 + "]" * 40 + "}}}", "more than 20 deep"),
        ('{"Labview": {"labview_config": {"a": ' + "[" * 900 + "]" * 900 + "}}}", "more than 20 deep"),
        ('{"Scanimage": {"machine_file": "\\ud800"}}', "text of at most"),
    ],
)
def test_parts_that_cannot_be_taken_are_told_beside_them_and_stay(
    bob: Visitor, parts: str, told: str
) -> None:
    page = bob.fill("/administration/setups/add", {**SETUP, "parts": parts})
    assert page.status_code == 422
    assert told in wrong(page.text, "parts")
    form = bob.form(page, "/administration/setups/add")
    assert form.fields["parts"] == parts
    assert not imaging.Setup()


def test_a_microscope_and_an_apparatus_are_added(bob: Visitor) -> None:
    bob.fill("/administration/scopes/add", {"scope_name": "mini2p", "scope_notes": "the [second]"})
    assert "the [second]" in bob.get("/administration/scopes").text
    typed = {"apparatus": "wheel", "category": "treadmill", "apparatus_note": "10 cm"}
    bob.fill("/administration/apparatus/add", typed)
    assert imaging.Apparatus.fetch1() == typed
    assert "10 cm" in bob.get("/administration/apparatus").text
    assert kept() == ("bob", "added the apparatus", "wheel")


def test_comparisons_with_the_colony_are_listed_with_what_they_changed(bob: Visitor) -> None:
    assert "never compared" in bob.get("/administration/colony").text
    compare_with_colony()
    page = bob.get("/administration/colony").text
    assert "names no source of animals" in page
    assert "The source holds no animals" in page
    assert "<strong>See whether it is the right one, and whole.</strong>" in page
    run = bob.get("/administration/colony/1").text
    assert [text for text in ("90300b", "animal_name", "1 changed") if text not in run] == []
    assert "kept of the newest comparison only" in run or "perhaps" in run


def test_it_is_told_when_the_next_comparison_is_due(site: Site, bob: Visitor) -> None:
    of_site = site.app.extensions[EXTENSION]
    source = {"kind": "csv", "path": "/colony/animals.csv"}
    bound = of_site.tables()
    of_site._of_thread.tables = replace(bound, config=replace(bound.config, mlims_source=source))
    assert "is due now" in bob.get("/administration/colony").text
    compare_with_colony()
    page = bob.get("/administration/colony").text
    assert re.search(r"/colony/animals.csv every 30 minutes.* is due in (29 min|30 min)", page)


def test_changes_are_listed_a_page_at_a_time(bob: Visitor) -> None:
    for number in range(51):
        imaging.Change.insert1(
            {
                "change_id": f"c{number}",
                "change_time": f"2026-01-01 00:00:{number:02}",
                "change_username": "anna",
                "change_action": "noted of",
                "change_subject": f"session-{number}",
                "change_details": {"note": "<b>ripe</b>"},
            }
        )
    first = bob.get("/administration/changes").text
    assert first.index("session-50") < first.index("session-49")
    assert "session-0<" not in first
    assert "&lt;b&gt;ripe" in first
    assert "session-0<" in bob.part("/administration/changes?page=2").text


@pytest.mark.parametrize(
    "path",
    ["user", "user?username=x", "setup", "setup?name=x&day=y", "colony/7", "colony/99999999999999999999"],
)
def test_what_is_not_there_is_told(bob: Visitor, path: str) -> None:
    assert bob.get(f"/administration/{path}").status_code == 404
