"""The key that signs cookies, and links that sign in once."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imaging_pipeline.errors import ForbiddenError, StoreError
from imaging_pipeline.web import links
from imaging_pipeline.web.links import Links
from imaging_pipeline.web.secret_key import secret_key


def test_a_key_is_made_once_however_many_ask_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secret_key(tmp_path / "web"), range(32)))
    assert len(keys) == 1
    assert [path.name for path in (tmp_path / "web").iterdir()] == ["secret_key"]
    assert secret_key(tmp_path / "other") not in keys


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_nobody_else_reads_the_key(tmp_path: Path) -> None:
    secret_key(tmp_path)
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="The web page's key cannot be kept"):
        secret_key(tmp_path / "file")


def test_a_link_serves_once_and_looking_at_it_does_not_use_it_up() -> None:
    made = Links()
    token = made.create("anna")
    assert made.username(token) == made.username(token) == "anna"
    assert made.consume(token) == "anna"
    with pytest.raises(ForbiddenError, match="once, within 10 minutes"):
        made.consume(token)


def test_a_link_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Links()
    monkeypatch.setattr(links, "LIFETIME_S", -1)
    token = made.create("anna")
    with pytest.raises(ForbiddenError):
        made.username(token)
    with pytest.raises(ForbiddenError):
        made.consume(token)
