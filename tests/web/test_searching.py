"""Searching by what a person typed."""

from __future__ import annotations

import pytest

from imaging_pipeline.schemas import imaging
from imaging_pipeline.web.queries.searching import containing
from tests.makers.lab import Lab

NAMES = ("Bo", "a%b", "a_b", "it's", 'say "x"', "N:\\moser", "!", "東京", "''", "{x}", "a\\'b", "`")


@pytest.mark.parametrize("name", NAMES)
def test_a_text_is_found_by_the_letter(lab: Lab, name: str) -> None:
    imaging.CueCard.insert({"cue_card": each} for each in NAMES)
    found = imaging.CueCard & containing(imaging.CueCard(), "cue_card", name.upper())
    wanted = [each for each in NAMES if name.lower() in each.lower()]
    assert sorted(found.to_arrays("cue_card")) == sorted(wanted)
