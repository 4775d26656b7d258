"""A synthetic two-photon movie of a field of view, with its truth.

Cells fire and their calcium follows, the neuropil changes, the image drifts, photons are counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.demo.field_of_view import FieldOfView
from imaging_pipeline.demo.truth import Truth
from imaging_pipeline.errors import InputError

CHUNK_FRAMES = 200
# Time constant of the rise of dF/F after a spike; its decay is a setting.
RISE_S = 0.06
# Active epochs, one in so many seconds on average, in which a cell fires so many times as often.
EPOCH_S = 1.0
EPOCH_INTERVAL_S = 20.0
EPOCH_RATE_FACTOR = 5.0
# Widths of the Gaussian filters that make slow courses of white noise.
SWAY_S = 2.0
NEUROPIL_S = 0.3
NEUROPIL_CHANGE = 0.12
"""Standard deviation of the neuropil's brightness over time, relative to its mean."""


@dataclass(frozen=True)
class MovieSettings:
    """How the cells of a movie behave and how they are recorded.

    Attributes
    ----------
    frame_rate_hz
        Frames a second.
    decay_s
        Decay time of the calcium indicator.
    spike_rate_hz
        Mean rate of a cell outside its active epochs; cells differ.
    response
        Peak of dF/F after one spike; cells differ.
    drift_px
        Largest shift of the image.
    photon_counts
        Digitizer counts of one photon: the larger, the noisier.
    read_noise_counts
        Standard deviation of the electronics' noise.
    offset_counts
        Counts without light.
    """

    frame_rate_hz: float = 15.0
    decay_s: float = 0.7
    spike_rate_hz: float = 0.15
    response: float = 0.9
    drift_px: float = 3.0
    photon_counts: float = 8.0
    read_noise_counts: float = 8.0
    offset_counts: float = 40.0


@dataclass(frozen=True)
class Movie:
    """A movie that is rendered when it is read; each reading yields the same frames."""

    field: FieldOfView
    settings: MovieSettings
    truth: Truth
    seed: int
    _neuropil_courses: NDArray[np.float32]

    def chunks(self) -> Iterator[NDArray[np.int16]]:
        """Yield int16 (n, height, width), n ≤ 200, in the order of time."""
        # Made anew, so that each reading yields the same noise; another stream than those of `make_movie`.
        noise = np.random.default_rng([self.seed, 99])
        maps = np.concatenate([self.field.cell_maps(), self.field.neuropil * self.field.neuropil_modes])
        courses = np.concatenate([self.truth.calcium, self._neuropil_courses]).T
        resting = self.field.neuropil + maps[: self.field.num_cells].sum(axis=0)
        for first in range(0, self.truth.num_frames, CHUNK_FRAMES):
            frames = slice(first, first + CHUNK_FRAMES)
            light = resting + np.tensordot(courses[frames], maps, axes=1)
            yield self._digitized(self._in_view(light, frames), noise)

    def _in_view(self, light: NDArray[np.float32], frames: slice) -> NDArray[np.float32]:
        """Return the part of each frame that is in view after drift."""
        field = self.field.settings
        # A view of every possible shift: only the one of each frame is copied.
        windows = np.lib.stride_tricks.sliding_window_view(
            light, (field.height_px, field.width_px), axis=(1, 2)
        )
        top = field.margin_px - self.truth.y_drift_px[frames]
        left = field.margin_px - self.truth.x_drift_px[frames]
        view: NDArray[np.float32] = windows[np.arange(len(light)), top, left]
        return view

    def _digitized(self, light: NDArray[np.float32], noise: np.random.Generator) -> NDArray[np.int16]:
        """Return counts of the light, with photon and read noise.

        Photon numbers are Poisson distributed; here as the square of a normal variable, whose mean
        and skew agree and whose variance is larger by 1/8 (Anscombe 1948). It takes the same random
        numbers whatever the light, so that rounding cannot lead two machines to different movies.
        """
        photons = np.sqrt(np.maximum(light, 0) / self.settings.photon_counts)
        photons += noise.standard_normal(light.shape, np.float32) / 2
        counts = (photons**2 - 0.25) * self.settings.photon_counts + self.settings.offset_counts
        counts += noise.standard_normal(light.shape, np.float32) * self.settings.read_noise_counts
        limits = np.iinfo(np.int16)
        return np.rint(counts).clip(limits.min, limits.max).astype(np.int16)


