"""A registered session whose Suite2p output has any number of cells and frames."""

from __future__ import annotations

from pathlib import Path

from imaging_pipeline.config.config import Config
from imaging_pipeline.schemas import imaging
from tests.makers.lab import Lab, emptied_lab
from tests.makers.recordings import Recording, populate, register_all

DERIVED = ("ImagingAnalysis", "Projection", "Cell", "FilteredSpikes")


def register_session(config: Config, folder: Path, cells: int, frames: int) -> tuple[Lab, Path]:
    """Register a session and import its tifs, but no cells; return the lab and the folder of its plane."""
    folder.mkdir()
    lab = emptied_lab(config, folder)
    root = register_all(lab, Recording("90218-openfield", ((frames,),)), num_rois=cells)
    populate("Tif")
    return lab, root / "plane0"


def import_session() -> None:
    """Import all that is derived of the output."""
    populate(*DERIVED)


def delete_derived() -> None:
    """Delete all rows that `import_session` made."""
    imaging.ImagingAnalysis().delete(prompt=False)
