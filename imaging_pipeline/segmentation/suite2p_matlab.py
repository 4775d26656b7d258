"""Suite2p for MATLAB: a file ``F_*_planeK.mat`` a plane, and ``F_*_planeK_proc.mat`` once it is curated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import OutputError
from imaging_pipeline.experiments.dataset_types import SUITE2P_MATLAB
from imaging_pipeline.readers.matlab.value import MatlabValue
from imaging_pipeline.readers.suite2p.images import Projections
from imaging_pipeline.readers.suite2p.motion import Motion
from imaging_pipeline.readers.suite2p.rois import Roi
from imaging_pipeline.readers.suite2p.sorting import SortedPlane, Sorting
from imaging_pipeline.readers.suite2p.traces import Traces
from imaging_pipeline.readers.suite2p_matlab import output as suite2p_matlab
from imaging_pipeline.readers.suite2p_matlab.output import MatlabResult
from imaging_pipeline.segmentation.frames import SessionTifs, Slice, slices_in_order
from imaging_pipeline.segmentation.package import Labelled, Labels, missing_planes

# A plane may have a folder of its own, beside those of the others.
_PLANE_FOLDER = re.compile(r"plane (?P<number>[1-9]\d*)", re.IGNORECASE)


@dataclass(frozen=True)
class _Plane:
    path: Path
    number: int
    result: MatlabResult

    has_labels_apart = False

    @property
    def label(self) -> str:
        return f"plane{self.number}"

    @property
    def labels_path(self) -> Path:
        return self.path

    def is_imported(self, path: Path) -> bool:
        return path == self.path

    def labelled(self) -> Labelled:
        with suite2p_matlab.open_result(self.path) as result:
            is_cell, _ = suite2p_matlab.read_cell_labels(result)
            cell_ids = frozenset(np.flatnonzero(is_cell).tolist())
            return Labelled(cell_ids, suite2p_matlab.read_measured_hash(result))


@dataclass(frozen=True)
class _Output:
    planes: Sequence[_Plane]

    options = None
    marker = None

    @property
    def file_list(self) -> tuple[str, ...] | None:
        per_session = self.files_per_session
        return None if per_session is None else tuple(name for names in per_session for name in names)

    @property
    def files_per_session(self) -> tuple[tuple[str, ...], ...] | None:
        return self.planes[0].result.files_per_session or None

    @property
    def num_sessions(self) -> int | None:
        return len(self.planes[0].result.frames_per_session)

    def missing(self) -> list[str]:
        missing = [f"{name} of {plane.path.name}" for plane in self.planes for name in plane.result.missing]
        return [*missing, *missing_planes(len(self.planes), self.planes[0].result.num_planes)]

    def remarks(self) -> list[str]:
        return []


@dataclass(frozen=True)
class _SegmentedPlane:
    content: MatlabValue
    result: MatlabResult
    plane: int

    # Sessions are kept apart, and frames are not counted by file.
    frames_per_file: Sequence[int] = ()
    is_of_pipeline = False

    @property
    def position(self) -> int:
        return self.plane

    def sorting(self) -> Sorting:
        options = self.result.options
        frame_px = (int(options["Ly"]), int(options["Lx"])) if {"Ly", "Lx"} <= options.keys() else None
        plane = SortedPlane(self.plane, self.plane, frame_px, ())
        return Sorting(self.result.num_planes, 1, (plane,), self.result.num_channels)

    @property
    def path(self) -> Path:
        return self.result.path

    @property
    def single_planes(self) -> Sequence[_SegmentedPlane]:
        return [self]

    def options(self) -> Mapping[str, Any]:
        options = self.result.options
        return {
            "ops_fs": self.result.frame_rate_hz,
            "ops_tau": options.get("sensorTau"),
            "ops_nplanes": self.result.num_planes,
            "ops_nchannels": self.result.num_channels,
            "ops_diameter": None if "diameter" not in options else str(options["diameter"]),
            "ops_nonrigid": _switch(options, "nonrigid"),
            "ops_do_registration": _count(options, "doRegistration"),
            "ops_threshold_scaling": options.get("ThScaling"),
            "ops_options": dict(options),
        }

    def pixel_options(self, dtype: str) -> Mapping[str, Any]:
        return {}

    def slices(self, sessions: SessionTifs) -> dict[str, Slice]:
        return slices_in_order(self.path, self.result.frames_per_session, sessions)

    def measured_hash(self) -> str:
        return suite2p_matlab.read_measured_hash(self.content)

    def cell_labels(self) -> Labels:
        return suite2p_matlab.read_cell_labels(self.content)

    def merges(self) -> Mapping[int, int]:
        # The window for MATLAB cannot merge regions.
        return {}

    def red_cells(self) -> Labels | None:
        return suite2p_matlab.read_red_cells(self.content)

    def rois(self) -> Sequence[Roi]:
        return suite2p_matlab.read_rois(self.content, self.plane)

    def traces(self, session: Slice) -> Traces:
        first = 0
        # Each session is an element of its own in Fcell, so that only one of them is read.
        for number, num_frames in enumerate(self.result.frames_per_session):
            if (first, num_frames) == (session.first_frame, session.num_frames):
                return suite2p_matlab.read_traces(self.content, number)
            first += num_frames
        raise OutputError(
            "The frames of a session are not those of one session of the result any more",
            path=self.path,
            found=f"sessions of {self.result.frames_per_session} frames",
            allowed=f"{session.num_frames} frames from frame {session.first_frame} on",
            remedy="Register the folder again.",
        )

    def neuropil_coefficients(self) -> NDArray[np.float64]:
        return suite2p_matlab.read_neuropil_coefficients(self.content)

    def projections(self) -> Projections:
        return suite2p_matlab.read_projections(self.content)

    def motion(self) -> Motion:
        return suite2p_matlab.read_motion(self.content, self.result.num_frames)


class Suite2pMatlab:
    """Suite2p for MATLAB."""

    datasettype = SUITE2P_MATLAB
    filetype = "mat"
    part = "Suite2p"
    program = "MATLAB Suite2p"
    run_name: str | None = "matlab"

    def find(self, folder: Path, paths: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Find the folders that hold results, with their intermediate files.

        Planes in folders of their own, ``Plane 1`` and ``Plane 2``, are one output, in the folder above.
        """
        listed = [PurePosixPath(path) for path in paths if path.lower().endswith(".mat")]
        folders = {path.parent for path in listed if suite2p_matlab.result_name(path.name)}
        files: dict[str, list[str]] = {}
        for path in listed:
            # Other programs' .mat files beside a result are none of it.
            is_of_output = suite2p_matlab.result_name(path.name) or suite2p_matlab.is_intermediate(path.name)
            if path.parent in folders and is_of_output:
                files.setdefault(_output_folder(path), []).append(str(path))
        return files

    def read(self, folder: Path, files: Sequence[Path]) -> _Output:
        """Describe the results of all planes, the curated one of each if there is one.

        Raises
        ------
        OutputError
            Two runs claim one plane.
        """
        chosen: dict[int, Path] = {}
        # A curated result comes last, and so replaces the one that it was made of.
        for path in sorted(files, key=_is_curated):
            name = suite2p_matlab.result_name(path.name)
            if name is None:
                continue
            before = chosen.setdefault(_number(path), path)
            if before.parent != path.parent or not _are_of_one_run(before, path):
                raise OutputError(
                    "Two results claim one plane",
                    path=path,
                    found=f"{before} and {path}",
                    remedy="Move the one that does not count out of the folder.",
                )
            chosen[_number(path)] = path
        return _Output([_plane(path, number) for number, path in sorted(chosen.items())])

    @contextmanager
    def open_plane(self, path: Path) -> Iterator[_SegmentedPlane]:
        """Open the file of a plane."""
        if not path.is_file():
            raise OutputError(
                "A registered result of the MATLAB Suite2p is not there any more",
                path=path,
                remedy="Put the file back, or register the folder again.",
            )
        with suite2p_matlab.open_result(path) as content:
            yield _SegmentedPlane(content, suite2p_matlab.read_result(content), _number(path))

    def is_curation(self, replaced: Sequence[str], added: Sequence[str]) -> bool:
        """Return True if a result was saved again, or replaced by a curated one."""
        # A plane is one file, and its curation another (_proc.mat); what it measured is compared by its hash.
        return len([*replaced, *added]) == 1


