"""Every segmentation program, one line each."""

from __future__ import annotations

from imaging_pipeline.segmentation.package import SegmentationPackage
from imaging_pipeline.segmentation.suite2p_matlab import Suite2pMatlab
from imaging_pipeline.segmentation.suite2p_python import Suite2pPython

# A file that two of them know is the former's.
SEGMENTATION_PACKAGES: tuple[SegmentationPackage, ...] = (
    Suite2pMatlab(),
    Suite2pPython(),
)

# The dataset types of their outputs; all others are of recordings.
OUTPUT_TYPES = tuple(package.datasettype for package in SEGMENTATION_PACKAGES)


def segmentation_package(datasettype: str) -> SegmentationPackage:
    """Return the program whose outputs are datasets of a type."""
    return {package.datasettype: package for package in SEGMENTATION_PACKAGES}[datasettype]
