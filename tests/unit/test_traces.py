import time

import numpy as np
import pytest
from scipy.stats import skew

from imaging_pipeline.analysis.traces import baseline, corrected, delta_f_over_f, spread
from imaging_pipeline.errors import InputError

RATE_HZ = 30.0


def transients(num_samples, peaks, decay_s=1.0):
    time_s = np.arange(num_samples) / RATE_HZ
    df_f = np.zeros(num_samples)
    for onset, height in peaks:
        df_f[onset:] += height * np.exp(-(time_s[onset:] - time_s[onset]) / decay_s)
    return df_f


def test_neuropil_is_taken_off_with_the_coefficient():
    fcorr = corrected(np.float32([[100, 120]]), np.float32([[50, 60]]), 0.7)
    np.testing.assert_allclose(fcorr, [[65, 78]], rtol=1e-6)
    assert fcorr.dtype == np.float32


def test_traces_on_disk_are_read_and_not_changed(tmp_path):
    np.save(tmp_path / "F.npy", np.full((2, 5), 10, np.float32))
    fluo = np.load(tmp_path / "F.npy", mmap_mode="r")
    np.testing.assert_array_equal(corrected(fluo, fluo, 0.5), np.full((2, 5), 5))


def test_each_cell_may_have_a_neuropil_coefficient_of_its_own():
    fluo = np.full((2, 3), 100, np.float32)

    fcorr = corrected(fluo, fluo, np.array([0.5, 0.75]))

    np.testing.assert_array_equal(fcorr, [[50, 50, 50], [25, 25, 25]])


def test_known_transients_come_back_as_df_f():
    known = transients(6000, [(1500, 1.0), (3000, 0.5), (5990, 2.0)])
    fcorr = np.float32(200 * (1 + known))[None]
    found = delta_f_over_f(fcorr, baseline(fcorr, RATE_HZ, percentile=10, window_s=60))
    np.testing.assert_allclose(found.df_f[0], known, atol=1e-3)
    assert found.num_invalid.tolist() == [0]


def test_bleaching_is_followed():
    resting = 200 * np.exp(-np.arange(9000) / RATE_HZ / 600)
    fcorr = np.float32(resting * (1 + transients(9000, [(4500, 1.0)])))[None]
    found = delta_f_over_f(fcorr, baseline(fcorr, RATE_HZ, percentile=10, window_s=30))
    assert found.df_f[0, 4500] == pytest.approx(1, abs=0.05)
    assert np.abs(found.df_f[0, :4400]).max() < 0.05


@pytest.mark.parametrize("window", [1, 2, 15, 30, 199, 200])
@pytest.mark.parametrize("percentile", [0, 8, 50, 100])
def test_baseline_is_the_value_of_that_rank_in_each_window(window, percentile):
    fcorr = np.random.default_rng(0).normal(100, 10, (2, 200)).astype(np.float32)
    f0 = baseline(fcorr, frame_rate_hz=1, percentile=percentile, window_s=window)
    rank = min(percentile * window // 100, window - 1)
    whole = np.sort(np.lib.stride_tricks.sliding_window_view(fcorr, window, axis=1), axis=2)[..., rank]
    before, after = window // 2, 200 - whole.shape[1] - window // 2
    np.testing.assert_array_equal(f0, np.pad(whole, ((0, 0), (before, after)), mode="edge"))


def test_a_recording_shorter_than_the_window_has_one_baseline():
    fcorr = np.arange(100, dtype=np.float32)[None]
    f0 = baseline(fcorr, frame_rate_hz=10, percentile=50, window_s=60)
    np.testing.assert_array_equal(f0, np.full((1, 100), 50))


@pytest.mark.parametrize("percentile", [0.7, 14.5, *range(101)])
def test_the_rank_of_a_baseline_is_exact_for_every_percentile(percentile):
    fcorr = np.arange(1000, dtype=np.float32)[None]
    f0 = baseline(fcorr, frame_rate_hz=1, percentile=percentile, window_s=1000)
    assert f0[0, 0] == min(round(percentile * 10), 999)


@pytest.mark.parametrize("window", [10, 11])
@pytest.mark.parametrize("percentile", [0, 8, 100])
def test_a_baseline_is_nan_in_windows_with_a_sample_that_is_nan_and_right_elsewhere(percentile, window):
    fcorr = np.random.default_rng(0).normal(100, 10, (2, 200)).astype(np.float32)
    whole = baseline(fcorr, frame_rate_hz=1, percentile=percentile, window_s=window)
    fcorr[0, 60:63] = np.nan
    f0 = baseline(fcorr, frame_rate_hz=1, percentile=percentile, window_s=window)
    # The window of sample i begins at i - window // 2.
    whole[0, 61 - (window - window // 2) : 63 + window // 2] = np.nan
    np.testing.assert_array_equal(f0, whole)
    assert delta_f_over_f(fcorr, f0).num_invalid.tolist() == [2 + window, 0]


def test_a_cell_s_spread_is_that_of_its_samples():
    samples = np.random.default_rng(0).gamma(2, 30, (3, 500)).astype(np.float32)
    samples[1, 7:20] = np.nan
    found = spread(samples)
    finite = [row[np.isfinite(row)] for row in samples]
    np.testing.assert_allclose(found.std, [row.std() for row in finite], rtol=1e-5)
    np.testing.assert_allclose(found.skew, [skew(row.astype(float)) for row in finite], rtol=1e-6)


def test_a_spread_that_is_not_known_is_nan():
    found = spread(np.float32([[3.1, 3.1, 3.1], [np.nan, np.nan, np.nan]]))
    np.testing.assert_allclose(found.std, [0, np.nan], atol=1e-6)
    assert np.isnan(found.skew).all()
    assert spread(np.empty((0, 5), np.float32)).skew.shape == (0,)


@pytest.mark.parametrize("shape", [(0, 100), (3, 0), (3, 1)])
def test_no_cells_and_no_samples_are_no_error(shape):
    assert baseline(np.ones(shape, np.float32), RATE_HZ, 8, 60).shape == shape


def test_samples_without_a_positive_baseline_are_nan_and_counted():
    fcorr = np.float32([[2, 4, 4], [2, 2, 2]])
    found = delta_f_over_f(fcorr, np.float32([[1, 0, -1], [1, 1, 2]]))
    np.testing.assert_array_equal(found.df_f, [[1, np.nan, np.nan], [1, 1, 0]])
    assert found.num_invalid.tolist() == [2, 0]


def test_fluorescence_and_neuropil_of_other_cells_are_refused():
    with pytest.raises(InputError, match=r"\(2, 5\) and \(3, 5\)"):
        corrected(np.zeros((2, 5), np.float32), np.zeros((3, 5), np.float32), 0.7)


@pytest.mark.parametrize(
    ("rate_hz", "percentile", "window_s", "message"),
    [(0, 8, 60, "frame rate"), (30, 101, 60, "percentile"), (30, 8, -1, "window"), (30, 8, np.nan, "window")],
)
def test_parameters_out_of_range_are_named(rate_hz, percentile, window_s, message):
    with pytest.raises(InputError, match=message):
        baseline(np.ones((1, 10), np.float32), rate_hz, percentile, window_s)


def test_a_long_window_takes_hardly_more_time_than_a_short_one():
    fcorr = np.random.default_rng(0).normal(100, 10, (20, 20_000)).astype(np.float32)

    def seconds(window_s):
        start = time.process_time()
        baseline(fcorr, RATE_HZ, 8, window_s)
        return time.process_time() - start

    short_s, long_s = seconds(10), seconds(120)
    assert long_s < 5 * short_s + 0.05
