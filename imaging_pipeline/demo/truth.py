"""The truth of a synthetic recording, to compare an analysis with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.demo.field_of_view import Footprint


@dataclass(frozen=True)
class Truth:
    """The truth of a movie: N cells, T frames.

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
        int64 (T,), displacement of the tissue down and right in the frame.
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
        return int(self.spikes.shape[1])

    @property
    def is_active(self) -> NDArray[np.bool_]:
        """Bool (N,), whether each cell fired at all: one that never did cannot be found."""
        num_spikes: NDArray[np.uint64] = self.spikes.sum(axis=1)
        return num_spikes > 0
