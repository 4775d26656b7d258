"""Every segmentation program with an output of its own, for tests that hold of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from imaging_pipeline.segmentation.package import SegmentationPackage
from imaging_pipeline.segmentation.registry import segmentation_package
from tests.makers.suite2p_matlab import MatlabSpec, write_curated, write_result
from tests.makers.suite2p_output import Suite2pSpec, curate, write_output

TIFS = ("90218-openfield_00001_00001.tif", "90218-wheel_00001_00001.tif")
SESSIONS = {"open field": TIFS[:1], "wheel": TIFS[1:]}
NUM_FRAMES = {"open field": 40, "wheel": 20}
IS_CELL = (True, False, True, True, False)
CURATED = (False, False, True, True, True)


@dataclass(frozen=True)
class RegisteredProgram:
    """A segmentation program, and an output of two sessions with five regions in one plane.

    Attributes
    ----------
    datasettype
        Of its outputs.
    write
        Write an output into a folder in which `IS_CELL` says which regions are cells.
    curate
        Change that to `CURATED`, as a person does in the program's window.
    """

    datasettype: str
    write: Callable[[Path], object]
    curate: Callable[[Path], object]

    @property
    def package(self) -> SegmentationPackage:
        return segmentation_package(self.datasettype)


_FRAMES = tuple(NUM_FRAMES.values())
_PYTHON = Suite2pSpec(file_list=TIFS, frames_per_file=_FRAMES, is_cell=IS_CELL)
_MATLAB = MatlabSpec(tifs=tuple(SESSIONS.values()), frames=_FRAMES, is_cell=IS_CELL)


def _write_python(folder: Path) -> None:
    write_output(folder / "suite2p", _PYTHON)


def _curate_python(folder: Path) -> None:
    curate(folder / "suite2p" / "plane0", CURATED)


def _write_matlab(folder: Path) -> None:
    write_result(folder, _MATLAB)


def _curate_matlab(folder: Path) -> None:
    write_curated(folder, replace(_MATLAB, is_cell=CURATED))


REGISTERED_PROGRAMS = (
    RegisteredProgram("suite2p_matlab", _write_matlab, _curate_matlab),
    RegisteredProgram("suite2p_python", _write_python, _curate_python),
)
