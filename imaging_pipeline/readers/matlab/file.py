"""MATLAB files of any version that has cell arrays and structs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from imaging_pipeline.errors import FormatError, TruncatedError
from imaging_pipeline.readers.hdf5.file import SIGNATURE_READ_BYTES, has_signature
from imaging_pipeline.readers.matlab import v5, v73
from imaging_pipeline.readers.matlab.value import MatlabValue
from imaging_pipeline.readers.regular_file import require_regular_file

_V5 = b"MATLAB 5.0 MAT-file"


@contextmanager
def open_matlab(path: Path, variables: Sequence[str]) -> Iterator[MatlabValue]:
    """Open a file of either container; its first bytes tell which.

    Parameters
    ----------
    path
        The file.
    variables
        Those that are needed: the older container is read eagerly, so that others would cost time.

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
        start = file.read(SIGNATURE_READ_BYTES)
    if has_signature(start):
        with v73.opened(path) as content:
            yield content
    elif start.startswith(_V5):
        yield v5.read(path, variables)
    # A copy that has begun: no bytes, some of the first ones, or zeros in place of content.
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
