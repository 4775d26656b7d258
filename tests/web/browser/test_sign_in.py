"""Signing in, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from imaging_pipeline.schemas import tables
from imaging_pipeline.schemas.administer import administration, people
from tests.makers.browser import OpenSite, faults

PASSWORD = "wheel-otter-lamp"


@pytest.fixture(autouse=True)
def account(opened: OpenSite) -> None:
    people.set_password(tables.default_tables(), "anna", PASSWORD)
    administration.add_options(
        tables.default_tables(), "mouse", {"tau": 1.5, "nonrigid": False, "combined": True}
    )
    administration.add_options(tables.default_tables(), "fast", {"tau": 0.7, "snr_thresh": 1.4})


def test_a_person_signs_in_by_keyboard_alone(opened: OpenSite, look: Callable[[Page, str], Path]) -> None:
    page = opened.page("/options/")
    expect(page.get_by_label("Name")).to_be_focused()
    assert faults(page) == []
    look(page, "sign_in")
    page.keyboard.type("anna")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong-password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Name and password do not belong together")
    expect(page.get_by_label("Name")).to_have_value("anna")
    look(page, "refused")
    page.get_by_label("Password").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_title("Suite2p options – imaging-pipeline")
    page.keyboard.press("Tab")
    expect(page.get_by_text("To the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "mouse":
            break
    look(page, "options")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Option set mouse")
