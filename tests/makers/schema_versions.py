"""What the tables of each schema version are, as files beside the tests.

python -m tests.makers.schema_versions

writes the file of the present version, which changes until that is released, and never afterwards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from imaging_pipeline import database
from tests.makers.definitions import tables

FOLDER = Path(__file__).parents[1] / "data" / "schema_versions"

Description = dict[str, list[str]]
"""Table, such as ``imaging.Session.Data`` → lines of its definition, without what is said about them."""


def described() -> Description:
    """Return the tables as they stand in the code."""
    return {
        f"{_schema_of(table.__module__)}.{table.__qualname__}": _lines(table.definition) for table in tables()
    }


def stored(version: int) -> Description:
    """Return the tables of a version."""
    found: Description = json.loads(_file(version).read_text(encoding="utf-8"))
    return found


def versions() -> list[int]:
    """Return the versions that are described, in order."""
    return sorted(int(path.stem.partition("_")[2]) for path in FOLDER.glob("version_*.json"))


def without_comment(line: str) -> str:
    """Return a line of a definition without what is said about it, with single blanks."""
    return re.sub(r"\s+", " ", re.sub(r'("[^"]*"|\'[^\']*\')|#.*', r"\1", line)).strip()


def write(description: Mapping[str, list[str]], version: int) -> None:
    """Write the file of a version."""
    _file(version).write_text(json.dumps(description, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _file(version: int) -> Path:
    return FOLDER / f"version_{version}.json"


def _schema_of(module: str) -> str:
    return module.removeprefix("imaging_pipeline.schemas.").partition(".")[0]


def _lines(definition: str) -> list[str]:
    lines = (without_comment(line) for line in definition.splitlines())
    return [line for line in lines if line]


if __name__ == "__main__":
    write(described(), database.SCHEMA_VERSION)