def _output_folder(path: PurePosixPath) -> str:
    folder = path.parent.parent if _PLANE_FOLDER.fullmatch(path.parent.name) else path.parent
    return "" if folder == PurePosixPath(".") else str(folder)


def _number(path: Path) -> int:
    """Return the number of a result's plane from 0, by a folder of its own or else by the file's name."""
    own_folder = _PLANE_FOLDER.fullmatch(path.parent.name)
    if own_folder is not None:
        return int(own_folder["number"]) - 1
    name = suite2p_matlab.result_name(path.name)
    return 0 if name is None else name.plane


def _is_curated(path: Path) -> tuple[bool, Path]:
    name = suite2p_matlab.result_name(path.name)
    return name is not None and name.is_curated, path


def _are_of_one_run(one: Path, other: Path) -> bool:
    names = [suite2p_matlab.result_name(path.name) for path in (one, other)]
    runs = {(name.run, name.plane) for name in names if name is not None}
    return len(runs) == 1


def _plane(path: Path, number: int) -> _Plane:
    with suite2p_matlab.open_result(path) as result:
        return _Plane(path, number, suite2p_matlab.read_result(result))


def _count(options: Mapping[str, Any], name: str) -> int | None:
    return None if name not in options else int(options[name])


def _switch(options: Mapping[str, Any], name: str) -> bool | None:
    return None if name not in options else bool(options[name])
