"""How a run of Suite2p sorted the pages of its input files to planes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline.readers.conversion_errors import conversion_errors
from imaging_pipeline.readers.suite2p.metadata import Metadata, has_metadata, read_metadata

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
    frame_px
        Height and width of its frames; None where the output does not say.
    frames_per_file
        Frames that each input file gave to it; empty where the output does not say.
    is_left_out
        Whether the run was told not to analyse it, because it is of the flyback.
    """

    number: int
    position: int
    frame_px: tuple[int, int] | None
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
        In order; those that were left out, too.
    num_channels
        Pages of each frame as the run counted them; None where the output does not say.
    """

    num_positions: int
    num_fields: int
    planes: tuple[SortedPlane, ...]
    num_channels: int | None = None


def read_sorting(root: Path) -> Sorting:
    """Read from the descriptions of all planes how pages were sorted to them.

    Where only merged planes are there, neither sizes nor frames of the single ones are known.

    Raises
    ------
    OutputError, FormatError
        A description is incomplete or damaged.
    """
    numbered = ((_PLANE.fullmatch(path.name), path) for path in root.iterdir())
    folders = {int(match[1]): path for match, path in numbered if match and has_metadata(path)}
    if not folders:
        with conversion_errors(root / "combined"):
            metadata = read_metadata(root / "combined")
            numbers = range(metadata.num_folders)
            return _sorting(metadata, [_plane(metadata, number) for number in numbers])
    planes = []
    for number, folder in sorted(folders.items()):
        with conversion_errors(folder):
            metadata = read_metadata(folder)
            planes.append(_plane(metadata, number, metadata.frame_shape, metadata.frames_per_file))
    return _sorting(metadata, planes)


def _sorting(metadata: Metadata, planes: list[SortedPlane]) -> Sorting:
    num_positions = metadata.num_folders // metadata.num_fields
    return Sorting(num_positions, metadata.num_fields, tuple(planes), metadata.num_channels)


def _plane(
    metadata: Metadata,
    number: int,
    frame_px: tuple[int, int] | None = None,
    frames_per_file: tuple[int, ...] = (),
) -> SortedPlane:
    is_left_out = number in metadata.flyback_planes
    return SortedPlane(number, number // metadata.num_fields, frame_px, frames_per_file, is_left_out)
