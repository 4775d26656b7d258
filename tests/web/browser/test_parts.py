"""Parts of a page that htmx replaces, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer import administration
from imaging_pipeline.web.paging import PER_PAGE
from tests.makers.site import ON_ONE_SERVER

pytestmark = ON_ONE_SERVER


@pytest.fixture
def listed(open_page: Callable[..., Page]) -> Page:
    """Open a list of two pages."""
    for number in range(PER_PAGE + 3):
        administration.add_options(tables.default_tables(), f"set {number:02d}", {"tau": 2.0 + number / 100})
    return open_page("anna", "/options/")


def test_a_list_is_paged_in_its_place(listed: Page) -> None:
    expect(listed.get_by_role("row")).to_have_count(PER_PAGE + 1)
    listed.evaluate("window.isTheSame = true")
    listed.get_by_role("link", name="Older", exact=True).click()
    expect(listed.get_by_role("row")).to_have_count(3 + 1)
    expect(listed).to_have_url(re.compile(r"/options/\?page=2$"))
    assert listed.evaluate("window.isTheSame")
    listed.go_back()
    expect(listed.get_by_role("row")).to_have_count(PER_PAGE + 1)


def test_a_part_that_is_refused_leaves_the_page_as_it_is(listed: Page) -> None:
    imaging.SignIn.delete_quick()
    listed.get_by_role("link", name="Older", exact=True).click()
    expect(listed.get_by_role("alert")).to_contain_text("Your session has ended")
    expect(listed.get_by_role("row")).to_have_count(PER_PAGE + 1)
    expect(listed.get_by_role("link", name="Sign in in another tab")).to_be_visible()
