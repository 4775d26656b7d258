import numpy as np
import pytest

from imaging_pipeline.analysis.matching import match_centres, overlaps, trace_correlations
from imaging_pipeline.errors import InputError


def square(y, x, side=4):
    return tuple(axis.ravel() for axis in np.mgrid[y : y + side, x : x + side])


def test_cells_and_rois_are_paired_one_to_one():
    cells = np.array([[10, 10], [30, 30], [50, 50]])
    rois = np.array([[31, 30], [10, 12], [11, 11]])
    match = match_centres(cells, rois, max_distance_px=5)
    assert list(zip(match.cells, match.rois, strict=True)) == [(0, 2), (1, 0)]
    np.testing.assert_allclose(match.distances_px, [np.sqrt(2), 1])
    assert match.recall == match.precision == pytest.approx(2 / 3)


def test_as_many_as_possible_are_paired_before_as_closely_as_possible():
    cells = np.array([[0.0, 0.0], [0.0, 4.0]])
    rois = np.array([[0.0, 3.5], [0.0, 8.0]])
    match = match_centres(cells, rois, max_distance_px=4)
    assert list(zip(match.cells, match.rois, strict=True)) == [(0, 0), (1, 1)]


def test_a_pair_at_just_the_largest_distance_counts():
    match = match_centres(np.array([[0, 0]]), np.array([[3, 4]]), max_distance_px=5)
    assert match.recall == 1


def test_recall_can_be_asked_for_some_cells():
    match = match_centres(np.array([[0, 0], [50, 50]]), np.array([[1, 1]]), max_distance_px=5)
    assert match.recall_among(np.array([True, False])) == 1
    assert match.recall_among(np.array([False, True])) == 0
    assert np.isnan(match.recall_among(np.array([False, False])))


def test_without_cells_or_rois_there_is_no_share():
    match = match_centres(np.empty((0, 2)), np.empty((0, 2)), max_distance_px=5)
    assert np.isnan([match.recall, match.precision]).all()


def test_centres_must_be_y_and_x():
    with pytest.raises(InputError, match=r"ROIs.*\(2, 3\)"):
        match_centres(np.zeros((2, 2)), np.zeros((2, 3)), max_distance_px=5)


def test_overlap_is_the_common_part_of_both():
    match = match_centres(np.array([[2, 2]]), np.array([[40, 40], [2, 4]]), max_distance_px=5)
    shares = overlaps(match, [square(0, 0)], [square(38, 38), square(0, 2)])
    np.testing.assert_allclose(shares, [8 / 24])


def test_traces_of_pairs_are_correlated_where_both_are_known():
    match = match_centres(np.array([[0, 0], [50, 50]]), np.array([[50, 50], [0, 0]]), max_distance_px=5)
    truth = np.array([[0, 1, 2, 3, 4.0], [1, 0, 1, 0, 1]])
    found = np.array([[0, 1, 0, 1, 0.0], [10, 20, np.nan, 40, 50]])
    np.testing.assert_allclose(trace_correlations(match, truth, found), [1, -1])


def test_a_flat_trace_has_no_correlation():
    match = match_centres(np.array([[0, 0]]), np.array([[0, 0]]), max_distance_px=5)
    assert np.isnan(trace_correlations(match, np.arange(5.0)[None], np.ones((1, 5)))).all()


def test_traces_of_other_lengths_are_refused():
    match = match_centres(np.array([[0, 0]]), np.array([[0, 0]]), max_distance_px=5)
    with pytest.raises(InputError, match="5 and 6 samples"):
        trace_correlations(match, np.ones((1, 5)), np.ones((1, 6)))
