"""What a person should know of an output of Suite2p that is imported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.npy.file import load_npy
from imaging_pipeline.readers.regular_file import is_present
from imaging_pipeline.readers.suite2p.labels import red_cells_fault
from imaging_pipeline.readers.suite2p.output import Suite2pOutput
from imaging_pipeline.readers.suite2p.plane import LABELS
from imaging_pipeline.readers.suite2p.second_channel import second_channel_fault
from imaging_pipeline.wording import counted

_COMBINED = "combined"


def remarks(output: Suite2pOutput) -> Iterator[str]:
    """Yield in words what is left out of an output, and which of two sets of labels is used."""
    for plane in output.imported:
        fault = second_channel_fault(plane)
        if fault:
            yield (
                f"the first channel of {plane.label} is imported and the second is not, because {fault};"
                " put back files of one state of the output to import both"
            )
        fault = red_cells_fault(plane)
        if fault:
            yield (
                f"of {plane.label} it is not known which cells are red, because {fault}; save the output in"
                " Suite2p's window to correct that"
            )
    yield from _other_labels(output)


def _other_labels(output: Suite2pOutput) -> Iterator[str]:
    """Yield a remark where the labels of the planes differ from those of all planes together."""
    together = output.root / _COMBINED / LABELS
    single = [plane.folder / LABELS for plane in output.planes if is_present(plane.folder / LABELS)]
    # Folders of single planes have none beside them.
    if not single or together.parent not in output.root.iterdir() or not is_present(together):
        return
    difference = _difference(together, single)
    if not difference:
        return
    newest = max(single, key=lambda path: path.stat().st_mtime_ns)
    is_newer = newest.stat().st_mtime_ns > together.stat().st_mtime_ns
    if output.combined is None:
        yield (
            f"the labels in each plane are used, and not those that Suite2p's window left in {_COMBINED}:"
            f" {difference}{'' if is_newer else ', and were written later'}; mark the cells in each plane to"
            " use other labels"
        )
        return
    later = f", and those in {newest.parent.name} were written later" if is_newer else ""
    yield (
        f"the labels in {_COMBINED} are used, and not those in each plane: {difference}{later}; mark the"
        f" cells in {_COMBINED} to use other labels, or move {_COMBINED} out of the folder to import each"
        " plane by itself"
    )


def _difference(together: Path, single: Sequence[Path]) -> str:
    """Return in words how labels of planes differ from those of all together, or nothing."""
    read = {path: _decided(path) for path in (together, *single)}
    for path, labels in read.items():
        if labels is None:
            return f"those of {path.parent.name} cannot be read"
    merged, *apart = (labels for labels in read.values() if labels is not None)
    num_rois = [len(labels) for labels in apart]
    if len(merged) != sum(num_rois):
        return f"they are of {sum(num_rois)} ROIs in the planes and of {len(merged)} in {_COMBINED}"
    is_other = np.concatenate(apart) != merged
    parts = np.split(is_other, np.cumsum(num_rois)[:-1])
    counts = [
        f"{counted(int(part.sum()), 'ROI')} of {path.parent.name}"
        for part, path in zip(parts, single, strict=True)
        if part.any()
    ]
    return f"they differ for {' and '.join(counts)}" if counts else ""


def _decided(path: Path) -> NDArray[np.number] | None:
    """Return the labels in a file, (N,); None where it holds none, which matters only if they are used."""
    try:
        labels = load_npy(path)
    except FormatError:
        return None
    is_table = isinstance(labels, np.ndarray) and labels.dtype.kind in "biuf" and labels.ndim == 2
    return labels[:, 0] if is_table and labels.shape[1] else None
