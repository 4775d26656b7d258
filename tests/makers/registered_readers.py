"""Every reader of files that others wrote, with a whole file of each, for tests that hold of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from imaging_pipeline.readers.matlab.file import open_matlab
from imaging_pipeline.readers.matlab.value import MatlabValue
from imaging_pipeline.readers.mesc import file as mesc_reader
from imaging_pipeline.readers.npy.file import load_npy
from imaging_pipeline.readers.pickles.reading import loads
from imaging_pipeline.readers.suite2p import output as output_reader
from imaging_pipeline.readers.suite2p_matlab import output as matlab_reader
from imaging_pipeline.suite2p_runner.options import load_options, translate
from tests.makers import deeplabcut, femtonics, mesc, suite2p_matlab
from tests.makers.matlab_file import write_v7, write_v73
from tests.makers.options_0x import default_ops
from tests.makers.suite2p_matlab import MatlabSpec
from tests.makers.suite2p_output import Suite2pSpec, write_output


@dataclass(frozen=True)
class RegisteredReader:
    """A reader and what it reads.

    Attributes
    ----------
    name
        Of the reader in tables and on the command line.
    path
        Name of the file, or of the folder, that is read.
    format
        Of the file, or of all files of the folder: ``pickle``, ``npy``, ``hdf5`` or ``matlab``.
    write
        Write a whole, realistic file or folder to a path.
    read
        Read all that the package reads of it.
    weight
        Share of the inputs.
    names_file
        Whether its errors name the file; False for a reader that is given bytes.
    """

    name: str
    path: str
    format: str
    write: Callable[[Path], object]
    read: Callable[[Path], Any]
    weight: int = 1
    names_file: bool = True


def _write_array(path: Path, value: Any) -> None:
    np.save(path, value)


def _write_regions(path: Path) -> None:
    regions = [{"ypix": np.arange(5), "lam": np.ones(5, "f4"), "med": [3, 4], "std": np.float32(2)}] * 3
    np.save(path, np.array(regions, dtype=object))


def _read_pickle(path: Path) -> Any:
    return loads(path.read_bytes())


def _read_options(path: Path) -> Any:
    return translate(load_options(path)).content


def _read_output(root: Path) -> Any:
    output = output_reader.read_output(root)
    yielded = [output, output_reader.options_summary(output.options)]
    for plane in output.imported:
        yielded += [output_reader.missing_files(plane), *(read(plane) for read in _OF_A_PLANE)]
    return yielded + [output_reader.read_motion(plane) for plane in output.planes]


_OF_A_PLANE = (
    output_reader.read_rois,
    output_reader.read_traces,
    output_reader.read_cell_labels,
    output_reader.read_red_cells,
    output_reader.read_projections,
)

_MESC_UNIT = "MSession_0/MUnit_2"


def _write_mesc(path: Path) -> None:
    mesc.write_mesc(path, femtonics.FIRST, femtonics.STACK, femtonics.SECOND)


def _read_recording(path: Path) -> Any:
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


def _write_matlab(path: Path) -> None:
    _undated(write_v7(path, _VARIABLES))


def _write_matlab_73(path: Path) -> None:
    write_v73(path, _VARIABLES)


# Of a struct whose fields are one value by many names, all that lies below would be without an end.
_MAX_VALUES, _MAX_FIELDS = 1000, 50


def _read_matlab(path: Path) -> Any:
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
    return [item for name in value.fields()[:_MAX_FIELDS] for item in value.each(name)]


def _write_matlab_result(path: Path, container: str) -> None:
    written = suite2p_matlab.write_curated(path.parent, MatlabSpec(container=container, has_red=True))
    if container == "v7":
        _undated(written)
    written.replace(path)


def _read_matlab_result(path: Path) -> Any:
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


_OPTIONS = partial(_write_array, value=default_ops("0.14.6"))
_TRACES = partial(_write_array, value=np.ones((5, 60), np.float32))
_OLD = Suite2pSpec("0.x", num_planes=2, num_rois=2, num_channels=2, nonrigid=True)
_NEW = Suite2pSpec("1.x", num_planes=2, num_rois=2, num_channels=2, combined=False)
_COMBINED = Suite2pSpec("1.x", num_planes=2, num_rois=2)
_OUTPUTS = tuple(partial(write_output, spec=spec) for spec in (_OLD, _NEW, _COMBINED))
_META = "openfieldDLC_meta.pickle"
_RESULT = "F_90218_2024-05-17_plane1_proc.mat"
_V7, _V73 = (partial(_write_matlab_result, container=container) for container in ("v7", "v7.3"))
_Reader = RegisteredReader

REGISTERED_READERS = (
    _Reader("pickle", _META, "pickle", deeplabcut.write_meta, _read_pickle, weight=4, names_file=False),
    _Reader("npy-dictionary", "ops.npy", "npy", _OPTIONS, load_npy, weight=3),
    _Reader("npy-objects", "stat.npy", "npy", _write_regions, load_npy, weight=3),
    _Reader("npy-array", "F.npy", "npy", _TRACES, load_npy),
    _Reader("suite2p-options", "mouse.npy", "npy", _OPTIONS, _read_options, weight=2),
    _Reader("suite2p-0x", "suite2p", "npy", _OUTPUTS[0], _read_output, weight=2),
    _Reader("suite2p-1x", "suite2p", "npy", _OUTPUTS[1], _read_output),
    _Reader("suite2p-combined", "suite2p", "npy", _OUTPUTS[2], _read_output),
    _Reader("mesc-units", "90218.mesc", "hdf5", _write_mesc, mesc_reader.read_units, weight=4),
    _Reader("mesc-recording", "90218.mesc", "hdf5", _write_mesc, _read_recording, weight=3),
    _Reader("matlab-v7", "values.mat", "matlab", _write_matlab, _read_matlab, weight=4),
    _Reader("matlab-v73", "values.mat", "hdf5", _write_matlab_73, _read_matlab, weight=4),
    _Reader("suite2p-matlab-v7", _RESULT, "matlab", _V7, _read_matlab_result, weight=2),
    _Reader("suite2p-matlab-v73", _RESULT, "hdf5", _V73, _read_matlab_result, weight=2),
)
