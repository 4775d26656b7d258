"""The interface of a segmentation program and of its outputs.

A plane of an output, or what the program merged of several planes, becomes a dataset and is imported as
one analysis. N regions, T frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.readers.suite2p.images import Projections
from imaging_pipeline.readers.suite2p.motion import Motion
from imaging_pipeline.readers.suite2p.rois import Roi
from imaging_pipeline.readers.suite2p.sorting import Sorting
from imaging_pipeline.readers.suite2p.traces import Traces
from imaging_pipeline.segmentation.frames import SessionTifs, Slice

Labels = tuple[NDArray[np.bool_], NDArray[np.float64]]


@dataclass(frozen=True)
class Labelled:
    """What a person decided, and what that decision does not change.

    Attributes
    ----------
    cell_ids
        Numbers of the regions that are cells, from 0.
    measured_hash
        Sixteen characters of all else in the file that holds the labels; empty where it holds nothing else.
    num_merged
        Regions that are marked as cells, and are none because a person merged them into others.
    """

    cell_ids: frozenset[int]
    measured_hash: str = ""
    num_merged: int = 0


class OutputPlane(Protocol):
    """A plane of an output, before anything of it is imported."""

    @property
    def label(self) -> str:
        """A name that is stable, like ``plane0`` or ``combined``."""

    @property
    def labels_path(self) -> Path:
        """The file that a curation writes."""

    @property
    def has_labels_apart(self) -> bool:
        """Whether that file holds nothing else."""

    def is_imported(self, path: Path) -> bool:
        """Return True if a file of the output is one of those that are imported."""

    def labelled(self) -> Labelled:
        """Read which regions are cells."""


class Output(Protocol):
    """An output as it is compared with the recordings of its folder."""

    @property
    def file_list(self) -> tuple[str, ...] | None:
        """Names of the input files in order; None where the output does not say."""

    @property
    def files_per_session(self) -> tuple[tuple[str, ...], ...] | None:
        """The same by session, where the output keeps sessions apart and says so."""

    @property
    def num_sessions(self) -> int | None:
        """Sessions that the output keeps apart; None where it keeps none apart."""

    @property
    def options(self) -> Mapping[str, Any] | None:
        """Options of the run that an option set can be compared with; None where no set can."""

    @property
    def marker(self) -> Mapping[str, Any] | None:
        """What the pipeline noted of a run of its own, or None."""

    @property
    def planes(self) -> Sequence[OutputPlane]:
        """What is imported."""

    def missing(self) -> list[str]:
        """Return what the import needs and that is missing or not whole, in words.

        Raises
        ------
        OutputError
            A file holds what cannot be imported.
        """

    def remarks(self) -> list[str]:
        """Return in words what a person should know of an output that lacks nothing, and what to do."""


def missing_planes(num_found: int, num_planes: int) -> list[str]:
    """Return in words how many planes of an output are missing; empty if none are."""
    return [f"{num_planes - num_found} of {num_planes} planes"] if num_found < num_planes else []


class SegmentedPlane(Protocol):
    """An open plane of an output, to import it; arrays are read on request."""

    @property
    def path(self) -> Path:
        """Where it is, for errors to name."""

    @property
    def plane(self) -> int | None:
        """Number of the plane from 0; None for what was merged."""

    @property
    def position(self) -> int | None:
        """Place of the plane in a volume from 0, of merged planes that of the last; None if not known."""

    @property
    def frames_per_file(self) -> Sequence[int]:
        """Frames that each input file gave to it, in order; empty where sessions are kept apart.

        Of merged planes those that all of them have.
        """

    @property
    def is_of_pipeline(self) -> bool:
        """Whether the pipeline made the output, which lets only whole volumes in."""

    def sorting(self) -> Sorting:
        """Return how the run sorted pages to all planes of the output."""

    @property
    def single_planes(self) -> Sequence[SegmentedPlane]:
        """The planes that were merged, or itself: each of them moved in its own way."""

    def options(self) -> Mapping[str, Any]:
        """Return the columns of the program's part of ``ImagingAnalysis``."""

    def pixel_options(self, dtype: str) -> Mapping[str, Any]:
        """Return those of these columns that say what the program made of tifs with pixels of a type."""

    def slices(self, sessions: SessionTifs) -> dict[str, Slice]:
        """Return the frames of each session."""

    def measured_hash(self) -> str:
        """Return the hash that `Labelled` has of the file of the labels."""

    def cell_labels(self) -> Labels:
        """Return which regions are cells, bool (N,), and the probability, float64 (N,), NaN if unknown.

        A region that a person merged into another is no cell.
        """

    def merges(self) -> Mapping[int, int]:
        """Return number of each region that was merged into another → number of that one."""

    def red_cells(self) -> Labels | None:
        """Return the same for the second channel; None where there was none."""

    def rois(self) -> Sequence[Roi]:
        """Return all regions in the order of the traces, with the microscope's number of their plane."""

    def traces(self, session: Slice) -> Traces:
        """Return the traces of all regions in the frames of a session."""

    def neuropil_coefficients(self) -> NDArray[np.float64]:
        """Return float64 (N,), the part of the neuropil that is subtracted."""

    def projections(self) -> Projections:
        """Return the images of the plane."""

    def motion(self) -> Motion:
        """Return how far all T frames had moved."""


class SegmentationPackage(Protocol):
    """One segmentation program.

    Attributes
    ----------
    datasettype, filetype
        Of the datasets that its outputs become.
    part
        Name of the part of ``ImagingAnalysis`` that its outputs have a row in.
    program
        As people call it.
    run_name
        What its runs are called if no option set describes them: outputs then stay valid when another set is
        chosen. None if runs are called by their option set.
    """

    datasettype: str
    filetype: str
    part: str
    program: str
    run_name: str | None

    def find(self, folder: Path, paths: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Find the outputs in a folder.

        Parameters
        ----------
        folder
            The folder.
        paths
            Files in question, below the folder with forward slashes.

        Returns
        -------
        mapping
            The files of every output by the output's own path below the folder.
        """

    def read(self, folder: Path, files: Sequence[Path]) -> Output:
        """Read the description of an output.

        Raises
        ------
        OutputError, FormatError
            The description is incomplete or damaged.
        """

    def open_plane(self, path: Path) -> AbstractContextManager[SegmentedPlane]:
        """Open a plane to import it, by any of its imported files.

        Raises
        ------
        OutputError, FormatError
            It is not there any more, or is damaged.
        """

    def is_curation(self, replaced: Sequence[str], added: Sequence[str]) -> bool:
        """Return True if a plane differs only by a curation, from the names of the files that differ."""
