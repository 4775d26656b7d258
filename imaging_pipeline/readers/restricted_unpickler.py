"""Pickles and object arrays, read without trusting them.

Suite2p keeps its options and ROIs as pickled dictionaries inside ``.npy`` files, DeepLabCut its
metadata in ``.pickle`` files. A pickle can name any function of the machine that reads it. This
unpickler knows only numpy arrays, dtypes and scalars, the plain builtin types, dates, paths (which
become text) and the numbers of ruamel.yaml (which become floats), and refuses all else by name.
"""

from __future__ import annotations

import collections
import datetime
import io
import pickle
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO

import numpy as np
from numpy._core import multiarray, numeric

from imaging_pipeline.errors import FormatError, UnsafeContentError
from imaging_pipeline.readers.npy_header import read_header


class _PlainFloat(float):
    """A float that accepts, and drops, what ruamel.yaml notes about how a number was written."""

    def __new__(cls, *values: float, **_notes: object) -> _PlainFloat:
        return super().__new__(cls, *values[:1])

    def __setstate__(self, _state: object) -> None:
        return


def _encode(text: str, encoding: str = "utf-8") -> bytes:
    if encoding.replace("-", "").lower() not in ("latin1", "utf8"):
        raise UnsafeContentError(
            "A pickle asks for a text encoding that arrays do not use",
            found=encoding,
            remedy="Ask where the file comes from; do not open it with numpy or pickle.",
        )
    return text.encode(encoding)


def _posix_path(*parts: str) -> str:
    return str(PurePosixPath(*parts))


def _windows_path(*parts: str) -> str:
    return str(PureWindowsPath(*parts))


_PLAIN_TYPES = (
    *(bool, int, float, complex, str, bytes, bytearray),
    *(list, tuple, dict, set, frozenset, slice, range),
)

_ALLOWED: dict[tuple[str, str], Callable[..., Any]] = {
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("datetime", "date"): datetime.date,
    ("datetime", "datetime"): datetime.datetime,
    ("datetime", "time"): datetime.time,
    ("datetime", "timedelta"): datetime.timedelta,
    ("datetime", "timezone"): datetime.timezone,
    ("numpy", "dtype"): np.dtype,
    ("numpy", "ndarray"): np.ndarray,
    ("ruamel.yaml.scalarfloat", "ScalarFloat"): _PlainFloat,
    **{("builtins", kind.__name__): kind for kind in _PLAIN_TYPES},
    **{("pathlib", name): _posix_path for name in ("Path", "PosixPath", "PurePosixPath")},
    **{("pathlib", name): _windows_path for name in ("WindowsPath", "PureWindowsPath")},
}

# Python 2's name, and that of Python 3.13.
_OTHER_NAMES = {"__builtin__": "builtins", "pathlib._local": "pathlib"}

_NUMPY_REBUILDERS = {
    ("multiarray", "_reconstruct"),
    ("multiarray", "scalar"),
    ("numeric", "_frombuffer"),
}


def _numpy_rebuilder(module: str, name: str) -> Callable[..., Any] | None:
    """Give numpy's own function; numpy 1 calls its package ``numpy.core``, numpy 2 ``numpy._core``."""
    package, _, module_name = module.rpartition(".")
    if package not in ("numpy.core", "numpy._core") or (module_name, name) not in _NUMPY_REBUILDERS:
        return None
    source = multiarray if module_name == "multiarray" else numeric
    function: Callable[..., Any] = getattr(source, name)
    return function


def _numpy_dtype_class(module: str, name: str) -> type[Any] | None:
    """Give a class such as ``numpy.dtypes.Float64DType``, as numpy 1.25 and later write it."""
    found = getattr(np.dtypes, name, None) if module == "numpy.dtypes" else None
    return found if isinstance(found, type) and issubclass(found, np.dtype) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, path: Path | None) -> None:
        super().__init__(file, encoding="latin1")
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        module = _OTHER_NAMES.get(module, module)
        allowed = (
            _ALLOWED.get((module, name)) or _numpy_rebuilder(module, name) or _numpy_dtype_class(module, name)
        )
        if allowed is None:
            raise UnsafeContentError(
                "A pickle wants more than arrays and plain values",
                path=self._path,
                found=f"{module}.{name}",
                allowed="numpy arrays and plain builtin types",
                remedy="Ask where the file comes from; do not open it with numpy or pickle.",
            )
        return allowed


def _load(file: BinaryIO, path: Path | None) -> Any:
    try:
        return _Unpickler(file, path).load()
    except UnsafeContentError:
        raise
    except Exception as error:  # whatever a damaged pickle makes of the types that it may use
        raise FormatError(
            "A pickle is damaged or cut off",
            path=path,
            found=f"{type(error).__name__}: {error}",
            remedy="Copy the file again from where it was written.",
        ) from error


def loads(content: bytes) -> Any:
    """Give the value of a pickle that holds only arrays and plain values.

    Raises
    ------
    UnsafeContentError
        Where the pickle names anything else; the error says what.
    FormatError
        Where the pickle is damaged.
    """
    return _load(io.BytesIO(content), None)


def load_npy(path: Path) -> Any:
    """Give the content of a ``.npy`` file, also where its elements are pickled objects.

    A pickled dictionary that numpy stored as an array of no dimensions is given as the dictionary.

    Returns
    -------
    value
        An array of the shape and dtype that the file states (dtype object for pickled elements),
        or the one object of an array of shape ``()``.

    Raises
    ------
    UnsafeContentError
        Where a pickled element is more than arrays and plain values.
    FormatError
        Where the file is no whole ``.npy`` file.
    """
    with path.open("rb") as file:
        if read_header(file, path).dtype.hasobject:
            content = _load(file, path)
            return content.item() if isinstance(content, np.ndarray) and content.shape == () else content
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, MemoryError, OverflowError) as error:  # the last two: a damaged shape
        raise FormatError(
            "Not a whole .npy file",
            path=path,
            found=str(error),
            remedy="Copy the file again from where it was written.",
        ) from error
