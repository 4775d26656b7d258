"""Signing in and out, and sessions that end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from imaging_pipeline.errors import ForbiddenError, TooOftenError
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer import people, sign_in
from imaging_pipeline.schemas.administer.change_log import utc_now
from imaging_pipeline.web.connections import EXTENSION
from tests.makers.site import Site, Visitor, html_forms

PASSWORD = "wheel-otter-lamp"
TYPED = {"username": "anna", "password": PASSWORD}


@pytest.fixture
def account(site: Site) -> None:
    people.set_password(tables.default_tables(), "anna", PASSWORD)


def age(**columns: timedelta) -> None:
    """Let the one who is signed in have been so for longer."""
    row = imaging.SignIn.fetch1()
    imaging.SignIn.update1({**row, **{name: row[name] - older for name, older in columns.items()}})


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("username", ["anna", "  anna "])
def test_name_and_password_let_in(stranger: Visitor, username: str) -> None:
    sent = stranger.fill("/sign-in", {**TYPED, "username": username})
    assert (sent.status_code, sent.headers["Location"]) == (302, "/")
    assert "Sign out" in stranger.get("/options/").text


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    "typed",
    [
        {"password": "wheel-otter-lamb"},
        {"username": "bob"},
        {"username": "nobody"},
        {"username": "an%na' OR 1=1"},
        {"username": "an\0na"},
        {"password": "x" * 300},
        {"password": ""},
    ],
)
def test_other_names_and_passwords_do_not_and_the_name_stays(
    stranger: Visitor, typed: dict[str, str]
) -> None:
    page = stranger.fill("/sign-in", {**TYPED, **typed})
    assert page.status_code in (400, 403, 422)
    assert PASSWORD not in page.text
    if "\0" not in typed.get("username", ""):
        assert html_forms(page)[0].fields["username"] == {**TYPED, **typed}["username"].replace("'", "'")
    assert stranger.get("/options/").status_code == 302


@pytest.mark.usefixtures("account")
def test_a_disabled_user_is_told_no_more_than_a_wrong_password(stranger: Visitor) -> None:
    people.set_active(tables.default_tables(), "anna", is_active=False)
    disabled = stranger.fill("/sign-in", TYPED)
    wrong = stranger.fill("/sign-in", {**TYPED, "password": "wheel-otter-lamb"})
    assert disabled.status_code == wrong.status_code == 403
    assert [page.text.count("do not belong together") for page in (disabled, wrong)] == [1, 1]


def test_a_password_is_kept_as_its_hash_alone(account: None, site: Site) -> None:
    kept = imaging.Account.fetch1("password_hash")
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


@pytest.mark.usefixtures("account")
def test_attempts_are_limited_by_name_and_the_limit_ends_with_time(lab: Any) -> None:
    handle, now = tables.default_tables(), utc_now()
    for number in range(sign_in.MOST_OF_NAME):
        with pytest.raises(ForbiddenError, match="do not belong together"):
            sign_in.sign_in(handle, "anna", "wrong", address=f"10.0.0.{number}", now=now)
    with pytest.raises(TooOftenError, match="Try again in 15 minutes"):
        sign_in.sign_in(handle, "anna", PASSWORD, address="10.0.1.1", now=now + timedelta(seconds=1))
    later = now + sign_in.WINDOW + timedelta(seconds=1)
    assert sign_in.sign_in(handle, "anna", PASSWORD, address="10.0.1.1", now=later)
    assert not imaging.SignInFailure & {"failed_by": "name anna"}


def test_attempts_are_limited_by_address(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "MOST_OF_ADDRESS", 3)
    for number in range(3):
        with pytest.raises(ForbiddenError, match="do not belong together"):
            sign_in.sign_in(tables.default_tables(), f"guess{number}", "x", address="10.0.0.7", now=utc_now())
    with pytest.raises(TooOftenError):
        sign_in.sign_in(tables.default_tables(), "anna", "x", address="10.0.0.7", now=utc_now())


def test_attempts_of_all_threads_count_together(site: Site) -> None:
    of_site = site.app.extensions[EXTENSION]

    def attempt(number: int) -> type[Exception]:
        try:
            sign_in.sign_in(of_site.tables(), "anna", "x", address=f"10.0.0.{number}", now=utc_now())
        except ForbiddenError as error:
            return type(error)
        raise AssertionError

    with ThreadPoolExecutor(8) as pool:
        kinds = list(pool.map(attempt, range(24)))
    assert kinds.count(ForbiddenError) == sign_in.MOST_OF_NAME
    assert kinds.count(TooOftenError) == 24 - sign_in.MOST_OF_NAME


@pytest.mark.usefixtures("account")
def test_a_person_who_was_refused_too_often_is_told_when_to_come_back(stranger: Visitor) -> None:
    now = utc_now()
    imaging.SignInFailure.insert1({"failed_by": "name anna", "num_failures": 10, "first_failure": now})
    page = stranger.fill("/sign-in", TYPED)
    assert page.status_code == 429
    assert "Try again in 15 minutes" in page.text


@pytest.mark.parametrize(
    "older",
    [
        {"sign_in_seen": sign_in.IDLE},
        {"sign_in_time": sign_in.LIFETIME},
    ],
)
@pytest.mark.usefixtures("account")
def test_a_session_ends_and_leads_back_to_where_one_was(anna: Visitor, older: dict[str, timedelta]) -> None:
    age(**older)
    leads = anna.get("/options/compare?first=mouse&second=fast").headers["Location"]
    sent = anna.send(anna.form(anna.get(leads), "/sign-in"), TYPED)
    assert sent.headers["Location"] == "/options/compare?first=mouse&second=fast"


def test_whoever_works_stays_signed_in(anna: Visitor) -> None:
    for _ in range(3):
        age(sign_in_seen=sign_in.IDLE - timedelta(minutes=1))
        assert anna.get("/options/").status_code == 200


@pytest.mark.usefixtures("account")
def test_what_was_typed_when_the_session_ended_can_be_sent_after_signing_in(anna: Visitor) -> None:
    form = anna.form(anna.get("/options/add"), "/options/add")
    age(sign_in_seen=sign_in.IDLE)
    page = anna.send(form, {"name": "fast & <odd>"})
    assert page.status_code == 401
    assert "Your session has ended" in page.text
    again = anna.send(anna.form(page, "/sign-in"), TYPED)
    assert again.status_code == 200
    assert "fast &amp; &lt;odd&gt;" in again.text
    went_on = anna.send(anna.form(again, "/options/add"))
    assert "Choose a file." in went_on.text
    assert html_forms(went_on)[1].fields["name"] == "fast & <odd>"


@pytest.mark.usefixtures("account")
def test_what_another_site_sends_is_not_kept_for_after_signing_in(anna: Visitor) -> None:
    form = anna.form(anna.get("/options/add"), "/options/add")
    age(sign_in_seen=sign_in.IDLE)
    page = anna.client.post(
        form.action, data={**form.fields, "name": "evil"}, headers={"Origin": "http://evil.example"}
    )
    assert page.status_code == 401
    assert "evil" not in page.text


def test_a_part_that_is_asked_for_too_late_is_a_message_and_no_sign_in_page(anna: Visitor) -> None:
    age(sign_in_seen=sign_in.IDLE)
    part = anna.part("/options/")
    assert (part.status_code, part.headers["HX-Retarget"]) == (401, "#messages")
    assert "Your session has ended" in part.text
    assert "<html" not in part.text


@pytest.mark.parametrize(
    "place", ["//evil.example/", "https://evil.example/", "/\\evil.example", "evil", "", "/\tx", "///x", "/%"]
)
@pytest.mark.usefixtures("account")
def test_signing_in_leads_to_this_site_only(stranger: Visitor, place: str) -> None:
    leads = stranger.fill("/sign-in", {**TYPED, "next": place}).headers["Location"]
    assert leads in ("/", "/%")


def test_signing_out_ends_the_session_here_and_in_the_database(anna: Visitor) -> None:
    cookie = anna.client.get_cookie(anna.client.application.config["SESSION_COOKIE_NAME"])
    anna.fill("/options/", action="/sign-out")
    assert not imaging.SignIn()
    anna.client.set_cookie(cookie.key, cookie.value)
    assert anna.get("/options/").status_code == 302


@pytest.mark.parametrize("ending", ["disable", "reset"])
def test_a_disabled_user_or_a_new_password_ends_running_sessions(anna: Visitor, ending: str) -> None:
    assert anna.get("/options/").status_code == 200
    if ending == "disable":
        people.set_active(tables.default_tables(), "anna", is_active=False)
    else:
        people.set_password(tables.default_tables(), "anna", PASSWORD)
    assert anna.get("/options/").status_code == 302


def test_a_browser_holds_nothing_that_is_in_the_database(anna: Visitor) -> None:
    with anna.client.session_transaction() as session:
        token = session["_user_id"]
    assert token not in str(imaging.SignIn.fetch1())


def test_a_link_signs_in_once(site: Site) -> None:
    visitor = site.visitor("anna")
    assert visitor.get("/options/").status_code == 200
    used = site.visitor().get("/sign-in/link/never-made")
    assert used.status_code == 403
    assert "This link was used already, or is too old" in used.text


@pytest.mark.usefixtures("account")
def test_a_person_changes_their_password(anna: Visitor, site: Site) -> None:
    elsewhere = site.visitor("anna")
    new = {"new_password": "otter-lamp-wheel", "again_password": "otter-lamp-wheel"}
    assert "is not right" in anna.fill("/password", {"old_password": "wrong", **new}).text
    short = {"old_password": PASSWORD, "new_password": "short", "again_password": "short"}
    assert "Take 10 to 256 characters" in anna.fill("/password", short).text
    differing = {"old_password": PASSWORD, **new, "again_password": "other"}
    assert "The two are not the same" in anna.fill("/password", differing).text
    assert anna.fill("/password", {"old_password": PASSWORD, **new}).status_code == 302
    assert anna.get("/options/").status_code == 200
    assert elsewhere.get("/options/").status_code == 302
    _, change = imaging.Change.to_dicts(order_by="change_time")
    assert (change["change_username"], change["change_action"]) == ("anna", "changed the password of")
    assert "otter" not in str(change)


@pytest.mark.usefixtures("account")
def test_guesses_of_the_old_password_are_limited_too(anna: Visitor) -> None:
    typed = {
        "old_password": "wrong",
        "new_password": "otter-lamp-wheel",
        "again_password": "otter-lamp-wheel",
    }
    pages = [anna.fill("/password", typed) for _ in range(sign_in.MOST_OF_NAME + 1)]
    assert "too many attempts" in pages[-1].text
    assert anna.get("/options/").status_code == 200


@pytest.mark.usefixtures("account")
def test_a_sign_in_page_that_is_out_of_date_asks_to_be_loaded_again(stranger: Visitor) -> None:
    page = stranger.client.post("/sign-in", data=TYPED, headers={"Origin": "http://localhost"})
    assert page.status_code == 400
    assert "Load the page again" in page.text
    assert PASSWORD not in page.text


def test_whoever_is_signed_in_already_is_led_on(anna: Visitor) -> None:
    assert anna.get("/sign-in?next=/options/add").headers["Location"] == "/options/add"
