"""What several modules of tests of workers share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from imaging_pipeline.config.config import Config

if TYPE_CHECKING:
    from tests.makers.toy_workers import Toy


@pytest.fixture(scope="module")
def declared(
    server_config: Config, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Toy]:
    """Return the toy tables of each backend, in a database of the module's own."""
    from tests.makers.toy_workers import declared_toy

    own_name = request.module.__name__.rpartition("_")[2]
    with declared_toy(server_config, f"toy_{own_name}", tmp_path_factory.mktemp("toy")) as toy:
        yield toy


@pytest.fixture
def toy(declared: Toy) -> Toy:
    """Return the toy tables, empty."""
    declared.empty()
    return declared
