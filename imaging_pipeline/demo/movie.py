"""A synthetic two-photon movie of a field of view, of which everything is known.

Cells fire, calcium follows, the neuropil glows and changes, the image drifts, photons are counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.demo.field_of_view import FieldOfView, Footprint
from imaging_pipeline.errors import InputError

CHUNK_FRAMES = 200
RISE_S = 0.06
EPOCH_S = 1.0
EPOCH_INTERVAL_S = 20.0
EPOCH_RATE_FACTOR = 5.0
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
    spike_rate_hz: float = 0.12
    response: float = 0.9
    drift_px: float = 3.0
    photon_counts: float = 8.0
    read_noise_counts: float = 8.0
    offset_counts: float = 40.0


@dataclass(frozen=True)
class Truth:
    """What a movie was made from: N cells, T frames.

    Attributes
    ----------
    frame_rate_hz
        Frames a second.
    radius_px
        Mean radius of a cell.
    centres_px
        float32 (N, 2), y and x of the cells where there is no drift.
    footprints
        The N cells' pixels where there is no drift.
    spikes
        uint8 (N, T), spikes in each frame.
    calcium
        float32 (N, T), dF/F of each cell without noise.
    neuropil
        float32 (N, T), mean brightness of the neuropil under each cell, in counts.
    y_drift_px, x_drift_px
        int64 (T,), by how much the tissue is moved down and right in the frame.
    mean_image
        float32 (height, width), the field at rest without drift and noise, in counts.
    """

    frame_rate_hz: float
    radius_px: float
    centres_px: NDArray[np.float32]
    footprints: tuple[Footprint, ...]
    spikes: NDArray[np.uint8]
    calcium: NDArray[np.float32]
    neuropil: NDArray[np.float32]
    y_drift_px: NDArray[np.int64]
    x_drift_px: NDArray[np.int64]
    mean_image: NDArray[np.float32]

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return self.spikes.shape[1]

    @property
    def is_active(self) -> NDArray[np.bool_]:
        """Tell of each of the N cells whether it fired at all: one that never did cannot be found."""
        active: NDArray[np.bool_] = self.spikes.any(axis=1)
        return active


@dataclass(frozen=True)
class Movie:
    """A movie that is rendered while it is read; reading it again gives the same frames."""

    field: FieldOfView
    settings: MovieSettings
    truth: Truth
    seed: int
    _neuropil_courses: NDArray[np.float32]

    def chunks(self) -> Iterator[NDArray[np.int16]]:
        """Yield int16 (n, height, width), n ≤ 200, in the order of time."""
        noise = np.random.default_rng([self.seed, 99])
        maps = np.concatenate([self.field.cell_maps(), self.field.neuropil * self.field.neuropil_modes])
        courses = np.concatenate([self.truth.calcium, self._neuropil_courses]).T
        resting = self.field.neuropil + maps[: self.field.num_cells].sum(axis=0)
        for first in range(0, self.truth.num_frames, CHUNK_FRAMES):
            frames = slice(first, first + CHUNK_FRAMES)
            light = resting + np.tensordot(courses[frames], maps, axes=1)
            yield self._recorded(self._in_view(light, frames), noise)

    def _in_view(self, light: NDArray[np.float32], frames: slice) -> NDArray[np.float32]:
        """Cut from each frame what the drift leaves in view."""
        field = self.field.settings
        windows = np.lib.stride_tricks.sliding_window_view(
            light, (field.height_px, field.width_px), axis=(1, 2)
        )
        top = field.margin_px - self.truth.y_drift_px[frames]
        left = field.margin_px - self.truth.x_drift_px[frames]
        view: NDArray[np.float32] = windows[np.arange(len(light)), top, left]
        return view

    def _recorded(self, light: NDArray[np.float32], noise: np.random.Generator) -> NDArray[np.int16]:
        """Count photons and digitize.

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
    """Draw the activity and drift of ``num_frames`` frames; the same seed gives the same movie.

    Raises
    ------
    InputError
        When the drift is larger than the field's margin.
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
    response = settings.response * activity.lognormal(0.0, 0.25, (field.num_cells, 1))
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
    """Draw Poisson spikes with short active epochs, as of a cell whose place is passed."""
    rate_hz = settings.spike_rate_hz * rng.lognormal(0.0, 0.5, (num_cells, 1))
    time_s = np.arange(num_frames) / settings.frame_rate_hz
    num_epochs = max(1, round(time_s[-1] / EPOCH_INTERVAL_S))
    starts_s = rng.uniform(-EPOCH_S, time_s[-1], (num_cells, num_epochs, 1))
    in_epoch = ((time_s >= starts_s) & (time_s < starts_s + EPOCH_S)).any(axis=1)
    expected = rate_hz / settings.frame_rate_hz * np.where(in_epoch, EPOCH_RATE_FACTOR, 1.0)
    return rng.poisson(expected).astype(np.uint8)


def _calcium(spikes: NDArray[np.uint8], settings: MovieSettings) -> NDArray[np.float64]:
    """Convolve spikes with the indicator's answer to one, which has a peak of 1."""
    from scipy.signal import fftconvolve

    time_s = np.arange(0, 6 * settings.decay_s, 1 / settings.frame_rate_hz)
    answer = (1 - np.exp(-time_s / RISE_S)) * np.exp(-time_s / settings.decay_s)
    whole = fftconvolve(spikes, (answer / answer.max())[None], axes=1)
    calcium: NDArray[np.float64] = whole[:, : spikes.shape[1]].clip(min=0)
    return calcium


def _neuropil_courses(
    rng: np.random.Generator, settings: MovieSettings, num_modes: int, num_frames: int
) -> NDArray[np.float32]:
    """Draw slow courses of the neuropil's modes: float32 (M, T)."""
    from scipy.ndimage import gaussian_filter1d

    noise = rng.standard_normal((num_modes, num_frames))
    slow = gaussian_filter1d(noise, 0.3 * settings.frame_rate_hz, axis=1, mode="wrap")
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
    """Draw a slow walk and a quick jitter, in whole pixels so that the truth is exact."""
    walk = rng.standard_normal((2, num_frames)).cumsum(axis=1)
    walk -= walk.mean(axis=1, keepdims=True)
    walk *= settings.drift_px / max(np.abs(walk).max(), 1e-9)
    jitter = 0.35 * rng.standard_normal((2, num_frames))
    y_px, x_px = np.rint(walk + jitter).clip(-settings.drift_px, settings.drift_px).astype(np.int64)
    return y_px, x_px
