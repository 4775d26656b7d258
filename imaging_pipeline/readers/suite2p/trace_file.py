"""One file of traces of a Suite2p folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.npy.file import read_header
from imaging_pipeline.readers.regular_file import is_present, require_regular_file

Trace = NDArray[np.float32]


def open_traces(path: Path, expected: tuple[int, int]) -> Trace:
    """Open a file of traces, float32 (N, T), memory-mapped where it has elements.

    Parameters
    ----------
    path
        The file.
    expected
        (N, T), as other files of the folder have them.

    Raises
    ------
    OutputError
        The file is missing, not whole, or of another shape.
    """
    if not is_present(path):
        raise OutputError(
            "A Suite2p output lacks a file of traces",
            path=path,
            remedy="Let Suite2p finish, or copy it again.",
        )
    require_regular_file(path)
    with path.open("rb") as file:
        header = read_header(file, path)
    if header.shape != expected:
        raise OutputError(
            "Files of one Suite2p folder disagree about ROIs or frames",
            path=path,
            found=f"shape {header.shape}",
            allowed=f"shape {expected}",
            remedy="Put back the files that belong together; a mix of two runs cannot be imported.",
        )
    num_bytes = path.stat().st_size - header.size_bytes
    if num_bytes < header.content_bytes or header.dtype.kind != "f":
        raise OutputError(
            "A file of traces is not whole",
            path=path,
            found=f"{num_bytes:,} bytes of {header.dtype}",
            allowed=f"{header.content_bytes:,} bytes of floating-point numbers",
            remedy="Let Suite2p finish, or copy it again.",
        )
    # A file without elements cannot be mapped.
    mode: Literal["r"] | None = "r" if 0 not in expected else None
    traces: NDArray[Any] = np.load(path, mmap_mode=mode, allow_pickle=False)
    return traces.astype(np.float32, copy=False)
