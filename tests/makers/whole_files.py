"""Whole files for the registered readers: how each is written, read, and compared with what was written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from imaging_pipeline.readers.matlab.file import open_matlab
from imaging_pipeline.readers.matlab.value import MatlabValue
from imaging_pipeline.readers.mesc import file as mesc_reader
from imaging_pipeline.readers.pickles.reading import loads
from imaging_pipeline.readers.scanimage.frames import read_frame_times
from imaging_pipeline.readers.scanimage.tif import fields_in_page, read_tif
from imaging_pipeline.readers.session_json import SessionJson
from imaging_pipeline.readers.suite2p import output as output_reader
from imaging_pipeline.readers.suite2p_matlab import output as matlab_reader
from imaging_pipeline.readers.tiff.recorded import iter_pages, mean_image, read_plain_tif
from imaging_pipeline.suite2p_runner.options import load_options, translate
from tests.makers import femtonics, mesc, plain_tifs, scanimage, suite2p_matlab
from tests.makers.matlab_file import write_v7, write_v73
from tests.makers.suite2p_matlab import MatlabSpec
from tests.makers.suite2p_output import Suite2pSpec


def write_array(path: Path, value: Any) -> None:
    np.save(path, value)


def write_regions(path: Path) -> None:
    np.save(path, REGIONS)


_REGION = {"ypix": np.arange(5), "lam": np.ones(5, "f4"), "med": [3, 4], "std": np.float32(2)}
REGIONS = np.array([_REGION] * 3, dtype=object)


def read_pickle(path: Path) -> Any:
    return loads(path.read_bytes())


def read_options(path: Path) -> Any:
    return translate(load_options(path)).content


def read_output(root: Path) -> Any:
    output = output_reader.read_output(root)
    yielded = [output, output_reader.options_summary(output.options)]
    for plane in output.imported:
        yielded += [output_reader.missing_files(plane), *(read(plane) for read in _OF_A_PLANE)]
    return yielded + [output_reader.read_motion(plane) for plane in output.planes]


_OF_A_PLANE = (
    output_reader.read_rois,
    output_reader.read_traces,
    output_reader.read_cell_labels,
    output_reader.read_merges,
    output_reader.read_red_cells,
    output_reader.read_projections,
)

_MESC_UNIT = "MSession_0/MUnit_2"


def write_mesc(path: Path) -> None:
    mesc.write_mesc(path, femtonics.FIRST, femtonics.STACK, femtonics.SECOND)


def read_recording(path: Path) -> Any:
    return mesc_reader.read_recording(path, _MESC_UNIT), mesc_reader.read_mean_image(path, _MESC_UNIT)


_VARIABLES: dict[str, Any] = {
    "ops": {"date": "2024-05-17", "badframes": np.array([[True, False]]), "expts": np.zeros((0, 0))},
    "stat": [{"ypix": np.arange(4.0)[:, None], "iscell": True}, {"ypix": 1.0, "iscell": False}],
    "Fcell": (np.ones((3, 4), np.float32), np.zeros((0, 0)), ("a text", np.int16(3))),
    "numbers": np.arange(1200, dtype=np.uint16).reshape(30, 40),
}

# MATLAB notes in a file's first bytes when it was made.
_UNDATED = b"MATLAB 5.0 MAT-file, Platform: PCWIN64, Created on: Fri May 17 16:02:11 2024".ljust(116)


def _undated(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(_UNDATED)


def write_matlab(path: Path) -> None:
    _undated(write_v7(path, _VARIABLES))


def write_matlab_73(path: Path) -> None:
    write_v73(path, _VARIABLES)


# Of a struct whose fields are one value by many names, all that lies below would be without an end.
_MAX_VALUES, _MAX_FIELDS = 1000, 50


def read_matlab(path: Path) -> Any:
    """Read a file's values, at least those that come first."""
    with open_matlab(path, tuple(_VARIABLES)) as content:
        waiting = [content.field(name) for name in content.fields()]
        values: list[Any] = []
        while waiting:
            value = waiting.pop(0)
            values.append((value.kind, value.shape, value.num_elements, _plain(value)))
            if len(values) + len(waiting) < _MAX_VALUES:
                waiting += _below(value)
        return values


def _plain(value: MatlabValue) -> Any:
    if value.kind == "numbers":
        return value.numbers()
    return value.text() if value.kind == "text" else None


def _below(value: MatlabValue) -> list[MatlabValue]:
    if value.kind == "cell array":
        return [*value.cells()]
    return [item for name in value.fields()[:_MAX_FIELDS] for item in value.field_values(name)]


