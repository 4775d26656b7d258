"""What strangers and other sites try, and what the site answers when something is wrong."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from imaging_pipeline.errors import ForbiddenError, InputError
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.web import people, safety
from imaging_pipeline.web.app import create_app
from imaging_pipeline.web.connections import EXTENSION
from tests.makers.lab import Lab
from tests.makers.site import ON_ONE_SERVER, Site, Visitor

# None of it depends on the server.
pytestmark = ON_ONE_SERVER


def fail() -> str:
    raise RuntimeError("the secret of the test")


def refuse() -> str:
    raise InputError("The wheel is round", found="a square", allowed="circles", remedy="turn it.")


@people.for_administrators
def administrators_only() -> str:
    return "welcome"


@pytest.fixture
def broken(lab: Lab) -> Iterator[Site]:
    """Return a site with views that fail."""
    imaging.User.insert1({"username": "bob", "is_staff": True})
    app = create_app(lab.config, secret_key="of the tests")
    app.add_url_rule("/fail", view_func=fail, methods=["GET", "POST"])
    app.add_url_rule("/refuse", view_func=refuse)
    app.add_url_rule("/administrators", view_func=administrators_only)
    yield Site(lab, app)
    app.extensions[EXTENSION].close()


def test_every_address_but_the_public_ones_wants_a_sign_in(site: Site, stranger: Visitor) -> None:
    public = {"static", "health.index", "sign_in.index", "sign_in.link", "sign_in.out"}
    rules = [rule for rule in site.app.url_map.iter_rules() if rule.endpoint not in public]
    assert len(rules) > 5
    for rule in rules:
        path = re.sub(r"<[^>]*>", "1", rule.rule)
        if "GET" in rule.methods:
            assert stranger.get(path).headers["Location"].startswith("/sign-in?next="), rule
        else:
            assert stranger.client.post(path).status_code in (400, 401), rule


def test_a_change_without_the_token_of_the_page_is_refused(anna: Visitor) -> None:
    typed = {"name": "fast", "file": (io.BytesIO(b'{"tau": 1}'), "ops.json")}
    sent = anna.client.post("/options/add", data=typed)
    assert sent.status_code == 400
    assert "The page is out of date" in sent.text
    assert not imaging.Suite2pyOps()
    assert anna.get("/options/").status_code == 200


def test_what_was_typed_into_a_page_that_is_out_of_date_can_be_sent_again(anna: Visitor) -> None:
    form = anna.form(anna.get("/options/add"), "/options/add")
    stale = anna.client.post(
        form.action,
        data={"csrf_token": "old", "name": "fast"},
        headers={"Origin": "http://localhost"},
    )
    assert stale.status_code == 400
    again = anna.send(anna.form(stale, "/options/add"))
    assert "Choose a file." in again.text


def test_htmx_sends_the_token_as_a_header(anna: Visitor) -> None:
    page = anna.get("/options/add").text
    token = re.search(r'"X-CSRFToken": "([^"]+)"', page)[1]
    sent = anna.client.post("/options/add", data={"name": "x"}, headers={"X-CSRFToken": token})
    assert sent.status_code == 422
    refused = anna.client.post("/options/add", headers={"HX-Request": "true"})
    assert (refused.status_code, refused.headers["HX-Retarget"]) == (400, "#messages")


def test_cookies_are_for_this_site_alone(stranger: Visitor) -> None:
    cookie = stranger.get("/sign-in").headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    stranger.client.delete_cookie(cookie.partition("=")[0])
    assert "Secure" in stranger.client.get("/sign-in", base_url="https://localhost").headers["Set-Cookie"]


@pytest.mark.parametrize("path", ["/sign-in", "/options/", "/nope", "/static/site.css", "/health"])
def test_browsers_are_told_what_the_site_does_not_do(anna: Visitor, path: str) -> None:
    headers = anna.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("kind", "largest"),
    [
        ("multipart/form-data; boundary=x", safety.LARGEST_REQUEST),
        ("application/x-www-form-urlencoded", safety.LARGEST_FIELDS),
    ],
)
def test_what_is_too_large_is_refused(anna: Visitor, kind: str, largest: int) -> None:
    page = anna.client.post("/options/add", data=b"x" * (largest + 1), content_type=kind)
    assert page.status_code == 413
    assert "too large" in page.text
    assert "Sign out" in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2f..%2fapp.py",
        "/static/%00",
        "/static/etc/passwd",
    ],
)
def test_no_file_outside_of_the_static_ones_is_served(stranger: Visitor, path: str) -> None:
    assert stranger.get(path).status_code in (400, 404)


def test_a_page_that_is_not_there_leads_back(anna: Visitor) -> None:
    page = anna.get("/nope", headers={"Referer": "http://localhost/options/add"})
    assert page.status_code == 404
    assert "There is no such page" in page.text
    assert 'href="http://localhost/options/add"' in page.text
    assert "Sign out" in page.text
    assert "evil" not in anna.get("/nope", headers={"Referer": "http://evil.example/"}).text


def test_a_fault_is_told_with_a_number_that_the_log_has(
    broken: Site, caplog: pytest.LogCaptureFixture
) -> None:
    anna = broken.visitor("anna")
    with caplog.at_level(logging.ERROR):
        page = anna.get("/fail")
    assert page.status_code == 500
    number = re.search(r"<code>(\w{8})</code>", page.text)[1]
    assert f"Error {number} at GET /fail" in caplog.text
    assert "the secret of the test" in caplog.text
    assert "the secret of the test" not in page.text
    assert "Sign out" in page.text
    assert anna.get("/options/").status_code == 200


def test_a_fault_of_a_part_is_a_message_above_the_page(broken: Site) -> None:
    part = broken.visitor("anna").part("/fail")
    assert (part.status_code, part.headers["HX-Retarget"]) == (500, "#messages")
    assert "<html" not in part.text


def test_an_error_of_the_pipeline_is_told_with_its_remedy(broken: Site) -> None:
    page = broken.visitor("anna").get("/refuse")
    assert page.status_code == 400
    told = ("The wheel is round", "Found: a square", "Allowed: circles", "Turn it.")
    assert [words for words in told if words not in page.text] == []


def test_what_is_for_administrators_is_for_them_alone(broken: Site) -> None:
    page = broken.visitor("anna").get("/administrators")
    assert page.status_code == 403
    assert "anna is an experimenter" in page.text
    assert broken.visitor("bob").get("/administrators").text == "welcome"


def test_nothing_is_changed_by_halves(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The change and the word of it are in one transaction."""

    def lose(*_: Any) -> None:
        raise ForbiddenError("lost", remedy="none")

    from imaging_pipeline.schemas.administer import change_log

    monkeypatch.setattr(change_log, "utc_now", lose)
    anna.fill("/options/add", {"name": "fast", "file": (io.BytesIO(b'{"tau": 1}'), "ops.json")})
    assert not tables.default_tables().imaging.Suite2pyOps()
