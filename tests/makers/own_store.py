"""A store of a test's own, which belongs to the lab's database."""

from __future__ import annotations

import os
import time
from pathlib import Path

import datajoint as dj
import pytest

from imaging_pipeline.schemas import tables
from imaging_pipeline.schemas.administer import store_claims

TWO_DAYS_S = 2 * 24 * 3600


def own_store(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a store in a folder, and let it belong to the database."""
    use_store(place, monkeypatch)
    store_claims.claim(tables.default_tables())
    return place


def use_store(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process use a store in a folder."""
    place.mkdir(exist_ok=True)
    monkeypatch.setitem(dj.config.stores, "main", {"protocol": "file", "location": str(place)})


def objects(place: Path) -> set[str]:
    """Return the objects in a store, by their paths."""
    folders = (place / "traces", place / "_schema")
    return {
        path.relative_to(place).as_posix()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }


def age(place: Path, names: set[str], seconds: float = TWO_DAYS_S) -> None:
    """Let objects be as old as that."""
    then = time.time() - seconds
    for name in names:
        os.utime(place / name, (then, then))
