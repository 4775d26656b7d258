"""The list of requests, and what became of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from imaging_pipeline.schemas import imaging, mlims
from imaging_pipeline.schemas.register.pending_animals import PendingAnimalWarning
from tests.makers.lab import Lab
from tests.makers.recordings import OPEN_FIELD, write_recording
from tests.makers.site import Site, Visitor


@pytest.fixture
def folder(lab: Lab, site) -> Path:
    folder = lab.share / "90218" / "2024-05-17"
    write_recording(folder, OPEN_FIELD)
    return folder


def add(lab: Lab, folder: Path, **inputs: object) -> int:
    return imaging.BaseFolder.add(**{**lab.request(folder, combined=False), **inputs})


@pytest.fixture
def states(lab: Lab, folder: Path) -> dict[str, int]:
    """Return a request in each state that a worker may leave it in."""
    done = add(lab, folder)
    wrong = add(lab, lab.share / "90218" / "2031-01-01")
    ignored = add(lab, folder, base_folder_note="ignored")
    jobs = imaging.MakeDatasetSessions().jobs
    imaging.MakeDatasetSessions.populate({"basefolder_id": done}, reserve_jobs=True)
    imaging.MakeDatasetSessions.populate({"basefolder_id": wrong}, reserve_jobs=True, suppress_errors=True)
    jobs.refresh()
    jobs.ignore({"basefolder_id": ignored})
    return {"done": done, "error": wrong, "ignored": ignored, "waiting": add(lab, folder)}


def numbers(page: str) -> list[int]:
    return [int(part.split('"')[0]) for part in page.split('<th scope="row"><a href="/folders/')[1:]]


def test_requests_are_listed_the_newest_first_with_their_state(anna: Visitor, states: dict[str, int]) -> None:
    page = anna.get("/folders/").text
    assert numbers(page) == sorted(states.values(), reverse=True)
    assert '<span class="mark done">ingested</span>' in page
    assert "2031-01-01" in page


@pytest.mark.parametrize("state", ["done", "error", "ignored", "waiting"])
def test_requests_are_found_by_state(anna: Visitor, states: dict[str, int], state: str) -> None:
    assert numbers(anna.get(f"/folders/?state={state}").text) == [states[state]]


@pytest.mark.usefixtures("states")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("username=anna", 4),
        ("username=bob", 0),
        ("animal=90218", 4),
        ("animal=a0f1", 4),
        ("animal=%27", 0),
        ("first_day=2000-01-01&last_day=2999-12-31", 4),
        ("last_day=2000-01-01", 0),
        ("first_day=tomorrow&state=lost&page=x", 4),
        ("page=2", 0),
    ],
)
def test_requests_are_found_by_person_animal_and_day(anna: Visitor, asked: str, found: int) -> None:
    assert len(numbers(anna.get(f"/folders/?{asked}").text)) == found


def test_an_error_is_shown_with_what_to_do(anna: Visitor, states: dict[str, int]) -> None:
    page = anna.get(f"/folders/{states['error']}").text
    assert "2031-01-01" in page
    assert 'class="mark error"' in page
    assert "hx-trigger" not in page.split('id="request"')[1].split(">")[0]


def test_a_request_that_is_carried_out_shows_every_file(anna: Visitor, states: dict[str, int]) -> None:
    page = anna.get(f"/folders/{states['done']}").text
    for name in OPEN_FIELD.tif_names:
        assert name in page


def test_a_request_that_waits_looks_again_by_itself(anna: Visitor, states: dict[str, int]) -> None:
    part = anna.part(f"/folders/{states['waiting']}").text
    assert 'hx-trigger="every 2s"' in part
    assert "<html" not in part


def test_others_look_at_a_request_and_cannot_make_it_again(
    lab: Lab, anna: Visitor, bob: Visitor, states: dict[str, int]
) -> None:
    imaging.User.insert1({"username": "carl", "first_name": "Carl"})
    of_carl = imaging.BaseFolder.add(
        **{**lab.request(lab.share / "other", combined=False), "username": "carl"}
    )
    assert "Register again" not in anna.get(f"/folders/{of_carl}").text
    assert "Register again" in bob.get(f"/folders/{of_carl}").text
    assert "Register again" in anna.get(f"/folders/{states['done']}").text


@pytest.mark.parametrize("number", ["7", "99999999999999999999", "-1", "x"])
@pytest.mark.usefixtures("site")
def test_a_request_that_is_not_there_is_told(anna: Visitor, number: str) -> None:
    assert anna.get(f"/folders/{number}").status_code == 404


@pytest.fixture
def waiting(lab: Lab, folder: Path) -> int:
    """Return a request of Anna's that waits for an animal of a colony."""
    mlims.Sync.insert1(
        {
            "sync_id": 0,
            "sync_source": "csv",
            "sync_datasource": 0,
            "sync_is_whole": True,
            "sync_host": "office",
            "sync_duration_s": 1.0,
        }
    )
    with pytest.warns(PendingAnimalWarning):
        return add(lab, folder, animal="90281")


def test_a_request_that_waits_for_its_animal_is_withdrawn(anna: Visitor, waiting: int) -> None:
    page = anna.get(f"/folders/{waiting}")
    assert "is not here yet" in page.text
    sent = anna.send(anna.form(page, f"/folders/{waiting}/withdraw"))
    assert sent.location == f"/folders/{waiting}"
    after = anna.get(sent.location).text
    assert f"Request {waiting} is withdrawn." in after
    assert 'class="mark ignored"' in after
    assert "/withdraw" not in after
    assert numbers(anna.get("/folders/?state=ignored").text) == [waiting]
    assert imaging.JobAction.fetch1("jobaction_who") == "anna"
    change = imaging.Change.fetch1()
    assert (change["change_username"], change["change_action"]) == ("anna", "withdrew the request")
    assert change["change_details"]["animal_name"] == "90281"


def test_others_cannot_withdraw_a_request(lab: Lab, site: Site, anna: Visitor, waiting: int) -> None:
    form = anna.form(anna.get(f"/folders/{waiting}"), f"/folders/{waiting}/withdraw")
    imaging.User.insert1({"username": "carl", "first_name": "Carl"})
    carl = site.visitor("carl")
    assert "/withdraw" not in carl.get(f"/folders/{waiting}").text
    token = carl.form(carl.get("/add/"), "/add/").fields["csrf_token"]
    assert carl.send(form, {"csrf_token": token}).status_code == 403
    assert len(imaging.JobAction()) == len(imaging.Change()) == 0
