"""Traces drawn with few points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging_pipeline.analysis.decimation import decimated, decimated_stretches
from imaging_pipeline.errors import InputError


def test_a_short_trace_is_given_as_it_is() -> None:
    traces = np.arange(10, dtype=np.float32).reshape(2, 5)
    shown = decimated(traces, 5)
    assert shown.samples.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(shown.values, traces)


@given(st.integers(3, 5000), st.integers(2, 300), st.data())
def test_no_peak_is_lost_and_no_point_too_many(length: int, num_points: int, data: st.DataObject) -> None:
    trace = np.zeros(length, np.float32)
    high, low = data.draw(st.lists(st.integers(0, length - 1), min_size=2, max_size=2, unique=True))
    trace[high], trace[low] = 9, -9
    shown = decimated(trace[None], num_points)
    assert len(shown.samples) <= num_points
    assert shown.values.max() == 9
    assert shown.values.min() == -9
    assert np.all(np.diff(shown.samples) >= 0)
    stretch = -(-length // (num_points // 2))
    assert abs(shown.samples[np.argmax(shown.values)] - high) <= stretch


def test_samples_that_are_no_numbers_do_not_count() -> None:
    trace = np.array([[1, np.nan, 3, 4, np.nan, np.nan]], np.float32)
    assert decimated(trace, 4).values.tolist()[0][:2] == [1, 3]
    shown = decimated(np.array([[1, 2, np.nan, np.nan]], np.float32), 3)
    assert shown.values.tolist() == [[1, 2]]


def test_fewer_than_two_points_are_refused() -> None:
    with pytest.raises(InputError, match="2 or more"):
        decimated(np.zeros((1, 9), np.float32), 1)


def test_no_point_is_of_both_sides_of_a_gap():
    trace = np.concatenate([np.zeros(500), np.full(10, 5), np.full(490, 1)]).astype(np.float32)

    shown = decimated_stretches(trace[None], [-3, 0, 500, 510, 2000], 20)

    assert set(shown.values[0][shown.samples < 500]) == {0}
    assert set(shown.values[0][(shown.samples >= 500) & (shown.samples < 510)]) == {5}
    assert set(shown.values[0][shown.samples >= 510]) == {1}
    assert len(shown.samples) <= 22


def test_few_samples_with_a_gap_are_shown_as_they_are():
    trace = np.arange(12, dtype=np.float32)

    shown = decimated_stretches(trace[None], [0, 5], 12)

    assert shown.samples.tolist() == list(range(12))
    assert shown.values[0].tolist() == trace.tolist()
