"""A run of Suite2p itself, on what it would mix up if it were called as it is."""

import dataclasses
import json

import numpy as np
import pytest

from imaging_pipeline import progress
from imaging_pipeline.demo.scanimage_file import ScanImageSettings, write_stack
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.suite2p.output import (
    MARKER_NAME,
    find_outputs,
    missing_files,
    read_motion,
    read_output,
    read_projections,
    read_traces,
)
from imaging_pipeline.suite2p_runner.run import RunRequest, Trim, is_available, run

pytestmark = pytest.mark.skipif(not is_available(), reason="Suite2p is not installed")

SIDE = 64
LEVELS = (200, 1000)
JUMP_PX = 3
OPTIONS = {"registration": {"nonrigid": False, "nimg_init": 30, "batch_size": 20}, "nplanes": 1}


def plane_movie(level: int, num_volumes: int) -> np.ndarray:
    """A noisy plane; that of the higher level has cells that flash, and jumps to the right amid the movie."""
    random = np.random.default_rng(level)
    movie = random.normal(level, 10, (num_volumes, SIDE, SIDE))
    if level == max(LEVELS):
        y, x = np.mgrid[:SIDE, :SIDE]
        for center_y, center_x in ((20, 20), (40, 24), (30, 44)):
            mask = np.exp(-((y - center_y) ** 2 + (x - center_x) ** 2) / 18)
            flashes = np.convolve(random.random(num_volumes) < 0.05, 0.8 ** np.arange(20))[:num_volumes]
            movie += mask * (150 + 600 * flashes[:, None, None])
        movie[num_volumes // 2 :] = np.roll(movie[num_volumes // 2 :], JUMP_PX, axis=2)
    return movie.astype(np.int16)


@pytest.fixture
def request_of_two_planes(tmp_path):
    """Return two acquisitions, of which the first ends amid a volume."""
    pages = np.stack([plane_movie(level, 80) for level in LEVELS], axis=1).reshape(-1, SIDE, SIDE)
    settings = ScanImageSettings(20.0, num_planes=2)
    write_stack(tmp_path / "m_00001_00001.tif", pages[:81], settings)
    write_stack(tmp_path / "m_00002_00001.tif", pages[82:], dataclasses.replace(settings, acquisition=2))
    return RunRequest(
        tifs=tuple(read_tif(tmp_path / f"m_0000{number}_00001.tif") for number in (1, 2)),
        acquisitions=(1, 2),
        settings=OPTIONS,
        target=tmp_path / "combined_ab" / "default",
        scratch=tmp_path / "scratch",
        identity={"ops_name": "default"},
    )


@pytest.mark.slow(reason="Suite2p itself analyses two planes")
def test_planes_stay_apart_when_an_acquisition_ends_amid_a_volume(request_of_two_planes):
    steps = []

    with progress.listening(lambda report: steps.append(report.step)):
        result = run(request_of_two_planes)

    output = read_output(*find_outputs(result.target))
    assert result.trimmed == (Trim("m_00001_00001.tif", 1),)
    assert result.overridden == {"nplanes": (1, 2)}
    assert (result.num_frames, output.num_planes) == (79, 2)
    assert output.file_list == ("m_00001_00001.tif", "m_00002_00001.tif")
    assert [plane.frames_per_file for plane in output.planes] == [(40, 39), (40, 39)]
    means = [np.mean(read_projections(plane).mean_image) for plane in output.planes]
    np.testing.assert_allclose(means, LEVELS, rtol=0.1)

    # Without cells a plane is finished too, and the next one is analysed.
    assert [plane.num_rois > 0 for plane in output.planes] == [False, True]
    assert [missing_files(plane) for plane in (*output.planes, output.combined)] == [(), (), ()]
    assert read_traces(output.combined).fluo.shape == (result.num_rois, 79)
    offsets = read_motion(output.planes[1]).x_offset
    assert offsets.shape == (79,)
    assert np.median(offsets[40:]) - np.median(offsets[:40]) == JUMP_PX
    # A mosaic is 0 where nothing was in view all the time, an image of one plane NaN.
    assert np.isnan(read_projections(output.planes[1]).max_image).any()
    mosaic = read_projections(output.combined).max_image[:, SIDE:]
    assert np.isfinite(mosaic).all()
    assert (mosaic == 0).any()

    assert "registration, plane 2 of 2" in steps
    assert {"reading tifs", "registration", "extraction"} <= set(result.seconds_by_stage)
    assert list(request_of_two_planes.scratch.iterdir()) == []
    assert not list(result.target.rglob("*.bin"))

    again = run(request_of_two_planes)

    assert again == dataclasses.replace(result, adopted=True)
    assert json.loads((result.target / MARKER_NAME).read_text())["ops_name"] == "default"
