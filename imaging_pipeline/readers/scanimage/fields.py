"""The fields of view of a recording that images several of them, and where each lies in a page.

ScanImage stacks the fields of a depth into one page, from top to bottom in the order of its ROI groups,
with some lines between that were scanned on the way from one field to the next.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Any

from imaging_pipeline import strict_json
from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.scanimage.text import COPY_OR_TAKE_AWAY, Literals

# The way to the next field is rounded up to whole lines, or to pairs of them.
_GAP_TOLERANCE_LINES = 2
# The planes' depths and the regions' are written in two places, as decimal text.
_SAME_DEPTH_UM = 1e-3
# Scanner types name their mirrors: RG has a resonant and a galvanometric one, GG is linear.
_RESONANT = "R"


@dataclass(frozen=True)
class ScanField:
    """One field of view, as the ROI groups say it.

    Attributes
    ----------
    name
        Of its region of interest, empty where it has none.
    width_px, height_px
        Pixels of a line, and lines.
    center_x_deg, center_y_deg, width_deg, height_deg
        Where it is and how large, in degrees of the scan angle.
    rotation_deg
        How far it is turned, in degrees.
    """

    name: str
    width_px: int
    height_px: int
    center_x_deg: float
    center_y_deg: float
    width_deg: float
    height_deg: float
    rotation_deg: float


@dataclass(frozen=True)
class LocatedField:
    """A field in a page.

    Attributes
    ----------
    first_line, last_line
        Its lines in the page, from 0, both included.
    canvas_x_px, canvas_y_px
        Its left and upper edge in a picture of all fields, as they lie in the sample. Exact where all
        have as many pixels a degree, else by what most of them have.
    """

    field: ScanField
    first_line: int
    last_line: int
    canvas_x_px: int
    canvas_y_px: int


def find_fields(keys: Literals, rois: str, plane_z_um: Sequence[float], path: Path) -> tuple[ScanField, ...]:
    """Find the fields of every page; none where only one field of view is imaged.

    Parameters
    ----------
    keys
        The header.
    rois
        The JSON of the ROI groups.
    plane_z_um
        Depths of the planes, empty where they are not known.
    path
        The file, for errors.

    Raises
    ------
    FormatError
        The ROI groups cannot be read, no field is enabled, or the fields change with depth.
    """
    if not keys.flag("hRoiManager.mroiEnable"):
        return ()
    try:
        fields = [_field(roi) for roi in _imaging_rois(rois) if _is_imaged(roi, plane_z_um, path)]
    except FormatError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise FormatError(
            "The tif is of several fields of view, but its ROI groups cannot be read",
            path=path,
            found=wrong,
            remedy=COPY_OR_TAKE_AWAY,
        ) from wrong
    if not fields:
        raise FormatError(
            "The tif is of several fields of view, but none is enabled", path=path, remedy=COPY_OR_TAKE_AWAY
        )
    return tuple(fields)


# The files of one acquisition repeat them to the letter.
@lru_cache(maxsize=4)
def _imaging_rois(rois: str) -> Sequence[dict[str, Any]]:
    document: Any = strict_json.loads(rois)
    return _listed(document["RoiGroups"]["imagingRoiGroup"]["rois"])


def _listed(value: Any) -> list[Any]:
    """Return the elements of a list; ScanImage writes a single one without it."""
    return value if isinstance(value, list) else [value]


def _is_imaged(roi: dict[str, Any], plane_z_um: Sequence[float], path: Path) -> bool:
    """Return True if a region is in the pages, which it must be at all depths or at none."""
    if not (roi.get("enable", 1) and roi.get("scanfields")):
        return False
    shapes = {
        (*scanfield["pixelResolutionXY"], *scanfield["centerXY"], *scanfield["sizeXY"])
        for scanfield in _listed(roi["scanfields"])
    }
    # Where no depths are known, all regions are taken to be imaged.
    is_at = {_is_at(roi, z_um) for z_um in plane_z_um} or {True}
    if is_at == {False}:
        return False
    if len(is_at) > 1 or len(shapes) > 1:
        raise FormatError(
            "The tif's fields of view change with depth, and so do its pages",
            path=path,
            found=f"'{roi.get('name', '')}' with scan fields at z = {roi.get('zs')}",
            allowed="the same fields in every plane",
            remedy="move the recording out of the folder, and analyse it by hand.",
        )
    return True


def _is_at(roi: dict[str, Any], z_um: float) -> bool:
    """Return True if a region is imaged at a depth.

    A region in discrete planes is imaged at its scan fields' depths only; another one also between them,
    and at all depths if it has one scan field.
    """
    depths_um = [float(z) for z in _listed(roi.get("zs", []))]
    if roi.get("discretePlaneMode"):
        return any(abs(z_um - depth_um) <= _SAME_DEPTH_UM for depth_um in depths_um)
    return len(depths_um) < 2 or min(depths_um) <= z_um <= max(depths_um)


def _field(roi: dict[str, Any]) -> ScanField:
    scanfield = _listed(roi["scanfields"])[0]
    (width_px, height_px), (x_deg, y_deg) = scanfield["pixelResolutionXY"], scanfield["centerXY"]
    width_deg, height_deg = scanfield["sizeXY"]
    if min(width_px, height_px, width_deg, height_deg) <= 0:
        raise ValueError(
            f"a scan field of {width_px} x {height_px} pixels, {width_deg} x {height_deg} degrees"
        )
    return ScanField(
        name=str(roi.get("name") or ""),
        width_px=int(width_px),
        height_px=int(height_px),
        center_x_deg=float(x_deg),
        center_y_deg=float(y_deg),
        width_deg=float(width_deg),
        height_deg=float(height_deg),
        rotation_deg=float(scanfield.get("rotationDegrees") or 0),
    )


def lines_between(keys: Literals) -> int | None:
    """Return how many lines the scanner needs from one field to the next; None if the header does not say.

    For a linear scanner, and where lines are averaged, the header does not say.
    """
    way_s, line_s = keys.number("hScan2D.flytoTimePerScanfield"), keys.number("hRoiManager.linePeriod")
    is_resonant = keys.text("hScan2D.scannerType").startswith(_RESONANT)
    is_averaged = (keys.number("hScan2D.lineAverageFactor") or 1) != 1
    if way_s is None or not line_s or not is_resonant or is_averaged:
        return None
    num_lines = math.ceil(way_s / line_s)
    return num_lines + num_lines % 2 if keys.flag("hScan2D.bidirectional") else num_lines


def locate_fields(
    fields: Sequence[ScanField], height: int, width: int, expected_lines_between: int | None, path: Path
) -> tuple[LocatedField, ...]:
    """Find the lines of each field in a page, by the page's height.

    Parameters
    ----------
    fields
        As `find_fields` returns them.
    height, width
        Of a page, in pixels.
    expected_lines_between
        As `lines_between` returns it.
    path
        The file, for errors.

    Raises
    ------
    FormatError
        The fields do not fill the page with equal gaps between, or with others than the header says.
    """
    if not fields:
        return ()
    free = height - sum(field.height_px for field in fields)
    # A single field has no gaps: it must fill the page.
    between, left = divmod(free, len(fields) - 1) if len(fields) > 1 else (0, free)
    is_far_off = (
        expected_lines_between is not None
        and abs(between - expected_lines_between) > _GAP_TOLERANCE_LINES
        and len(fields) > 1
    )
    if free < 0 or left or is_far_off or any(field.width_px != width for field in fields):
        expected = "equal gaps" if expected_lines_between is None else f"gaps of {expected_lines_between}"
        raise FormatError(
            "The fields of view in the tif's header are not those in its pages",
            path=path,
            found=f"pages of {height} lines of {width} pixels",
            allowed=" + ".join(f"{field.height_px} x {field.width_px}" for field in fields)
            + f" with {expected} lines between",
            remedy="move the recording out of the folder, and analyse it by hand.",
        )
    return tuple(_located(fields, between))


def _located(fields: Sequence[ScanField], between: int) -> list[LocatedField]:
    lefts_deg = [field.center_x_deg - field.width_deg / 2 for field in fields]
    tops_deg = [field.center_y_deg - field.height_deg / 2 for field in fields]
    # Fields may have different scales, and the canvas needs one.
    px_a_deg_x = median(field.width_px / field.width_deg for field in fields)
    px_a_deg_y = median(field.height_px / field.height_deg for field in fields)
    located: list[LocatedField] = []
    first_line = 0
    for field, left_deg, top_deg in zip(fields, lefts_deg, tops_deg, strict=True):
        located.append(
            LocatedField(
                field=field,
                first_line=first_line,
                last_line=first_line + field.height_px - 1,
                canvas_x_px=round((left_deg - min(lefts_deg)) * px_a_deg_x),
                canvas_y_px=round((top_deg - min(tops_deg)) * px_a_deg_y),
            )
        )
        first_line += field.height_px + between
    return located
