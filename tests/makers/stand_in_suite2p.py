"""A package that stands in for Suite2p, of which every failure may be ordered."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PACKAGES = Path(__file__).parents[1] / "stand_in_packages"
PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class StandIn:
    """The stand-in that this process and those that it starts find instead of Suite2p.

    Attributes
    ----------
    orders
        The file that it looks into while it runs.
    """

    orders: Path

    def order(self, do: str = "", stage: str = "", **more: Any) -> None:
        """Tell it what to do wrong, and in which stage of its log; nothing, where nothing is given."""
        new = self.orders.with_suffix(".new")
        new.write_text(json.dumps({"do": do, "stage": stage, **more}))
        new.replace(self.orders)


def stand_in_suite2p(folder: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Put the stand-in before Suite2p and torch, for this test and the processes that it starts."""
    installed = folder / "suite2p-1.1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: suite2p\nVersion: 1.1.0\n")
    stand_in = StandIn(folder / "orders.json")
    stand_in.order()
    places = [str(PACKAGES), str(folder), str(PROJECT)]
    monkeypatch.setenv("STAND_IN_SUITE2P", str(stand_in.orders))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*places, os.environ.get("PYTHONPATH", "")]))
    for place in (places[1], places[0]):
        monkeypatch.syspath_prepend(place)
    return stand_in
