"""MATLAB files of any version that has cell arrays and structs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from imaging_pipeline.errors import FormatError, TruncatedError
from imaging_pipeline.readers.matlab import v5, v73
from imaging_pipeline.readers.matlab.value import MatlabValue
from imaging_pipeline.readers.regular_file import require_regular_file

# MATLAB puts a text of its own before the HDF5 file; HDF5 looks for its signature at powers of two.
_HDF5 = b"\x89HDF\r\n\x1a\n"
_HDF5_PLACES = (0, 512, 1024, 2048)
_V5 = b"MATLAB 5.0 MAT-file"


@contextmanager
def open_matlab(path: Path, variables: Sequence[str]) -> Iterator[MatlabValue]:
    """Open a file, whatever its container, which its first bytes say.

    Parameters
    ----------
    path
        The file.
    variables
        What may be asked for: the older container is read whole, so that other variables would cost.

    Yields
    ------
    MatlabValue
        A struct whose fields are the variables that are there.

    Raises
    ------
    TruncatedError
        The file is damaged, or not all of it is there.
    FormatError
        It is no MATLAB file, is damaged, or would take far more memory than its size.
    NothingFoundError
        It is not there.
    """
    require_regular_file(path)
    with path.open("rb") as file:
        start = file.read(_HDF5_PLACES[-1] + len(_HDF5))
    if any(start[place:].startswith(_HDF5) for place in _HDF5_PLACES):
        with v73.opened(path) as content:
            yield content
    elif start.startswith(_V5):
        yield v5.read(path, variables)
    elif _V5.startswith(start[: len(_V5)]) or not any(start):
        raise TruncatedError(
            "The MATLAB file has not even its first bytes", path=path, remedy="Copy the file again."
        )
    else:
        raise FormatError(
            "This is no MATLAB file",
            path=path,
            found=start[: len(_V5)],
            allowed="MATLAB's versions 5 to 7.3",
            remedy="Save it in MATLAB with save, as version 7 or 7.3.",
        )
