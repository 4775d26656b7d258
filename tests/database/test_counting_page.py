"""What the page about counting shows is what happens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imaging_pipeline.config.config import Config
from imaging_pipeline.config.keys import CONFIG_VARIABLE
from imaging_pipeline.schemas import mlims
from tests.database.test_docs import DOCS, Reader, blocks
from tests.makers.config_file import write_config
from tests.makers.lab import Lab, register
from tests.makers.recordings import OBJECT, OPEN_FIELD, import_all, write_recording

IS_CELL = (True, False, True, True, False)


@pytest.fixture
def example(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Import what the page names, and be where a notebook finds the database."""
    mlims.Animal.insert1({"animal_id": "b1", "datasource_id": 0, "animal_name": "90219"})
    import_all(lab, OPEN_FIELD, OBJECT, combined=True, is_cell=IS_CELL)
    other = lab.share / "90219" / "2024-05-18"
    write_recording(other, replace(OBJECT, name="90219-object"))
    register(lab, other, combined=False, animal="90219")
    monkeypatch.setenv(CONFIG_VARIABLE, str(write_config(lab.config, tmp_path / "dj_local_conf.json")))
    return lab.config


@pytest.mark.usefixtures("example")
def test_every_snippet_prints_what_is_shown() -> None:
    reader = Reader(lambda: None)
    shown = list(blocks((DOCS / "counting.md").read_text(encoding="utf-8")))
    for block in shown:
        reader.follow(block)
    assert sum(block.language == "text" for block in shown) >= 6
