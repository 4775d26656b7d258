"""Random sequences of what people do: nothing that they made is lost unless one of them agreed to that."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

from tests.makers.lab import Lab
from tests.makers.notes import declared_notes
from tests.makers.stand_in_suite2p import stand_in_suite2p
from tests.makers.walks.people import People

NUM_STEPS = 8


@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked, to be killed at once")
@pytest.mark.slow(reason="a walk registers, runs and imports a folder many times")
def test_nothing_that_people_made_is_lost_without_their_consent(
    lab: Lab, walk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = stand_in_suite2p(tmp_path / "packages", monkeypatch)
    with declared_notes(lab):
        people = People(lab, stand_in, Random(f"{lab.config.backend} {walk}"))
        for _ in range(NUM_STEPS):
            people.step()
        people.finish()
