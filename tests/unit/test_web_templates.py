"""Templates keep what the content security policy asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import imaging_pipeline.web

TEMPLATES = Path(imaging_pipeline.web.__file__).with_name("templates")


@pytest.mark.parametrize(
    "template", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES))
)
def test_no_template_has_scripts_styles_or_unescaped_text_in_it(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:|hx-on|\|\s*safe\b|Markup", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("template", ["base.html"])
def test_what_a_page_loads_comes_with_the_package(template: Path) -> None:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    loaded = re.findall(r'(?:src|rel="stylesheet" href|rel="icon" href)="([^"]*)"', text)
    assert loaded
    assert [address for address in loaded if not address.startswith("{{ url_for('static'")] == []
