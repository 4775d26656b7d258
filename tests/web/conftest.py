"""The site on each backend, and who visits it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from imaging_pipeline import passwords

if TYPE_CHECKING:
    from tests.makers.lab import Lab
    from tests.makers.site import Site, Visitor


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let hashes take no time; what is kept of a password otherwise is a test of `passwords`."""
    hasher = PasswordHasher.from_parameters(CHEAPEST)
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)


@pytest.fixture
def site(lab: Lab) -> Iterator[Site]:
    """Return the site of an empty lab."""
    from tests.makers.site import running_site

    with running_site(lab) as site:
        yield site


@pytest.fixture
def anna(site: Site) -> Visitor:
    """Return the browser of an experimenter who is signed in."""
    return site.visitor("anna")


@pytest.fixture
def bob(site: Site) -> Visitor:
    """Return the browser of an administrator who is signed in."""
    return site.visitor("bob")


@pytest.fixture
def stranger(site: Site) -> Visitor:
    """Return the browser of somebody who is not signed in."""
    return site.visitor()
