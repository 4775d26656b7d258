"""Suite2p for Python: folders ``planeK`` and ``combined`` of ``.npy`` files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import OutputError
from imaging_pipeline.experiments.dataset_types import SUITE2P_PYTHON
from imaging_pipeline.readers.suite2p import output as suite2p_output
from imaging_pipeline.readers.suite2p.output import (
    Motion,
    PlaneOutput,
    Projections,
    Roi,
    Suite2pOutput,
    Traces,
)
from imaging_pipeline.readers.suite2p.plane import LABELS
from imaging_pipeline.readers.suite2p.sorting import Sorting, read_sorting
from imaging_pipeline.readers.suite2p.traces import Trace
from imaging_pipeline.segmentation.frames import SessionTifs, Slice, session_slices
from imaging_pipeline.segmentation.package import Labelled, Labels, missing_planes
from imaging_pipeline.segmentation.suite2p_remarks import remarks
from imaging_pipeline.suite2p_runner.pixels import conversion

# The files that are read of a plane; a person's other files beside them do not belong to it.
_IMPORTED = frozenset(
    {
        *("ops.npy", "db.npy", "settings.npy", "reg_outputs.npy", "detect_outputs.npy"),
        *("F.npy", "Fneu.npy", "spks.npy", "F_chan2.npy", "Fneu_chan2.npy"),
        *("stat.npy", LABELS, "redcell.npy"),
    }
)
_PLANE_FILE = re.compile(r"(?:.*/)?(?:plane\d+|combined)/[^/]+\.npy")
_PLANE_FOLDER = re.compile(r"(?:plane\d+|combined)/.*")


@dataclass(frozen=True)
class _Plane:
    content: PlaneOutput

    has_labels_apart = True

    @property
    def label(self) -> str:
        return self.content.label

    @property
    def labels_path(self) -> Path:
        return self.content.folder / LABELS

    def is_imported(self, path: Path) -> bool:
        return path.parent == self.content.folder and path.name in _IMPORTED

    def labelled(self) -> Labelled:
        is_cell, _ = suite2p_output.read_cell_labels(self.content)
        marked, merged = set(np.flatnonzero(is_cell).tolist()), suite2p_output.read_merges(self.content)
        return Labelled(frozenset(marked.difference(merged)), num_merged=len(marked.intersection(merged)))


@dataclass(frozen=True)
class _Output:
    content: Suite2pOutput

    files_per_session = None
    num_sessions = None

    @property
    def file_list(self) -> tuple[str, ...] | None:
        return self.content.file_list

    @property
    def options(self) -> Mapping[str, Any] | None:
        return self.content.options

    @property
    def marker(self) -> Mapping[str, Any] | None:
        return self.content.marker

    @property
    def planes(self) -> Sequence[_Plane]:
        return [_Plane(plane) for plane in self.content.imported]

    def missing(self) -> list[str]:
        content = self.content
        missing = [
            f"{plane.label}/{name}"
            for plane in content.imported
            for name in suite2p_output.missing_files(plane)
        ]
        if not missing:
            for plane in content.imported:
                suite2p_output.read_cell_labels(plane)
                suite2p_output.read_red_cells(plane)
        if content.combined is None:
            missing += missing_planes(len(content.planes), content.num_planes)
        return missing

    def remarks(self) -> list[str]:
        return list(remarks(self.content))


@dataclass(frozen=True)
class _SegmentedPlane:
    output: Suite2pOutput
    content: PlaneOutput

    @property
    def path(self) -> Path:
        return self.content.folder

    @property
    def plane(self) -> int | None:
        return self.content.plane

    @property
    def position(self) -> int | None:
        numbers = [plane.number for plane in self._sorting.planes if not plane.is_left_out]
        number = max(numbers, default=None) if self.plane is None else self.plane
        return None if number is None else number // self._sorting.num_fields

    @property
    def frames_per_file(self) -> Sequence[int]:
        # Suite2p describes merged planes by the last of them.
        return self.content.frames_per_file

    @property
    def is_of_pipeline(self) -> bool:
        return self.output.marker is not None

    def sorting(self) -> Sorting:
        return self._sorting

    @cached_property
    def _sorting(self) -> Sorting:
        return read_sorting(self.output.root)

    @property
    def single_planes(self) -> Sequence[_SegmentedPlane]:
        # Suite2p corrects the motion of each plane by itself: merged ones have none in common.
        merged = self.output.planes if self.content.plane is None else (self.content,)
        return [_SegmentedPlane(self.output, plane) for plane in merged]

    def options(self) -> Mapping[str, Any]:
        options = suite2p_output.options_summary(self.output.options)
        return {
            "ops_suite2p_version": self.output.version,
            "ops_fs": options.fs_hz,
            "ops_tau": options.tau_s,
            "ops_nplanes": options.num_planes or 1,
            "num_planes_analysed": self.output.num_planes,
            "ops_nchannels": options.num_channels,
            "ops_functional_chan": options.functional_channel,
            "ops_diameter": None if options.diameter is None else str(options.diameter),
            "ops_neucoeff": options.neuropil_coefficient,
            "ops_batch_size": options.batch_size,
            "ops_nonrigid": options.nonrigid,
            "ops_do_registration": options.do_registration,
            "ops_spatial_scale": options.spatial_scale,
            "ops_threshold_scaling": options.threshold_scaling,
            "ops_options": dict(self.output.options),
        }

    def pixel_options(self, dtype: str) -> Mapping[str, Any]:
        return {"ops_pixel_conversion": conversion(dtype)}

    def slices(self, sessions: SessionTifs) -> dict[str, Slice]:
        content = self.content
        return session_slices(
            content.folder,
            self.output.file_list,
            content.frames_per_file,
            content.num_frames,
            sessions,
            may_be_padded=content.plane is None,
        )

    def measured_hash(self) -> str:
        return ""

    def cell_labels(self) -> Labels:
        is_cell, probability = suite2p_output.read_cell_labels(self.content)
        is_cell[list(self.merges())] = False
        return is_cell, probability

    def merges(self) -> Mapping[int, int]:
        return self._merges

    def red_cells(self) -> Labels | None:
        return suite2p_output.read_red_cells(self.content)

    def rois(self) -> Sequence[Roi]:
        rois = suite2p_output.read_rois(self.content)
        numbers = self._plane_numbers
        # A number that is no plane's was written by hand, and does not say where the ROI lies.
        return [replace(roi, plane=numbers.get(roi.plane)) for roi in rois] if numbers else rois

    def traces(self, session: Slice) -> Traces:
        traces = suite2p_output.read_traces(self.content)
        return Traces(
            fluo=traces.fluo[:, session.frames],
            neuropil=traces.neuropil[:, session.frames],
            spikes=_part(traces.spikes, session),
            fluo_chan2=_part(traces.fluo_chan2, session),
            neuropil_chan2=_part(traces.neuropil_chan2, session),
        )

    def neuropil_coefficients(self) -> NDArray[np.float64]:
        # One option holds for all regions.
        coefficient = suite2p_output.options_summary(self.output.options).neuropil_coefficient
        return np.full(self.content.num_rois, np.nan if coefficient is None else coefficient)

    def projections(self) -> Projections:
        return suite2p_output.read_projections(self.content)

    def motion(self) -> Motion:
        return suite2p_output.read_motion(self.content)

    @cached_property
    def _merges(self) -> dict[int, int]:
        return suite2p_output.read_merges(self.content)

    @cached_property
    def _plane_numbers(self) -> dict[int | None, int]:
        """The microscope's number of a plane by the number that a ROI of this folder states.

        Where planes are combined, Suite2p 1.x counts those that it merged; 0.x counts all, those that it
        was configured to leave out too.
        """
        if self.content.plane is not None:
            return {}
        left_out = set(self.output.options.get("ignore_flyback") or ())
        numbers = range(self.output.num_planes + len(left_out))
        merged = [number for number in numbers if number not in left_out]
        return dict(zip(merged if self.output.generation == "0.x" else count(), merged, strict=False))


class Suite2pPython:
    """Suite2p for Python, of both generations of its format."""

    datasettype = SUITE2P_PYTHON
    filetype = "npy"
    part = "Suite2py"
    program = "Suite2p"
    run_name: str | None = None

    def find(self, folder: Path, paths: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Find the folders that hold planes.

        Their files lie below them; where planes lie in the folder itself, only theirs count.
        """
        # Most folders have no output; these are not searched on the disk once more.
        if not any(_PLANE_FILE.fullmatch(path) for path in paths):
            return {}
        roots = (path.relative_to(folder).as_posix() for path in suite2p_output.find_outputs(folder))
        # The longest first, because an output may lie within the folder of another.
        folders = sorted(("" if path == "." else path for path in roots), key=len, reverse=True)
        files: dict[str, list[str]] = {}
        for path in paths:
            root = next((root for root in folders if _holds(root, path)), None)
            if root is not None:
                files.setdefault(root, []).append(path)
        return files

    def read(self, root: Path, files: Sequence[Path]) -> _Output:
        """Read the dictionaries of an output."""
        return _Output(suite2p_output.read_output(root))

    @contextmanager
    def open_plane(self, path: Path) -> Iterator[_SegmentedPlane]:
        """Find the plane's folder in its output."""
        output = suite2p_output.read_output(path.parents[1])
        for plane in (*output.planes, output.combined):
            if plane is not None and plane.folder == path.parent:
                yield _SegmentedPlane(output, plane)
                return
        raise OutputError(
            "A registered plane is not in its Suite2p output any more",
            path=path.parent,
            remedy="Put the folder back, or register the folder again.",
        )

    def is_curation(self, replaced: Sequence[str], added: Sequence[str]) -> bool:
        """Return True if only the labels were written again."""
        return list(replaced) == [LABELS] and not added


def _part(trace: Trace | None, session: Slice) -> Trace | None:
    return None if trace is None else trace[:, session.frames]


def _holds(root: str, path: str) -> bool:
    return path.startswith(f"{root}/") if root else _PLANE_FOLDER.fullmatch(path) is not None
