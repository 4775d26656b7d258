"""One ``planeK`` or ``combined`` folder of Suite2p: how much is in it, and whether it is whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.conversion_errors import conversion_errors
from imaging_pipeline.readers.npy.file import NpyHeader, read_header
from imaging_pipeline.readers.regular_file import is_present
from imaging_pipeline.readers.suite2p.metadata import has_metadata, read_metadata
from imaging_pipeline.readers.suite2p.stated_place import check_place

_TRACES = ("F.npy", "Fneu.npy", "spks.npy")
# Of a second channel, without which the first one is imported.
_SECOND_CHANNEL = ("F_chan2.npy", "Fneu_chan2.npy", "redcell.npy")
# The operation that ends every pickle.
_PICKLE_STOP = b"."


# The file that a person's curation writes.
LABELS = "iscell.npy"
# The file in which 1.x keeps how it moved each frame, also of a run that moved none.
RESULTS = "reg_outputs.npy"


@dataclass(frozen=True)
class PlaneOutput:
    """One folder of an output.

    Attributes
    ----------
    folder
        Where it is.
    label
        ``plane0``, ``plane1`` … or ``combined``.
    plane
        Number of the plane from 0, None for ``combined``.
    num_rois, num_frames
        ROIs (cells or not), and frames of the plane; 0 where an unfinished folder does not say.
    frames_per_file
        Frames that each input file gave to this plane; empty where an old version did not say.
    """

    folder: Path
    label: str
    plane: int | None
    num_rois: int
    num_frames: int
    frames_per_file: tuple[int, ...]


def read_plane(folder: Path, plane: int | None) -> PlaneOutput:
    """Describe one folder of an output, finished or not."""
    with conversion_errors(folder):
        traces = array_shape(folder / "F.npy")
        shape = traces if traces is not None and len(traces) == 2 else None
        metadata = read_metadata(folder) if has_metadata(folder) else None
        if metadata is not None and plane is not None:
            check_place(folder, metadata)
        stated = metadata.num_frames if metadata else 0
        return PlaneOutput(
            folder=folder,
            label=folder.name,
            plane=plane,
            num_rois=shape[0] if shape else 0,
            num_frames=shape[1] if shape else stated,
            frames_per_file=metadata.frames_per_file if metadata else (),
        )


def missing_files(plane: PlaneOutput) -> tuple[str, ...]:
    """Return the names of files that the import needs and that are missing or cut off.

    Sizes and shapes are compared from the files' headers, nothing is read whole.
    """
    folder = plane.folder
    if has_metadata(folder):
        names = ("ops.npy", "db.npy", "settings.npy", "reg_outputs.npy", "detect_outputs.npy")
        wrong = _cut_off(folder, names)
        wrong += [RESULTS] if plane.plane is not None and lacks_results(folder) else []
    else:
        wrong = ["ops.npy"]
    wrong += _cut_off(folder, _SECOND_CHANNEL)
    # F.npy says how many ROIs and frames there are; the other files are held against it.
    counts = {LABELS: (plane.num_rois, 2), "stat.npy": (plane.num_rois,)}
    expected = dict.fromkeys(_TRACES, (plane.num_rois, plane.num_frames)) | counts
    for name, shape in expected.items():
        path = folder / name
        actual = array_shape(path)
        if not is_present(path):
            wrong.append(name)
        elif actual is None or _is_cut_off(path):
            wrong.append(f"{name} (cut off)")
        elif actual != shape:
            wrong.append(f"{name} (shape {actual}, not {shape})")
    return tuple(wrong)


def _cut_off(folder: Path, names: Iterable[str]) -> list[str]:
    return [f"{name} (cut off)" for name in names if is_present(folder / name) and _is_cut_off(folder / name)]


def lacks_results(folder: Path) -> bool:
    """Return True if the folder of a plane of 1.x has its dictionaries without how its frames were moved."""
    described = all(is_present(folder / name) for name in ("db.npy", "settings.npy"))
    return described and not is_present(folder / RESULTS)


def array_shape(path: Path) -> tuple[int, ...] | None:
    """Return the shape of the array in a file; None where it is not there, or not whole."""
    header = _header(path)
    return header.shape if header else None


def _header(path: Path) -> NpyHeader | None:
    """Read the header of a ``.npy`` file; None where it has no whole one."""
    if not is_present(path):
        return None
    try:
        with path.open("rb") as file:
            return read_header(file, path)
    except FormatError:
        return None


def _is_cut_off(path: Path) -> bool:
    header = _header(path)
    if header is None:
        return True
    if not header.dtype.hasobject:
        return path.stat().st_size < header.size_bytes + header.content_bytes
    with path.open("rb") as file:
        # The size of pickled content is not stated; its last byte shows the end.
        file.seek(-1, 2)
        return file.read(1) != _PICKLE_STOP
