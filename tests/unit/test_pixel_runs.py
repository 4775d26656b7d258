"""Regions as runs of pixels."""

from __future__ import annotations

import numpy as np

from imaging_pipeline.analysis.pixel_runs import PixelRuns, pixel_runs


def painted(runs: PixelRuns, region: int) -> set[tuple[int, int]]:
    each = zip(runs.region, runs.y, runs.first, runs.end, strict=True)
    return {(x, y) for number, y, first, end in each if number == region for x in range(first, end)}


def test_runs_paint_each_region_as_it_was() -> None:
    random = np.random.default_rng(0)
    regions = [np.unique(random.integers(0, 12, (size, 2)), axis=0) for size in (1, 5, 40, 80)]
    runs = pixel_runs([pixels[:, 0] for pixels in regions], [pixels[:, 1] for pixels in regions])
    for number, pixels in enumerate(regions):
        assert painted(runs, number) == set(map(tuple, pixels.tolist()))


def test_pixels_side_by_side_are_one_run_in_any_order_and_twice() -> None:
    runs = pixel_runs([np.array([4, 2, 3, 3, 9])], [np.array([7, 7, 7, 7, 7])])
    assert runs.first.tolist() == [2, 9]
    assert runs.end.tolist() == [5, 10]


def test_neighbours_of_different_regions_stay_apart() -> None:
    runs = pixel_runs([np.array([1]), np.array([2])], [np.array([0]), np.array([0])])
    assert runs.region.tolist() == [0, 1]


def test_no_region_has_no_run() -> None:
    assert pixel_runs([], []).region.size == 0