def make_movie(field: FieldOfView, settings: MovieSettings, num_frames: int, seed: int) -> Movie:
    """Return a movie with random activity and drift; the same seed gives the same movie.

    Raises
    ------
    InputError
        The drift is larger than the field's margin.
    """
    if settings.drift_px > field.settings.margin_px:
        raise InputError(
            "The drift would move the image beyond the tissue",
            found=f"{settings.drift_px} px",
            allowed=f"up to {field.settings.margin_px} px, the field's margin",
            remedy="Ask for less drift or a wider margin.",
        )
    activity, neuropil, motion = (np.random.default_rng([seed, stream]) for stream in range(3))
    spikes = _spikes(activity, settings, field.num_cells, num_frames)
    response = settings.response * activity.lognormal(0.0, 0.2, (field.num_cells, 1))
    courses = _neuropil_courses(neuropil, settings, len(field.neuropil_modes), num_frames)
    y_drift_px, x_drift_px = _drift(motion, settings, num_frames)
    truth = Truth(
        frame_rate_hz=settings.frame_rate_hz,
        radius_px=field.settings.radius_px,
        centres_px=field.centres_px,
        footprints=field.footprints,
        spikes=spikes,
        calcium=(response * _calcium(spikes, settings)).astype(np.float32),
        neuropil=_neuropil_under_cells(field, courses),
        y_drift_px=y_drift_px,
        x_drift_px=x_drift_px,
        mean_image=field.mean_image(),
    )
    return Movie(field, settings, truth, seed, courses)


def _spikes(
    rng: np.random.Generator, settings: MovieSettings, num_cells: int, num_frames: int
) -> NDArray[np.uint8]:
    """Return Poisson spikes with short active epochs, like those of a place cell."""
    rate_hz = settings.spike_rate_hz * rng.lognormal(0.0, 0.5, (num_cells, 1))
    time_s = np.arange(num_frames) / settings.frame_rate_hz
    num_epochs = max(1, round(time_s[-1] / EPOCH_INTERVAL_S))
    # From before the first frame on, so that it is as likely to lie within an epoch as the others.
    starts_s = rng.uniform(-EPOCH_S, time_s[-1], (num_cells, num_epochs, 1))
    in_epoch = ((time_s >= starts_s) & (time_s < starts_s + EPOCH_S)).any(axis=1)
    expected = rate_hz / settings.frame_rate_hz * np.where(in_epoch, EPOCH_RATE_FACTOR, 1.0)
    return rng.poisson(expected).astype(np.uint8)


def _calcium(spikes: NDArray[np.uint8], settings: MovieSettings) -> NDArray[np.float64]:
    """Convolve spikes with the indicator's response to one spike, which has a peak of 1."""
    # After six decay times a four-hundredth is left.
    time_s = np.arange(0, 6 * settings.decay_s, 1 / settings.frame_rate_hz)
    kernel = (1 - np.exp(-time_s / RISE_S)) * np.exp(-time_s / settings.decay_s)
    kernel /= kernel.max()
    calcium = np.zeros_like(spikes, np.float64)
    for cell, cell_spikes in enumerate(spikes):
        calcium[cell] = np.convolve(cell_spikes, kernel)[: len(cell_spikes)]
    return calcium


def _neuropil_courses(
    rng: np.random.Generator, settings: MovieSettings, num_modes: int, num_frames: int
) -> NDArray[np.float32]:
    """Return random slow time courses of the neuropil's modes: float32 (M, T)."""
    from scipy.ndimage import gaussian_filter1d

    noise = rng.standard_normal((num_modes, num_frames))
    slow = gaussian_filter1d(noise, NEUROPIL_S * settings.frame_rate_hz, axis=1, mode="wrap")
    courses: NDArray[np.float64] = slow / slow.std() * NEUROPIL_CHANGE / np.sqrt(num_modes)
    return courses.astype(np.float32)


def _neuropil_under_cells(field: FieldOfView, courses: NDArray[np.float32]) -> NDArray[np.float32]:
    margin = field.settings.margin_px
    traces = np.empty((field.num_cells, courses.shape[1]), np.float32)
    for trace, footprint in zip(traces, field.footprints, strict=True):
        pixels = (footprint.y + margin, footprint.x + margin)
        resting = field.neuropil[pixels]
        trace[:] = resting.mean() + (field.neuropil_modes[:, *pixels] * resting).mean(axis=1) @ courses
    return traces


def _drift(
    rng: np.random.Generator, settings: MovieSettings, num_frames: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return slow sway and fast jitter in whole pixels, so that the truth is exact."""
    from scipy.ndimage import gaussian_filter1d

    sway = gaussian_filter1d(
        rng.standard_normal((2, num_frames)), SWAY_S * settings.frame_rate_hz, axis=1, mode="wrap"
    )
    sway *= settings.drift_px / max(np.abs(sway).max(), 1e-9)
    jitter = 0.35 * rng.standard_normal((2, num_frames))
    y_px, x_px = np.rint(sway + jitter).clip(-settings.drift_px, settings.drift_px).astype(np.int64)
    return y_px, x_px
