"""How a run of Suite2p sorted the pages of its input files to planes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline.readers.conversion_errors import conversion_errors
from imaging_pipeline.readers.suite2p.metadata import has_metadata, read_metadata

_PLANE = re.compile(r"plane(\d+)")


@dataclass(frozen=True)
class SortedPlane:
    """A plane of an output, or a field of a plane where a page has several.

    Attributes
    ----------
    number
        As the output counts: planes, or the fields of each plane in turn.
    position
        Place of its frames in a volume, from 0.
    height_px, width_px
        Of its frames.
    frames_per_file
        Frames that each input file gave to it; empty where the output does not say.
    is_left_out
        Whether the run was told not to analyse it, because it is of the flyback.
    """

    number: int
    position: int
    height_px: int
    width_px: int
    frames_per_file: tuple[int, ...]
    is_left_out: bool = False


@dataclass(frozen=True)
class Sorting:
    """The planes of an output.

    Attributes
    ----------
    num_positions
        Frames of a volume as the run counted them, flyback frames included.
    num_fields
        Fields of view that it cut each page into; 1 where it took pages as they are.
    planes
        Those that are described in the output, in order; those that were left out, too.
    """

    num_positions: int
    num_fields: int
    planes: tuple[SortedPlane, ...]


def read_sorting(root: Path) -> Sorting:
    """Read from the descriptions of all planes how pages were sorted to them.

    Where only merged planes are there, no plane is described.

    Raises
    ------
    OutputError, FormatError
        A description is incomplete or damaged.
    """
    numbered = ((_PLANE.fullmatch(path.name), path) for path in root.iterdir())
    folders = {int(match[1]): path for match, path in numbered if match and has_metadata(path)}
    found = {number: read_metadata(path) for number, path in sorted(folders.items())}
    if not found:
        with conversion_errors(root / "combined"):
            merged = read_metadata(root / "combined")
            num_fields = merged.num_fields
            return Sorting(merged.num_folders // num_fields, num_fields, ())
    first, *_ = found.values()
    planes = []
    for number, metadata in found.items():
        with conversion_errors(folders[number]):
            height, width = metadata.frame_shape
            planes.append(
                SortedPlane(
                    number=number,
                    position=number // first.num_fields,
                    height_px=height,
                    width_px=width,
                    frames_per_file=metadata.frames_per_file,
                    is_left_out=number in first.flyback_planes,
                )
            )
    return Sorting(first.num_folders // first.num_fields, first.num_fields, tuple(planes))
