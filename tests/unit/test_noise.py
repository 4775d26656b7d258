"""Signal and noise of traces of which both are known."""

from __future__ import annotations

import numpy as np
import pytest

from imaging_pipeline.analysis.noise import signal_to_noise


def transients(num_samples: int, height: float) -> np.ndarray:
    trace = np.zeros(num_samples)
    trace[::400] = height
    return np.convolve(trace, np.exp(-np.arange(60) / 20))[:num_samples]


@pytest.mark.parametrize("noise", [0.02, 0.1])
def test_noise_is_found_below_transients(noise: float) -> None:
    random = np.random.default_rng(0)
    trace = transients(20_000, 2.0) + random.normal(0, noise, 20_000)
    found = signal_to_noise(trace[None].astype(np.float32))
    assert found.noise[0] == pytest.approx(noise, rel=0.15)


def test_a_cell_with_larger_transients_stands_out_more() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 20_000)
    traces = np.stack([noise + transients(20_000, height) for height in (0, 1, 4)]).astype(np.float32)
    snr = signal_to_noise(traces).snr
    assert snr[0] == pytest.approx(2.3, abs=0.2)  # the 99th percentile of a normal distribution
    assert snr[0] < snr[1] < snr[2]
    assert snr[2] > 15


def test_samples_that_are_no_numbers_do_not_count() -> None:
    trace = np.random.default_rng(0).normal(0, 1, 1000).astype(np.float32)
    with_gaps = np.concatenate([trace, np.full(500, np.nan, np.float32)])
    assert signal_to_noise(with_gaps[None]).snr == signal_to_noise(trace[None]).snr


def test_a_trace_without_noise_or_samples_has_no_ratio() -> None:
    flat, empty = np.ones((1, 9), np.float32), np.full((1, 9), np.nan, np.float32)
    assert np.isnan(signal_to_noise(flat).snr[0])
    assert signal_to_noise(flat).noise[0] == 0
    assert np.isnan(signal_to_noise(empty).noise[0])
    assert signal_to_noise(np.empty((0, 9), np.float32)).snr.size == 0
