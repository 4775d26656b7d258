"""The page on the colony shows what is taken."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.colony.sources.columns import COLUMNS
from imaging_pipeline.colony.sources.contract import COMMON_SETTINGS
from imaging_pipeline.colony.sources.registry import SOURCES, configured_source
from imaging_pipeline.config.config import embedded_config
from tests.makers.colony import SETTINGS

PAGE = (Path(__file__).parents[2] / "docs" / "colony.md").read_text(encoding="utf-8")


def blocks() -> list[dict[str, Any]]:
    return [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", PAGE, re.M | re.S)]


def test_the_shown_mapping_is_the_one_that_is_tested() -> None:
    assert blocks()[0] == SETTINGS


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block["kind"])
def test_shown_settings_are_allowed(block: dict[str, Any], tmp_path: Path) -> None:
    assert configured_source(replace(embedded_config(tmp_path), mlims_source=block)) is not None


@pytest.mark.parametrize("kind", SOURCES, ids=lambda kind: kind.kind)
def test_every_kind_and_each_of_its_settings_is_documented(kind: Any) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert {each.name for each in (*kind.own_settings, *COMMON_SETTINGS)} <= documented
    assert kind.kind in PAGE


def test_every_column_is_documented() -> None:
    assert [column for column in ("animal_id", *COLUMNS) if f"`{column}`" not in PAGE] == []
