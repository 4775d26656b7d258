"""Results of Suite2p for MATLAB: one file a plane, and the functions that read what is in it.

``F_<mouse>_<date>_plane1.mat`` (``F_plane1.mat`` where mouse and date were not given) holds the result of a
plane, and ``…_proc.mat`` beside it the same after a person curated it. Other files hold what is computed on
the way: registration, and components of the movie.

The variables are ``ops``, ``stat``, ``Fcell``, ``FcellNeu`` and, once deconvolved, ``sp``; a curated file
has them as fields of ``dat``. The k-th element of ``Fcell`` is the k-th session. Numbers of regions,
planes and pixels begin at 1 in the file, and at 0 in all that is returned here.

The format is known from the program that writes it (``run_pipeline.m``, ``add_deconvolution.m`` and
``gui2P/new_main.m`` of cortex-lab/Suite2P).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging_pipeline.errors import FormatError, OutputError
from imaging_pipeline.readers.conversion_errors import conversion_errors
from imaging_pipeline.readers.matlab.file import open_matlab
from imaging_pipeline.readers.matlab.value import MatlabValue
from imaging_pipeline.readers.suite2p.metadata import MAX_PLANES, file_name, plain
from imaging_pipeline.readers.suite2p_matlab.arrays import (
    read_measured_hash,
    read_motion,
    read_neuropil_coefficients,
    read_projections,
    read_traces,
)
from imaging_pipeline.readers.suite2p_matlab.rois import read_cell_labels, read_red_cells, read_rois

_RESULT = re.compile(r"(?P<run>F(?:_.*)?)_plane(?P<number>[1-9]\d*)(?P<curated>_proc)?\.mat", re.IGNORECASE)
_INTERMEDIATE = re.compile(r"(?:regops|NEU|SVD|SVDroi)(?:_.*)?\.mat", re.IGNORECASE)


@dataclass(frozen=True)
class ResultName:
    """What the name of a result says.

    Attributes
    ----------
    run
        The name without plane and curation: equal for the planes of one run.
    plane
        Number of the plane from 0; Suite2p for MATLAB counts from 1.
    is_curated
        Whether a person curated it.
    """

    run: str
    plane: int
    is_curated: bool


def result_name(name: str) -> ResultName | None:
    """Split the name of a file; None if it is no result."""
    match = _RESULT.fullmatch(name)
    if match is None:
        return None
    return ResultName(match["run"], int(match["number"]) - 1, match["curated"] is not None)


def is_intermediate(name: str) -> bool:
    """Return True if a file is one that was computed on the way to a result."""
    return _INTERMEDIATE.fullmatch(name) is not None


__all__ = [
    "MatlabResult",
    "ResultName",
    "read_result",
    "is_intermediate",
    "open_result",
    "read_cell_labels",
    "read_measured_hash",
    "read_motion",
    "read_neuropil_coefficients",
    "read_projections",
    "read_red_cells",
    "read_rois",
    "read_traces",
    "result_name",
]

_VARIABLES = ("dat", "ops", "stat", "Fcell", "FcellNeu", "sp", "cl")
# The fields without which nothing can be imported, below the struct where each lies.
_NEEDED = {
    "": ("Fcell", "FcellNeu"),
    "stat": ("ipix", "xpix", "ypix", "lam", "med", "neuropilCoefficient"),
    "ops": ("mimg1", "yrange", "xrange"),
}
# An option is a text or a few numbers; longer ones are results.
_MAX_NUMBERS = 32


@dataclass(frozen=True)
class MatlabResult:
    """One plane's result, without its arrays.

    Attributes
    ----------
    path
        The file.
    num_planes, num_channels
        Of the recording; channels None where the file does not say.
    num_rois
        Regions, cells or not.
    frames_per_session
        Length of each element of ``Fcell``: frames of this plane in each session.
    files_per_session
        Names of the tifs of each session, without their folders; empty where the file does not say.
    frame_rate_hz
        Of one plane, as Suite2p was configured; None if the file does not say.
    options
        The options of the run in types that JSON knows: the texts and short arrays of numbers in ``ops``.
    missing
        Fields that the import needs and that are not there.
    """

    path: Path
    num_planes: int
    num_channels: int | None
    num_rois: int
    frames_per_session: tuple[int, ...]
    files_per_session: tuple[tuple[str, ...], ...]
    frame_rate_hz: float | None
    options: Mapping[str, Any]
    missing: tuple[str, ...]

    @property
    def num_frames(self) -> int:
        """Frames of this plane in all sessions."""
        return sum(self.frames_per_session)


@contextmanager
def open_result(path: Path) -> Iterator[MatlabValue]:
    """Open a file of either container, and yield the struct that holds ``ops``, ``stat`` and ``Fcell``.

    Raises
    ------
    FormatError
        It is no MATLAB file, or is damaged.
    OutputError
        What is read of it is of another kind than Suite2p writes.
    """
    with conversion_errors(path), open_matlab(path, _VARIABLES) as content:
        while "dat" in content.fields():
            content = content.field("dat")
        yield content


def read_result(result: MatlabValue) -> MatlabResult:
    """Return what an open result holds.

    Raises
    ------
    FormatError
        A field is missing without which nothing can be said, or is of another class than it should be.
    OutputError
        ``Fcell`` and ``stat`` disagree about the number of regions.
    """
    ops = result.field("ops")
    sessions = [element.shape for element in result.field("Fcell").cells()]
    num_rois = _num_rois(result, sessions)
    options = _options(ops)
    num_planes = int(options.get("nplanes", 1))
    if not 1 <= num_planes <= MAX_PLANES:
        # Within `conversion_errors` of `open_result`, which makes it an error that names the file.
        raise ValueError(f"{num_planes} planes")
    rate_hz, channels = options.get("imageRate"), options.get("nchannels")
    return MatlabResult(
        path=result.path,
        num_planes=num_planes,
        num_channels=None if channels is None else int(channels),
        num_rois=num_rois,
        frames_per_session=tuple(int(shape[1]) for shape in sessions),
        files_per_session=_files(ops),
        # The configured rate is that of all planes together.
        frame_rate_hz=None if rate_hz is None else float(rate_hz) / num_planes,
        options=options,
        missing=tuple(_missing(result)),
    )


def _num_rois(result: MatlabValue, sessions: Sequence[tuple[int, ...]]) -> int:
    num_rois = result.field("stat").num_elements
    counts = {shape[0] for shape in sessions} | {num_rois}
    if len(counts) != 1 or any(len(shape) != 2 for shape in sessions):
        raise OutputError(
            "Fcell and stat disagree about the number of regions",
            path=result.path,
            found=f"Fcell of {', '.join(map(str, sessions)) or 'no session'}, stat of {num_rois} regions",
            remedy="Put back the file as Suite2p wrote it; one mixed from two runs cannot be imported.",
        )
    return num_rois


def _files(ops: MatlabValue) -> tuple[tuple[str, ...], ...]:
    """Return the names of the tifs by session, which ``ops.fsroot`` has as MATLAB's ``dir`` listed them."""
    listed = ops.optional("fsroot")
    if listed is None:
        return ()
    names = (session.field_values("name") if 0 not in session.shape else () for session in listed.cells())
    return tuple(tuple(file_name(name.text()) for name in session) for session in names)


def _options(ops: MatlabValue) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name in ops.fields():
        value = ops.optional(name)
        if value is not None and value.kind == "text":
            options[name] = value.text()
        elif value is not None and value.kind == "numbers" and value.num_elements <= _MAX_NUMBERS:
            vector = value.vector()
            options[name] = plain(vector[0] if vector.size == 1 else vector)
    return options


def _missing(result: MatlabValue) -> Iterator[str]:
    for struct_name, names in _NEEDED.items():
        struct = result.field(struct_name) if struct_name else result
        for name in names:
            if name not in struct.fields():
                yield f"{struct_name}.{name}" if struct_name else name
    try:
        read_cell_labels(result)
    except FormatError as error:
        yield str(error.what)
