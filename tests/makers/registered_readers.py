"""Every reader of files that others wrote, with a whole file of each, for tests that hold of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from imaging_pipeline.readers.mesc import file as mesc_reader
from imaging_pipeline.readers.npy.file import load_npy
from imaging_pipeline.readers.session_json import read_session_json
from imaging_pipeline.suite2p_runner.classifier import read_classifier
from tests.makers import deeplabcut, scanimage
from tests.makers.options_0x import default_ops
from tests.makers.suite2p_output import Suite2pSpec, write_output
from tests.makers.whole_files import (
    JSON_OPTIONS,
    check_classifier,
    check_matlab,
    check_matlab_result,
    check_options,
    check_output,
    check_plain_tif,
    check_recording,
    check_regions,
    check_scanimage,
    check_session,
    check_units,
    check_video,
    equals,
    read_bare_tif,
    read_matlab,
    read_matlab_result,
    read_options,
    read_output,
    read_pickle,
    read_recording,
    read_scanimage,
    write_array,
    write_classifier,
    write_json_options,
    write_matlab,
    write_matlab_73,
    write_matlab_result,
    write_mesc,
    write_regions,
    write_session,
)


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
        Of the file, or of all files of the folder: ``pickle``, ``npy``, ``hdf5``, ``matlab``, ``tiff`` or
        ``text``.
    write
        Write a whole, realistic file or folder to a path.
    read
        Read all that the package reads of it.
    check
        Assert that what was read is what was written.
    weight
        Share of the fuzzer's inputs.
    names_file
        Whether its errors name the file; False for a reader that is given bytes.
    """

    name: str
    path: str
    format: str
    write: Callable[[Path], object]
    read: Callable[[Path], Any]
    check: Callable[[Any], None]
    weight: int = 1
    names_file: bool = True

    @property
    def is_folder(self) -> bool:
        """Whether a folder of several files is read."""
        return not Path(self.path).suffix


_OPTIONS = partial(write_array, value=default_ops("0.14.6"))
_TRACES = partial(write_array, value=np.ones((5, 60), np.float32))
_OLD = Suite2pSpec("0.x", num_planes=2, num_rois=2, num_channels=2, nonrigid=True)
_NEW = Suite2pSpec("1.x", num_planes=2, num_rois=2, num_channels=2, combined=False)
_COMBINED = Suite2pSpec("1.x", num_planes=2, num_rois=2)
_OUTPUTS = tuple(partial(write_output, spec=spec) for spec in (_OLD, _NEW, _COMBINED))
_CHECKED = tuple(partial(check_output, spec=spec) for spec in (_OLD, _NEW, _COMBINED))
_META = "openfieldDLC_meta.pickle"
_RESULT = "F_90218_2024-05-17_plane1_proc.mat"
_TIF = "90218-openfield_00001_00001.tif"
_V7, _V73 = (partial(write_matlab_result, container=container) for container in ("v7", "v7.3"))
_bare_tif = scanimage.write_tif_without_header
_is_ops, _is_array = equals(default_ops("0.14.6")), equals(np.ones((5, 60)))
_is_option_set = equals(JSON_OPTIONS)
_Reader = RegisteredReader

REGISTERED_READERS = (
    _Reader("pickle", _META, "pickle", deeplabcut.write_meta, read_pickle, check_video, 4, names_file=False),
    _Reader("npy-dictionary", "ops.npy", "npy", _OPTIONS, load_npy, _is_ops, 3),
    _Reader("npy-objects", "stat.npy", "npy", write_regions, load_npy, check_regions, 3),
    _Reader("npy-array", "F.npy", "npy", _TRACES, load_npy, _is_array),
    _Reader("suite2p-options", "mouse.npy", "npy", _OPTIONS, read_options, check_options, 2),
    _Reader("suite2p-0x", "suite2p", "npy", _OUTPUTS[0], read_output, _CHECKED[0], 2),
    _Reader("suite2p-1x", "suite2p", "npy", _OUTPUTS[1], read_output, _CHECKED[1]),
    _Reader("suite2p-combined", "suite2p", "npy", _OUTPUTS[2], read_output, _CHECKED[2]),
    _Reader("mesc-units", "90218.mesc", "hdf5", write_mesc, mesc_reader.read_units, check_units, 4),
    _Reader("mesc-recording", "90218.mesc", "hdf5", write_mesc, read_recording, check_recording, 3),
    _Reader("matlab-v7", "values.mat", "matlab", write_matlab, read_matlab, check_matlab, 4),
    _Reader("matlab-v73", "values.mat", "hdf5", write_matlab_73, read_matlab, check_matlab, 4),
    _Reader("suite2p-matlab-v7", _RESULT, "matlab", _V7, read_matlab_result, check_matlab_result, 2),
    _Reader("suite2p-matlab-v73", _RESULT, "hdf5", _V73, read_matlab_result, check_matlab_result, 2),
    _Reader("scanimage-tif", _TIF, "tiff", scanimage.write_tif, read_scanimage, check_scanimage, 2),
    _Reader("plain-tif", "movie_1.tif", "tiff", _bare_tif, read_bare_tif, check_plain_tif),
    _Reader("session-json", "session.json", "text", write_session, read_session_json, check_session),
    _Reader("json-options", "mouse.json", "text", write_json_options, read_options, _is_option_set),
    _Reader("classifier", "classifier.npy", "npy", write_classifier, read_classifier, check_classifier),
)
