"""The viewer in a real browser."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from imaging_pipeline.schemas import imaging
from tests.makers.browser import OpenSite, faults
from tests.makers.lab import Lab
from tests.makers.recordings import OPEN_FIELD, PAUSE_S, RATE_HZ
from tests.makers.site import ON_ONE_SERVER
from tests.makers.toy_workers import wait_until
from tests.makers.viewed_session import CELL_IDS, viewed_session

WIDTH = 64


@pytest.fixture
def key(lab: Lab, opened: OpenSite) -> dict[str, Any]:
    return viewed_session(lab)


@pytest.fixture
def viewer(key: dict[str, Any], open_page: Callable[..., Page]) -> Page:
    page = open_page("anna", f"/cells/{key['session_name']}/")
    expect(page.locator("#viewer-about")).to_contain_text(f"{len(CELL_IDS)} cells")
    return page


def click_cell(page: Page, key: dict[str, Any], cell_id: int, *, shift: bool = False) -> None:
    """Click a pixel that is of this cell alone."""
    rois = (imaging.Cell.Rois & key).to_dicts()
    pixels = {
        row["cell_id"]: set(zip(row["xpix"].tolist(), row["ypix"].tolist(), strict=True)) for row in rois
    }
    others = set().union(*(of_cell for other, of_cell in pixels.items() if other != cell_id))
    x, y = min(pixels[cell_id] - others)
    canvas = page.locator("#viewer-canvas")
    scale = canvas.bounding_box()["width"] / WIDTH
    place = {"x": (x + 0.5) * scale, "y": (y + 0.5) * scale}
    canvas.click(position=place, modifiers=["Shift"] if shift else [])


def titles(page: Page) -> list[str]:
    return page.locator(".u-title").all_text_contents()


def colours_of(page: Page) -> str:
    return page.evaluate("document.getElementById('viewer-canvas').toDataURL()")


def test_a_click_shows_a_cells_traces_and_a_drag_zooms_into_them(
    viewer: Page, key: dict[str, Any], look: Callable[[Page, str], Path]
) -> None:
    click_cell(viewer, key, 2)
    expect(viewer.locator("#viewer-about")).to_contain_text("Cell 2: plane 0")
    expect(viewer.locator(".u-title")).to_have_text(["Cell 2"])
    click_cell(viewer, key, 3, shift=True)
    expect(viewer.locator(".u-title")).to_have_text(["Cell 2", "Cell 3"])
    look(viewer, "viewer")
    plot = viewer.locator(".u-over").first
    box = plot.bounding_box()
    viewer.mouse.move(box["x"] + 10, box["y"] + 40)
    viewer.mouse.down()
    viewer.mouse.move(box["x"] + box["width"] * 0.98, box["y"] + 40, steps=4)
    viewer.mouse.up()
    shown = viewer.locator("#viewer-csv").get_attribute("href")
    first, end = (int(shown.split(f"{name}=")[1].split("&")[0]) for name in ("first", "end"))
    assert 0 <= first < end <= OPEN_FIELD.num_frames
    assert (first, end) != (0, OPEN_FIELD.num_frames)
    viewer.get_by_role("button", name="Whole session").click()
    whole = re.compile(f"first=0&end={OPEN_FIELD.num_frames}$")
    expect(viewer.locator("#viewer-csv")).to_have_attribute("href", whole)


def test_keys_show_and_hide_what_they_say(viewer: Page, key: dict[str, Any]) -> None:
    with_rois = colours_of(viewer)
    viewer.keyboard.press("r")
    expect(viewer.get_by_label("ROIs", exact=True)).not_to_be_checked()
    wait_until(lambda: colours_of(viewer) != with_rois)
    viewer.keyboard.press("r")
    viewer.keyboard.press("n")
    expect(viewer.get_by_label("Numbers")).to_be_checked()
    click_cell(viewer, key, 0)
    expect(viewer.get_by_label("dF/F")).to_be_checked()
    viewer.keyboard.press("d")
    expect(viewer.get_by_label("dF/F")).not_to_be_checked()
    viewer.keyboard.press("d")
    expect(viewer.get_by_label("dF/F")).to_be_checked()
    viewer.keyboard.press("s")
    expect(viewer.get_by_label("Filtered spikes")).not_to_be_checked()


def test_the_viewer_is_worked_by_keyboard_alone(viewer: Page) -> None:
    cells = viewer.get_by_label("Cells", exact=True)
    cells.focus()
    viewer.keyboard.type("3, 0, 77")
    viewer.keyboard.press("Enter")
    expect(viewer.locator("#viewer-about")).to_have_text("There is no cell 77 here.")
    expect(viewer.locator(".u-title")).to_have_text(["Cell 3", "Cell 0"])
    viewer.locator("#viewer-plots").focus()
    viewer.keyboard.press("+")
    whole = re.compile(f"first=0&end={OPEN_FIELD.num_frames}$")
    expect(viewer.locator("#viewer-csv")).not_to_have_attribute("href", whole)
    viewer.keyboard.press("0")
    expect(viewer.locator("#viewer-csv")).to_have_attribute("href", whole)


def test_contrast_and_colours_change_the_picture(viewer: Page, look: Callable[[Page, str], Path]) -> None:
    before = colours_of(viewer)
    viewer.get_by_label("White").fill("600")
    wait_until(lambda: colours_of(viewer) != before)
    before = colours_of(viewer)
    viewer.get_by_label("Colour").select_option("Cell probability")
    wait_until(lambda: colours_of(viewer) != before)
    expect(viewer.locator("#viewer-scale canvas")).to_have_count(1)
    look(viewer, "probability")


@ON_ONE_SERVER
def test_planes_are_gone_through_by_keys(
    lab: Lab, opened: OpenSite, look: Callable[[Page, str], Path]
) -> None:
    key = viewed_session(lab, num_planes=3)
    viewer = opened.signed_in("anna", f"/cells/{key['session_name']}/")
    plane = viewer.get_by_label("Plane")
    expect(plane.locator("option")).to_have_text(["all", "0", "1", "2"])
    of_all = colours_of(viewer)
    for pressed, shown in (("q", "all"), ("a", "0"), ("a", "1"), ("q", "0")):
        viewer.keyboard.press(pressed)
        expect(plane.locator("option:checked")).to_have_text(shown)
    wait_until(lambda: colours_of(viewer) != of_all)
    look(viewer, "planes")


@ON_ONE_SERVER
def test_a_second_channel_is_drawn_beside_the_first(
    lab: Lab, opened: OpenSite, look: Callable[[Page, str], Path]
) -> None:
    key = viewed_session(lab, num_channels=2)
    viewer = opened.signed_in("anna", f"/cells/{key['session_name']}/")
    expect(viewer.locator("#viewer-about")).to_contain_text(f"{len(CELL_IDS)} cells")
    viewer.get_by_label("dF/F, second channel").check()
    click_cell(viewer, key, 2)
    labels = viewer.locator(".u-legend .u-label")
    baseline = "(baseline 0: percentile 8 in 60 s)"
    expect(labels).to_have_text(
        [
            *("s", f"dF/F {baseline}", "Filtered spikes (filter 0: above mean + 2 std)"),
            f"dF/F, second channel {baseline}",
        ]
    )
    look(viewer, "channels")


def test_what_is_shown_is_saved(viewer: Page, key: dict[str, Any], tmp_path: Path) -> None:
    click_cell(viewer, key, 2)
    expect(viewer.locator(".u-title")).to_have_count(1)
    for button, name in (("Save picture", "cells.png"), ("Save traces as PNG", "traces.png")):
        with viewer.expect_download() as download:
            viewer.get_by_role("button", name=button).click()
        assert download.value.suggested_filename == name
        assert download.value.path().read_bytes().startswith(b"\x89PNG")
    with viewer.expect_download() as download:
        viewer.get_by_role("link", name="Save as CSV").click()
    rows = list(csv.reader(download.value.path().read_text(encoding="utf-8").splitlines()))
    assert rows[0] == [
        *("frame", "time_s", "df_f_2 (baseline 0: percentile 8 in 60 s)"),
        "filtered_spikes_2 (filter 0: above mean + 2 std)",
    ]
    assert len(rows) == 1 + OPEN_FIELD.num_frames
    assert float(rows[-1][1]) == PAUSE_S + (sum(OPEN_FIELD.frames[-1]) - 1) / RATE_HZ


def test_a_saved_picture_of_traces_says_which_colour_is_which(viewer: Page, key: dict[str, Any]) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed")
    quantities = viewer.get_by_label("Shown").get_by_role("checkbox")
    for quantity in quantities.all():
        quantity.check()
    click_cell(viewer, key, 2)
    expect(viewer.locator(".u-title")).to_have_count(1)
    colours = viewer.evaluate("Object.values(CellViewer.QUANTITIES).map((each) => each.colour)")
    with viewer.expect_download() as download:
        viewer.get_by_role("button", name="Save traces as PNG").click()
    picture = (255 * pyplot.imread(download.value.path(), format="png")).round().astype(np.uint8)
    plot_height = viewer.evaluate("document.querySelector('.u-wrap canvas').height")
    below = picture[22 + plot_height :, :, :3].reshape(-1, 3)
    # One filled square for each line, of 11 by 11 pixels.
    in_legend = {
        colour
        for colour in colours
        if (below == np.array(list(bytes.fromhex(colour[1:])))).all(axis=1).sum() == 11 * 11
    }
    assert len(in_legend) == quantities.count()


def test_the_viewer_has_no_serious_fault_and_fits_a_narrow_window(
    viewer: Page, key: dict[str, Any], look: Callable[[Page, str], Path]
) -> None:
    click_cell(viewer, key, 2)
    expect(viewer.locator(".u-title")).to_have_count(1)
    assert faults(viewer) == []
    viewer.set_viewport_size({"width": 800, "height": 800})
    look(viewer, "narrow")
    assert faults(viewer) == []
    assert viewer.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


CLOCK = {"first": [0, 3, 4], "last": [2, 3, 8], "first_s": [0, 10, 20], "last_s": [0.2, 10, 20.8]}


def test_a_line_has_no_value_in_a_gap_and_each_time_is_of_a_sample(viewer: Page) -> None:
    drawn = viewer.evaluate(
        "(stretches) => new CellViewer.Clock(stretches).line([0, 2, 3, 4, 6], [[1, 2, 3, 4, 5]])", CLOCK
    )
    assert drawn[0] == pytest.approx([0, 0.2, 5.1, 10, 15, 20, 20.4])
    assert drawn[1] == [1, 2, None, 3, None, 4, 5]
    samples = viewer.evaluate(
        "(stretches) => [-1, 0.1, 5.1, 10, 15, 20.4, 99].map("
        "(time) => new CellViewer.Clock(stretches).sampleAt(time))",
        CLOCK,
    )
    assert samples == pytest.approx([0, 1, 2.5, 3, 3.5, 6, 8])


def test_where_times_are_not_known_frames_are_drawn(viewer: Page) -> None:
    drawn = viewer.evaluate("new CellViewer.Clock(null).line([0, 5, 9], [[1, 2, 3]])")
    assert drawn == [[0, 5, 9], [1, 2, 3]]
