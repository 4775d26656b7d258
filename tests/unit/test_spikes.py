import numpy as np
import pytest

from imaging_pipeline.analysis.spikes import filtered_spikes
from imaging_pipeline.errors import InputError


def test_each_cell_keeps_spikes_above_its_own_threshold():
    loud = [0, 0, 10, 0, 0, 40, 0, 10]
    spikes = np.float32([loud, np.divide(loud, 100)])
    found = filtered_spikes(spikes, num_std=1)
    mean, std = np.mean(loud), np.std(loud)
    np.testing.assert_allclose(found.thresholds, [mean + std, (mean + std) / 100], rtol=1e-6)
    np.testing.assert_allclose(found.spikes, [[0, 0, 0, 0, 0, 40, 0, 0], [0, 0, 0, 0, 0, 0.4, 0, 0]])


def test_the_given_spikes_are_left_as_they_are(tmp_path):
    np.save(tmp_path / "spks.npy", np.float32([[0, 1, 5]]))
    spikes = np.load(tmp_path / "spks.npy", mmap_mode="r")
    found = filtered_spikes(spikes, num_std=0)
    np.testing.assert_array_equal(found.spikes, [[0, 0, 5]])
    np.testing.assert_array_equal(spikes, [[0, 1, 5]])


def test_a_cell_without_activity_keeps_nothing():
    found = filtered_spikes(np.full((1, 1000), 0.1, np.float32), num_std=2)
    assert not found.spikes.any()


def test_samples_that_are_no_number_stay_so_and_are_counted():
    spikes = np.float32([[0, np.nan, 10, 0, np.inf, 40], [np.nan] * 6, [0, 0, 10, 0, 0, 40]])
    found = filtered_spikes(spikes, num_std=1)
    np.testing.assert_array_equal(found.spikes[0], [0, np.nan, 0, 0, np.nan, 40])
    assert np.isnan(found.spikes[1]).all()
    finite = [0, 10, 0, 40]
    np.testing.assert_allclose(found.thresholds[:2], [np.mean(finite) + np.std(finite), np.nan], rtol=1e-6)
    assert found.num_invalid.tolist() == [2, 6, 0]


def test_no_cells_are_no_error():
    found = filtered_spikes(np.empty((0, 100), np.float32), num_std=2)
    assert (found.spikes.shape, found.thresholds.shape) == ((0, 100), (0,))


@pytest.mark.parametrize("num_std", [-1, np.nan, np.inf])
def test_a_threshold_out_of_range_is_refused(num_std):
    with pytest.raises(InputError, match="standard deviations"):
        filtered_spikes(np.ones((1, 3), np.float32), num_std)


@pytest.mark.parametrize("shape", [(5,), (2, 0)])
def test_what_is_no_cells_by_samples_is_refused(shape):
    with pytest.raises(InputError, match="cells, samples"):
        filtered_spikes(np.ones(shape, np.float32), 2)
