"""Searching by what a person typed."""

from __future__ import annotations

import pytest

from imaging_pipeline.schemas import imaging, plain_rows
from tests.makers.lab import Lab

NAMES = ("Bo", "a%b", "a_b", "it's", 'say "x"', "N:\\moser", "!", "東京", "''", "{x}", "a\\'b", "`")


@pytest.mark.parametrize("name", NAMES)
def test_a_text_is_found_by_the_letter(lab: Lab, name: str) -> None:
    imaging.CueCard.insert({"cue_card": each} for each in NAMES)
    statement = (
        f"SELECT cue_card FROM {imaging.CueCard.full_table_name} WHERE LOWER(cue_card) LIKE %s ESCAPE '!'"
    )
    pattern = f"%{plain_rows.like_literal(name.upper())}%"
    found = [text for (text,) in plain_rows.fetch(lab.connection, statement, [pattern])]
    expected = [each for each in NAMES if name.lower() in each.lower()]
    assert sorted(found) == sorted(expected)
