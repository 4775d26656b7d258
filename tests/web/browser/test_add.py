"""Adding a folder, in a real browser, until a worker has carried it out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from imaging_pipeline.schemas import imaging
from tests.makers.browser import faults
from tests.makers.lab import Lab
from tests.makers.recordings import OPEN_FIELD, write_recording
from tests.makers.site import ON_ONE_SERVER
from tests.makers.worker import worked


@pytest.mark.slow(reason="every field is filled in, and a worker carries out the request meanwhile")
def test_a_folder_is_previewed_added_by_keyboard_and_turns_green_as_a_worker_runs(
    lab: Lab, open_page: Callable[..., Page], look: Callable[[Page, str], Path]
) -> None:
    folder = lab.share / "90218" / "2024-05-17"
    write_recording(folder, OPEN_FIELD)
    page = open_page("anna", "/add/")
    expect(page.get_by_label("Folder")).to_be_focused()
    page.keyboard.type(f'"{lab.windows_path(folder)}"')
    page.keyboard.press("Tab")
    page.keyboard.type("902")
    expect(page.locator("#animal-choices option")).to_have_attribute("value", "90218")
    page.keyboard.type("18")
    expect(page.get_by_label("Experiment type")).to_have_value("2Pminiscope_A")
    page.get_by_role("button", name="Preview").focus()
    page.keyboard.press("Enter")
    preview = page.get_by_role("region", name="Preview")
    expect(preview).to_contain_text(OPEN_FIELD.name)
    look(page, "preview")
    assert faults(page) == []
    page.get_by_role("button", name="Add the folder").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".mark")).to_have_text("waiting")
    worked(imaging.MakeDatasetSessions(), {"basefolder_id": 0})
    expect(page.locator(".mark")).to_have_text("ingested")
    expect(page.get_by_role("region", name="Request")).to_contain_text(OPEN_FIELD.tif_names[0])
    look(page, "ingested")
    assert faults(page) == []
    page.get_by_role("link", name="Folders").click()
    expect(page.locator("td .mark.done")).to_have_count(1)
    look(page, "folders")
    assert faults(page) == []


@ON_ONE_SERVER
def test_a_pasted_path_that_is_too_long_is_refused_and_stays_whole(
    lab: Lab, open_page: Callable[..., Page]
) -> None:
    page = open_page("anna", "/add/")
    pasted = lab.windows_path(lab.share / "90218") + r"\folder" * 200
    path = page.get_by_label("Folder")
    path.focus()
    page.keyboard.insert_text(pasted)
    page.get_by_label("Animal", exact=True).fill("90218")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#path-wrong")).to_contain_text("longer than 1024 characters")
    expect(path).to_have_value(pasted)
