"""Pages are views: what they show and change is done below them, and each is described in the documents."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import imaging_pipeline.web
from imaging_pipeline.web.registry import PAGES

WEB = Path(imaging_pipeline.web.__file__).parent
DOCUMENT = Path(__file__).parents[2] / "docs" / "web.md"
CHANGING = {"insert", "insert1", "update1", "delete", "delete_quick", "remove"}


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


@pytest.mark.parametrize("path", sorted((WEB / "pages").rglob("*.py")), ids=lambda path: path.name)
def test_a_page_knows_no_table(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "datajoint" not in text
    assert re.findall(r"\.(?:imaging|mlims|suite2p_jobs)\.[A-Z]\w*", text) == []


@pytest.mark.parametrize("path", sorted((WEB / "queries").glob("*.py")), ids=lambda path: path.name)
def test_a_query_changes_nothing(path: Path) -> None:
    assert CHANGING & set(calls(path)) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.blueprint.name)
def test_every_page_of_the_navigation_is_described(page) -> None:
    assert page.title is None or f"| **{page.title}** |" in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.blueprint.name)
def test_every_page_can_be_linked_to(page) -> None:
    assert any(path.stem == page.blueprint.name for path in (WEB / "pages").iterdir())
