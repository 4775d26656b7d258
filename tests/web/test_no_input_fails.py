"""Every page, every form and every address of the site takes whatever is typed.

Pages are found by the links of others, from the first one on, and forms on them: a new page is tried
without a word here. `tests.makers.furnished` sees to it that there is something on it.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.makers.crawler import Crawler, shape
from tests.makers.furnished import furnish
from tests.makers.odd_input import odd_texts, odd_typing
from tests.makers.site import HtmlForm, Site, Visitor, html_forms

tried = settings(
    max_examples=15,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def furnished(site: Site) -> Site:
    furnish(site.lab)
    return site


def try_form(crawler: Crawler, form: HtmlForm, caplog: pytest.LogCaptureFixture) -> None:
    @tried
    @given(odd_typing(form))
    def send(typed: dict[str, Any]) -> None:
        answer = crawler.visitor.send(form, typed)
        assert answer.status_code < 500, f"{form.action}: {typed!r}\n{caplog.text}"

    send()


def try_address(visitor: Visitor, rule: str, caplog: pytest.LogCaptureFixture) -> None:
    @tried
    @given(st.lists(odd_texts, min_size=4, max_size=4), odd_texts)
    def ask(names: list[str], number: str) -> None:
        values = iter(names)
        path = re.sub(r"<[^>]*>", lambda _: quote(next(values)) or "x", rule)
        answer = visitor.get(path, query_string={"page": number, "first": names[0], "second": names[1]})
        assert answer.status_code < 500, f"{path}\n{caplog.text}"

    ask()


@pytest.mark.parametrize("username", ["anna", "bob"])
def test_no_form_fails_whatever_is_typed(
    furnished: Site, username: str, caplog: pytest.LogCaptureFixture
) -> None:
    crawler = Crawler(furnished, username)
    forms = crawler.forms()
    assert len(forms) >= 4
    for path, form in forms.values():
        # The token of a session that a form has ended is of no use to the next.
        page = crawler.visitor.get(path)
        fresh = [each for each in html_forms(page) if shape(each.action) == shape(form.action)]
        try_form(crawler, fresh[0], caplog)
        crawler.stay()


def test_no_address_fails_whatever_it_names(furnished: Site, caplog: pytest.LogCaptureFixture) -> None:
    visitor = furnished.visitor("bob")
    rules = [rule.rule for rule in furnished.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    assert len(rules) > 5
    for rule in rules:
        try_address(visitor, rule, caplog)


def test_every_page_that_is_linked_answers(furnished: Site) -> None:
    pages = Crawler(furnished, "bob").pages
    assert {"/options/", "/options/set/mouse", "/options/add", "/password"} <= set(pages)


def test_no_field_cuts_what_is_pasted_into_it(furnished: Site) -> None:
    """A browser cuts at ``maxlength`` without a word; the server says what is too long."""
    visitor = furnished.visitor("bob")
    assert [path for path in Crawler(furnished, "bob").pages if "maxlength" in visitor.get(path).text] == []
