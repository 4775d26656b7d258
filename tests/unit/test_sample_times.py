"""When the samples of a plane were taken, and where they have gaps."""

from __future__ import annotations

import numpy as np
import pytest

from imaging_pipeline.analysis.sample_times import gapless_starts, sample_times
from imaging_pipeline.errors import OutputError

# Three acquisitions of frames of a tenth of a second, with pauses between.
FRAMES = (11, 9, 10)
FRAME_TIMES_S = np.concatenate(
    [start + np.arange(count) / 10 for start, count in zip((0, 5, 20), FRAMES, strict=True)]
)


def times(num_samples: int, frames_per_volume: int = 1, plane: int = 0) -> list[float]:
    return sample_times(
        FRAME_TIMES_S,
        FRAMES,
        frames_per_volume=frames_per_volume,
        frame_in_volume=plane,
        num_samples=num_samples,
    ).tolist()


def test_each_frame_of_a_planar_recording_is_a_sample() -> None:
    assert times(30) == FRAME_TIMES_S.tolist()


@pytest.mark.parametrize("plane", [0, 1, 2, 3])
def test_a_plane_has_a_sample_of_each_whole_volume(plane: int) -> None:
    starts = np.array([0, 0.4, 5, 5.4, 20, 20.4])
    np.testing.assert_allclose(times(6, 4, plane), starts + plane / 10)


@pytest.mark.parametrize("plane", [0, 1])
def test_the_last_volume_may_end_after_the_plane(plane: int) -> None:
    np.testing.assert_allclose(times(7, 4, plane)[-1], 20.8 + plane / 10)


@pytest.mark.parametrize(("num_samples", "plane"), [(7, 2), (8, 0), (5, 0)])
def test_other_numbers_of_samples_are_refused(num_samples: int, plane: int) -> None:
    with pytest.raises(OutputError, match=f"Found: {num_samples} samples. Allowed: 6"):
        times(num_samples, 4, plane)


def test_stretches_begin_after_pauses_and_lost_frames() -> None:
    assert gapless_starts(FRAME_TIMES_S) == [0, 11, 20]
    assert gapless_starts(np.delete(FRAME_TIMES_S, 14)) == [0, 11, 14, 19]
    assert gapless_starts(np.arange(4.0)) == gapless_starts(np.zeros(1)) == [0]
    assert gapless_starts(np.empty(0)) == []
