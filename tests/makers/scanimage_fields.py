"""ScanImage files of several fields of view."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imaging_pipeline.demo.scanimage_file import ScanImageSettings
from tests.makers.scanimage import SETTINGS, header_with, write_tif

LINES_BETWEEN = 4
LINE_PERIOD_S = 6.25e-5
PX_A_DEGREE = 10


@dataclass(frozen=True)
class Field:
    """A field of view whose upper left corner lies somewhere in the sample, in pixels."""

    height: int
    width: int
    top: int = 0
    left: int = 0
    z: float = 0
    is_discrete: bool = False
    enable: int = 1


def rois_of(fields: Sequence[Field]) -> str:
    """Return the JSON of the ROI groups."""
    return json.dumps({"RoiGroups": {"imagingRoiGroup": {"rois": [_roi(field) for field in fields]}}})


def _roi(field: Field) -> dict[str, Any]:
    scanfield = {
        "centerXY": [
            (field.left + field.width / 2) / PX_A_DEGREE,
            (field.top + field.height / 2) / PX_A_DEGREE,
        ],
        "sizeXY": [field.width / PX_A_DEGREE, field.height / PX_A_DEGREE],
        "rotationDegrees": 0,
        "pixelResolutionXY": [field.width, field.height],
    }
    return {
        "name": f"at {field.left} {field.top}",
        "zs": field.z,
        "scanfields": scanfield,
        "discretePlaneMode": int(field.is_discrete),
        "enable": field.enable,
    }


def fields_header(settings: ScanImageSettings = SETTINGS, **changes: str) -> str:
    """Return the header of a recording of several fields."""
    several = {
        "hRoiManager__mroiEnable": "true",
        "hRoiManager__linePeriod": str(LINE_PERIOD_S),
        "hScan2D__flytoTimePerScanfield": str(LINE_PERIOD_S * (LINES_BETWEEN - 0.5)),
    }
    return header_with(settings, 100, 100, **{**several, **changes})


def stacked(images: Sequence[np.ndarray]) -> np.ndarray:
    """Return a page: the images of all fields one below the other, with lines of the way between."""
    between = np.full((LINES_BETWEEN, images[0].shape[1]), -1, images[0].dtype)
    parts = [part for image in images for part in (image, between)]
    return np.concatenate(parts[:-1])


def write_fields_tif(
    path: Path,
    fields: Sequence[Field],
    frames: Iterable[Sequence[np.ndarray]],
    settings: ScanImageSettings = SETTINGS,
    **changes: str,
) -> Path:
    """Write a file of pages, each made of the images of all fields."""
    header = fields_header(settings, **changes)
    return write_tif(path, settings=settings, pages=map(stacked, frames), header=header, rois=rois_of(fields))
