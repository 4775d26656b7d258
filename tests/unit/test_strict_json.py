"""JSON of others is read in one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import imaging_pipeline
from imaging_pipeline import strict_json

PACKAGE = Path(imaging_pipeline.__file__).parent
# These read what the pipeline itself has written: rows, its own files, and messages of its own processes.
OWN_JSON = {
    "checks/suite2p.py",
    "codecs.py",
    "colony/animal_tables.py",
    "colony/staging.py",
    "schemas/plain_rows.py",
    "strict_json.py",
    "suite2p_runner/child.py",
    "suite2p_runner/child_process.py",
    "suite2p_runner/finished.py",
    "suite2p_runner/known_options.py",
}


def test_no_other_module_reads_json_by_itself() -> None:
    reading = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(
            r"\bjson\.loads?\(|JSONDecoder", path.read_text(encoding="utf-8").replace("strict_json", "")
        )
    }
    assert reading == OWN_JSON


def test_the_greatest_depth_is_read_and_one_more_is_refused() -> None:
    deepest = strict_json.MAX_DEPTH - 1
    assert strict_json.loads("[" * deepest + "1" + "]" * deepest)
    with pytest.raises(strict_json.NestedTooDeeplyError, match="deeper than 60 levels"):
        strict_json.loads("[" * (deepest + 1) + "1" + "]" * (deepest + 1))
