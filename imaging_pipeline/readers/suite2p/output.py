"""Output folders of Suite2p, in the layouts that labs have, and all functions that read them.

A root holds ``plane0``, ``plane1`` … and ``combined`` where several planes were merged; it is called
``suite2p`` when Suite2p made it, or anything when a person moved it. Both generations of the format
(see `metadata`) are read into the same dataclasses.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging_pipeline import strict_json
from imaging_pipeline.errors import FormatError, OutputError
from imaging_pipeline.readers.conversion_errors import conversion_errors
from imaging_pipeline.readers.regular_file import is_present, require_folder
from imaging_pipeline.readers.suite2p.images import Projections, read_projections
from imaging_pipeline.readers.suite2p.labels import read_cell_labels, read_merges, read_red_cells
from imaging_pipeline.readers.suite2p.metadata import Generation, has_metadata, read_metadata
from imaging_pipeline.readers.suite2p.motion import Motion, PrincipalComponents, read_motion
from imaging_pipeline.readers.suite2p.options import OptionsSummary, options_summary
from imaging_pipeline.readers.suite2p.plane import LABELS, PlaneOutput, missing_files, read_plane
from imaging_pipeline.readers.suite2p.rois import Roi, read_rois
from imaging_pipeline.readers.suite2p.traces import Traces, read_traces

__all__ = [
    "MARKER_NAME",
    "Motion",
    "OptionsSummary",
    "PlaneOutput",
    "PrincipalComponents",
    "Projections",
    "Roi",
    "Suite2pOutput",
    "Traces",
    "find_outputs",
    "marker_folder",
    "missing_files",
    "options_summary",
    "read_cell_labels",
    "read_merges",
    "read_motion",
    "read_output",
    "read_projections",
    "read_red_cells",
    "read_rois",
    "read_traces",
]

MARKER_NAME = "imaging_pipeline_run.json"

_PLANE = re.compile(r"plane(\d+)")
# What a marker says in texts that become values of columns.
_NAMES = ("ops_name", "settings_hash", "contents_hash")
_MAX_NAME_LENGTH = 64
_TELLTALE = ("ops.npy", "db.npy", "stat.npy", "F.npy", LABELS)


@dataclass(frozen=True)
class Suite2pOutput:
    """One output of Suite2p, without its arrays.

    Attributes
    ----------
    root
        The folder that holds ``planeK`` and ``combined``.
    version, generation
        Suite2p's version as written (empty where it is not), and which of the two formats it is.
    num_planes
        Planes that were analysed, or fields of all planes where a page has several; those that Suite2p was
        configured to leave out do not count.
    planes
        The planes that are there, in order.
    combined
        All planes merged, or None.
    file_list
        Names of the input files, in order, without their folders.
    options
        The options of the run, flat in 0.x and nested in 1.x, in types that JSON knows.
    marker
        What the pipeline noted about a run of its own, or None.
    """

    root: Path
    version: str
    generation: Generation
    num_planes: int
    planes: tuple[PlaneOutput, ...]
    combined: PlaneOutput | None
    file_list: tuple[str, ...]
    options: Mapping[str, Any]
    marker: Mapping[str, Any] | None

    @property
    def imported(self) -> tuple[PlaneOutput, ...]:
        """What the pipeline imports: the merged planes where they are there, else each plane."""
        return (self.combined,) if self.combined is not None else self.planes


def find_outputs(folder: Path) -> tuple[Path, ...]:
    """Return every folder below ``folder`` (itself included) that holds output of Suite2p, sorted.

    Links are not followed, and folders whose name starts with a dot (copies in the making) are passed over.
    """
    return tuple(sorted(_roots(folder)))


def _roots(folder: Path) -> Iterator[Path]:
    # Its entries know what they are; asking for each costs a round trip on a share.
    with os.scandir(folder) as entries:
        below = [
            Path(entry.path)
            for entry in entries
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
        ]
    outputs = [path for path in below if _is_output_folder(path)]
    if outputs:
        yield folder
    for path in below:
        if path not in outputs:
            yield from _roots(path)


def _is_output_folder(folder: Path) -> bool:
    named = folder.name == "combined" or _PLANE.fullmatch(folder.name) is not None
    return named and any(is_present(folder / name) for name in _TELLTALE)


def read_output(root: Path) -> Suite2pOutput:
    """Read what an output says about itself; no traces, ROIs or images.

    Parameters
    ----------
    root
        A folder that `find_outputs` gave.

    Raises
    ------
    NothingFoundError
        The folder is not there.
    OutputError
        No folder of it has the dictionaries that say how it was made.
    FormatError
        One of these is damaged, or a file is in place of the folder.
    """
    require_folder(root)
    below = sorted(root.iterdir())
    folders = _numbered_planes(below)
    combined = root / "combined" if root / "combined" in below else None
    found = [*folders.values(), *([combined] if combined else [])]
    described = [path for path in found if has_metadata(path)]
    if not described:
        raise OutputError(
            "A Suite2p output does not say how it was made",
            path=root,
            found="no ops.npy, and no db.npy with settings.npy, in any of its folders",
            remedy="Let Suite2p finish, or remove the folder.",
        )
    with conversion_errors(described[0]):
        metadata = read_metadata(described[0])
        # An output whose options cannot be summarised later is refused now.
        options_summary(metadata.options)
        planes = tuple(
            read_plane(path, number)
            for number, path in sorted(folders.items())
            if number not in metadata.flyback_planes
        )
        stated = metadata.num_folders - len(metadata.flyback_planes)
        return Suite2pOutput(
            root=root,
            version=metadata.version,
            generation=metadata.generation,
            num_planes=max(stated, len(planes)),
            planes=planes,
            combined=read_plane(combined, None) if combined and _is_merged(combined) else None,
            file_list=metadata.file_list,
            options=metadata.options,
            marker=_read_marker(root),
        )


def _is_merged(combined: Path) -> bool:
    """Return True if planes were merged."""
    # Suite2p's window leaves labels alone where it only showed planes together.
    return any(is_present(combined / name) for name in _TELLTALE if name != LABELS)


def _numbered_planes(below: Iterable[Path]) -> dict[int, Path]:
    named = ((path, _PLANE.fullmatch(path.name)) for path in below)
    return {int(match[1]): path for path, match in named if match and _is_output_folder(path)}


def marker_folder(root: Path) -> Path:
    """Return the folder of an output's marker: that beside ``suite2p``, because this folder is Suite2p's."""
    return root.parent if root.name == "suite2p" else root


def _read_marker(root: Path) -> Mapping[str, Any] | None:
    """Read the pipeline's own note."""
    path = marker_folder(root) / MARKER_NAME
    if not is_present(path):
        return None
    try:
        marker = strict_json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(
            "The note of a finished run is damaged",
            path=path,
            found=str(error),
            remedy="Copy the folder again from where Suite2p ran, or run Suite2p again.",
        ) from error
    if not isinstance(marker, dict):
        raise FormatError(
            "The note of a finished run is no JSON object",
            path=path,
            found=type(marker).__name__,
            remedy="Copy the folder again from where Suite2p ran, or run Suite2p again.",
        )
    for key in _NAMES:
        if not _is_name(marker.get(key, "")):
            raise FormatError(
                "The note of a finished run is damaged",
                path=path,
                found=f"{key} = {marker[key]!r}",
                allowed=f"text of at most {_MAX_NAME_LENGTH} characters",
                remedy="Copy the folder again from where Suite2p ran, or run Suite2p again.",
            )
    return marker


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_NAME_LENGTH and strict_json.is_storable(value)
