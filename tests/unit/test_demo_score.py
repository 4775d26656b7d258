import numpy as np
import pytest

from imaging_pipeline.demo.field_of_view import FieldSettings, make_field
from imaging_pipeline.demo.movie import MovieSettings, make_movie
from imaging_pipeline.demo.score import FoundCells, score


def truth_of(**settings):
    field = make_field(FieldSettings(height_px=96, width_px=96, num_cells=8), seed=0)
    return make_movie(field, MovieSettings(**settings), num_frames=300, seed=1).truth


def found_at(truth, cells, y_px=0, x_px=0):
    """Find the cells of the truth, in an image that registration has moved."""
    pixels = [(y + y_px, x + x_px) for y, x in (truth.footprints[cell].pixels for cell in cells)]
    return FoundCells(truth.centres_px[cells] + [y_px, x_px], pixels, truth.calcium[cells])


def test_the_truth_itself_has_the_best_score():
    truth = truth_of(spike_rate_hz=1.0)
    result = score(truth, found_at(truth, range(8)))
    assert (result.recall, result.precision, result.median_overlap) == (1, 1, 1)
    assert result.median_correlation == pytest.approx(1)


def test_missed_and_invented_cells_are_counted():
    truth = truth_of(spike_rate_hz=1.0)
    found = found_at(truth, [0, 1, 2, 3, 4, 5])
    with_invented = FoundCells(
        np.vstack([found.centres_px, [[-50, -50]]]),
        [*found.pixels, (np.array([0]), np.array([0]))],
        np.vstack([found.traces, found.traces[:1]]),
    )
    result = score(truth, with_invented)
    assert (result.num_found, result.recall, result.precision) == (7, 6 / 8, 6 / 7)


def test_an_image_that_registration_moved_is_no_fault():
    truth = truth_of(spike_rate_hz=1.0)
    result = score(truth, found_at(truth, range(8), y_px=-2, x_px=3))
    assert (result.recall, result.median_overlap) == (1, 1)
    assert result.displacement_px == pytest.approx((-2, 3))


def test_cells_that_never_fired_are_left_out_and_counted():
    truth = truth_of(spike_rate_hz=0.02)
    active = np.flatnonzero(truth.is_active)
    assert 0 < len(active) < 8
    result = score(truth, found_at(truth, active))
    assert (result.recall, result.num_active) == (1, len(active))
    assert f"of {len(active)} true cells, {8 - len(active)} that never fired left out" in str(result)


def test_no_found_cells_give_a_score_without_a_warning():
    truth = truth_of(spike_rate_hz=1.0)
    result = score(truth, FoundCells(np.empty((0, 2)), [], np.empty((0, 300))))
    assert result.recall == 0
    assert np.isnan(result.precision)
    assert str(result).startswith("0 cells found; recall 0.000 of 8 true cells, all of which fired")
