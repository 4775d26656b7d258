"""A run on pages of several fields of view: each is a movie of its own."""

from dataclasses import replace

import numpy as np

from imaging_pipeline.demo.scanimage_file import ScanImageSettings
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.suite2p.output import find_outputs, read_output, read_traces
from imaging_pipeline.suite2p_runner.run import RunRequest, run
from tests.makers.scanimage_fields import Field, write_fields_tif
from tests.makers.stand_in_suite2p import stand_in_suite2p
from tests.makers.suite2p_runs import RIGID, mean_rows

FIELDS = (Field(16, 10, top=5), Field(12, 10, left=30))
VOLUMES = ScanImageSettings(30.0, num_planes=2, flyback_frames=1)


def test_every_field_of_every_plane_is_analysed_by_its_own_pixels(tmp_path, monkeypatch):
    stand_in_suite2p(tmp_path / "stand_in", monkeypatch)
    random = np.random.default_rng(0)
    frames = [
        [random.integers(0, 3000, (field.height, field.width)).astype(np.int16) for field in FIELDS]
        for _ in range(36)
    ]
    tifs = tuple(
        read_tif(write_fields_tif(tmp_path / f"m_0000{number}.tif", FIELDS, part, settings))
        for number, part, settings in (
            (1, frames[:20], VOLUMES),
            (2, frames[20:], replace(VOLUMES, acquisition=2)),
        )
    )
    request = RunRequest(
        tifs, (1, 2), RIGID, tmp_path / "combined_ab" / "small", tmp_path / "scratch", threads=1
    )

    result = run(request)

    whole = frames[:18] + frames[20:35]
    output = read_output(*find_outputs(result.target))
    assert [(trim.file, trim.pages_dropped) for trim in result.trimmed] == [
        ("m_00001.tif", 2),
        ("m_00002.tif", 1),
    ]
    assert (result.num_frames, output.num_planes, len(output.planes)) == (11, 4, 4)
    for plane in output.planes:
        depth, field = divmod(plane.plane, len(FIELDS))
        expected = mean_rows([frame[field] for frame in whole[depth::3]])
        np.testing.assert_array_equal(read_traces(plane).fluo, expected)
