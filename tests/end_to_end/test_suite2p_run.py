"""A run of Suite2p itself, on what it would mix up if it were called as it is."""

import dataclasses
import json

import numpy as np
import pytest

from imaging_pipeline import progress
from imaging_pipeline.demo.scanimage_file import ScanImageSettings, write_stack
from imaging_pipeline.readers.npy.file import load_npy
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
from tests.makers import scanimage

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


ONE_RATE = {
    "3": (
        "",
        scanimage.HEADER_3.replace("frameRate=3.90625", "frameRate=20").replace("Channel3=1", "Channel3=0"),
    ),
    "4": (
        scanimage.FRAME_LINES_4,
        scanimage.HEADER_4.replace("[1;2]", "1").replace("fastZEnable = 1", "fastZEnable = 0"),
    ),
    "5.0": (
        scanimage.FRAME_LINES_50,
        scanimage.HEADER_50.replace("[1;2]", "1").replace("FramePeriod = 0.04", "FramePeriod = 0.05"),
    ),
    "5.1": (scanimage.FRAME_LINES_51, scanimage.HEADER_51.replace("29.9", "20")),
}


@pytest.mark.slow(reason="Suite2p itself analyses a plane")
def test_tifs_of_every_generation_are_read_to_their_last_page(tmp_path):
    """By itself, Suite2p reads a page too few of those that are classic TIFF."""
    movie = plane_movie(200, 20 * 6)
    paths = []
    for number, (lines, header) in enumerate(ONE_RATE.values()):
        path = tmp_path / f"m_{number + 1:05d}.tif"
        pages = movie[20 * number : 20 * (number + 1)]
        paths.append(scanimage.write_classic_tif(path, lines, header, pages=pages))
    for format_version, first in ((3, 80), (4, 100)):
        path = tmp_path / f"m_{format_version + 2:05d}.tif"
        settings, pages = ScanImageSettings(20.0), movie[first : first + 20]
        paths.append(scanimage.write_tif(path, settings=settings, pages=pages, format_version=format_version))
    target = tmp_path / "combined_ab" / "default"
    acquisitions = tuple(range(len(paths)))

    request = RunRequest(tuple(map(read_tif, paths)), acquisitions, OPTIONS, target, tmp_path / "scratch")
    result = run(dataclasses.replace(request, bad_frames=(3, 40)))

    (plane,) = read_output(*find_outputs(target)).planes
    assert (result.num_frames, plane.frames_per_file) == (120, (20,) * 6)
    # The mean of all pages before they were registered, exact to the last bit.
    description = load_npy(plane.folder / "db.npy")
    np.testing.assert_array_equal(description["meanImg"], movie.sum(axis=0, dtype=np.float64) / 120)
    # Left out of the detection, and there in the traces.
    assert read_motion(plane).bad_frames[[2, 3, 4, 39, 40, 41]].tolist() == [False, True, False] * 2
    assert (result.bad_frames, read_traces(plane).fluo.shape[1]) == ((3, 40), 120)
