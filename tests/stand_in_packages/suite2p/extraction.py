"""The traces of regions of interest: of each the mean over a row of pixels."""

import numpy as np


def extraction_wrapper(stat, movie):
    """Return float32 (ROIs, frames)."""
    return np.stack([movie[:, roi % movie.shape[1]].mean(axis=1) for roi in range(len(stat))]).astype("f4")
