"""Numbers and durations as people read them."""

from __future__ import annotations

import pytest

from imaging_pipeline.wording import in_words


@pytest.mark.parametrize(
    ("duration_s", "words"),
    [
        (-3.0, "0.0 s"),
        (0.04, "0.0 s"),
        (2.34, "2.3 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (250, "4 min 10 s"),
        (3599.7, "1 h"),
        (7500, "2 h 5 min"),
        (86_390, "1 d"),
        (275_000, "3 d 4 h"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(duration_s: float, words: str) -> None:
    assert in_words(duration_s) == words