def write_matlab_result(path: Path, container: str) -> None:
    written = suite2p_matlab.write_curated(path.parent, MatlabSpec(container=container, has_red=True))
    if container == "v7":
        _undated(written)
    written.replace(path)


def read_matlab_result(path: Path) -> Any:
    with matlab_reader.open_result(path) as content:
        return list(_parts(content))


def _parts(content: MatlabValue) -> Iterator[Any]:
    result = matlab_reader.read_result(content)
    yield result
    for read in (
        matlab_reader.read_cell_labels,
        matlab_reader.read_red_cells,
        matlab_reader.read_neuropil_coefficients,
        matlab_reader.read_measured_hash,
        matlab_reader.read_projections,
    ):
        yield read(content)
    yield matlab_reader.read_rois(content, 0)
    yield matlab_reader.read_motion(content, result.num_frames)
    yield [matlab_reader.read_traces(content, session) for session in range(len(result.frames_per_session))]


def read_scanimage(path: Path) -> Any:
    tif = read_tif(path)
    return tif, read_frame_times(tif), mean_image(tif), fields_in_page(tif)


def read_bare_tif(path: Path) -> Any:
    tif = read_plain_tif(path, _HEADER)
    return tif, mean_image(tif), list(iter_pages(tif, range(tif.num_pages)))


def write_classifier(path: Path) -> None:
    np.save(path, np.array(_CLASSIFIER, dtype=object))


def write_json_options(path: Path) -> None:
    path.write_text(json.dumps(JSON_OPTIONS))


def write_session(path: Path) -> None:
    plain_tifs.write_session_json(path.parent)


def equals(expected: Any) -> Callable[[Any], None]:
    return partial(np.testing.assert_equal, desired=expected)


def check_video(value: Any) -> None:
    assert (value["data"]["nframes"], value["data"]["training set fraction"]) == (3000, 0.95)


def check_regions(value: Any) -> None:
    np.testing.assert_equal(value.tolist(), REGIONS.tolist())


def check_options(value: Any) -> None:
    assert (value["extraction"]["neuropil_coefficient"], value["nplanes"]) == (0.7, 1)


def check_output(value: Any, spec: Suite2pSpec) -> None:
    output = value[0]
    assert (output.generation, output.num_planes) == (spec.generation, spec.num_planes)
    assert [(plane.num_rois, plane.num_frames) for plane in output.planes] == [(2, 60), (2, 60)]


def check_units(value: Any) -> None:
    kinds = ("time series", "z-stack", "time series")
    assert [(unit.name, unit.kind) for unit in value] == [
        (f"MSession_0/MUnit_{number}", kind) for number, kind in enumerate(kinds)
    ]


def check_recording(value: Any) -> None:
    recording, mean_image = value
    assert (recording.num_frames, len(recording.channels)) == (femtonics.SECOND.frames, 2)
    np.testing.assert_equal(mean_image, mesc.movie(femtonics.SECOND).mean(axis=0).astype(np.float32))


def check_matlab(value: Any) -> None:
    (numbers,) = (numbers for _, shape, _, numbers in value if shape == (30, 40))
    np.testing.assert_equal(numbers, _VARIABLES["numbers"])


def check_matlab_result(value: Any) -> None:
    result = value[0]
    assert (result.num_rois, result.frames_per_session) == (5, (60,))


def check_scanimage(value: Any) -> None:
    tif, times, mean, _fields = value
    assert (tif.num_pages, tif.height, tif.width) == (6, scanimage.HEIGHT, scanimage.WIDTH)
    assert times.frame_numbers.tolist() == [1, 2, 3, 4, 5, 6]
    np.testing.assert_equal(mean, np.full(mean.shape, 2.5, np.float32))


def check_plain_tif(value: Any) -> None:
    _tif, _mean, pages = value
    np.testing.assert_equal(pages, list(scanimage.numbered_pages(6)))


def check_session(value: Any) -> None:
    stated = plain_tifs.SAID
    assert {name: getattr(value, name) for name in stated if name != "start"} == {
        name: known for name, known in stated.items() if name != "start"
    }
    assert value.start == datetime(2024, 5, 17, 14, 3, 9, 250_000)


def check_classifier(value: Any) -> None:
    np.testing.assert_equal(value, {name: _CLASSIFIER[name] for name in ("stats", "keys", "iscell")})


_CLASSIFIER = {"stats": np.arange(6.0).reshape(3, 2), "keys": ["skew", "npix"], "iscell": np.ones(3)}
JSON_OPTIONS = {"tau": 0.7, "registration": {"nonrigid": False, "block_size": [64, 64]}}
_HEADER = SessionJson("open field", datetime(2024, 5, 17, 14, 3, 9), 30.0, num_planes=1, num_channels=1)
