"""What a pickle may name, and what each name makes of its arguments.

A pickle builds everything but text, numbers and the usual containers by calling a function or class that
it names. Here a name is a `Symbol`: an object of our own that takes only the arguments that programs write.
"""

from __future__ import annotations

import collections
import datetime
from collections.abc import Callable
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from imaging_pipeline.printable import printable
from imaging_pipeline.readers.pickles import arrays
from imaging_pipeline.readers.pickles.keys import checked_keys
from imaging_pipeline.readers.pickles.machine import Draft, Machine, damaged, unsafe

_ENCODINGS = ("latin1", "utf8")
_MAX_ARGUMENTS = 8


class Symbol:
    """A name that is known; ``call`` puts on the stack what it makes of its arguments."""

    __slots__ = ("call", "name")

    def __init__(self, name: str, call: Callable[[Machine, tuple[Any, ...]], None]) -> None:
        self.name = name
        self.call = call


def find(module: str, name: str) -> Symbol:
    """Return what a pickle names.

    Raises
    ------
    UnsafeContentError
        It is nothing that arrays and plain values need.
    """
    module = _OTHER_NAMES.get(module, module)
    # numpy 1 called it so.
    if module.startswith("numpy.core."):
        module = module.replace("numpy.core.", "numpy._core.", 1)
    symbol = _SYMBOLS.get((module, name))
    if symbol is None:
        raise unsafe(printable(f"{module}.{name}"))
    return symbol


def _plain(make: Callable[..., Any], *kinds: type) -> Callable[[Machine, tuple[Any, ...]], None]:
    """Return a call of ``make`` with a few arguments of these kinds."""

    def call(machine: Machine, arguments: tuple[Any, ...]) -> None:
        if len(arguments) > _MAX_ARGUMENTS or not all(type(argument) in kinds for argument in arguments):
            raise damaged(f"arguments that {make.__name__} does not have")
        value = make(*arguments)
        if isinstance(value, str | bytes | bytearray):
            machine.count_bytes(len(value))
        machine.push_container(value)

    return call


def _encode(text: str, encoding: str = "utf-8") -> bytes:
    if encoding.replace("-", "").lower() not in _ENCODINGS:
        raise unsafe(f"the text encoding {printable(encoding)}")
    return text.encode(encoding)


def _bytearray(content: bytes | str = b"", encoding: str = "latin1") -> bytearray:
    return bytearray(content if isinstance(content, bytes) else _encode(content, encoding))


def _posix_path(*parts: str) -> str:
    return str(PurePosixPath(*parts))


def _windows_path(*parts: str) -> str:
    return str(PureWindowsPath(*parts))


def _collection(make: Callable[[Machine, list[Any]], Any]) -> Callable[[Machine, tuple[Any, ...]], None]:
    """Return a call of ``make`` with a list that the pickle made, or with nothing."""

    def call(machine: Machine, arguments: tuple[Any, ...]) -> None:
        if len(arguments) > 1 or not all(type(argument) in (list, tuple) for argument in arguments):
            raise damaged("a collection of something else than a list")
        items = list(arguments[0]) if arguments else []
        machine.count(len(items))
        machine.push_container(make(machine, items))

    return call


def _ordered_dict(machine: Machine, items: list[Any]) -> collections.OrderedDict[Any, Any]:
    if not all(type(item) in (list, tuple) and len(item) == 2 for item in items):
        raise damaged("a dictionary of something else than pairs")
    checked_keys(machine, [key for key, _ in items])
    return collections.OrderedDict(items)


def _ruamel_float(machine: Machine, arguments: tuple[Any, ...]) -> None:
    """Open a float of ruamel.yaml, which is filled with notes about how it was written."""
    if len(arguments) != 1 or type(arguments[0]) is not float:
        raise damaged("a number of ruamel.yaml without its value")
    machine.open_draft(Draft("number", arguments[0]))


def _no_value(machine: Machine, arguments: tuple[Any, ...]) -> None:
    raise unsafe("an array class that is called by itself")


_DATE_ARGUMENTS = (int, str, bytes, datetime.timedelta, datetime.timezone, type(None))
NDARRAY = Symbol("numpy.ndarray", _no_value)
RECONSTRUCT = Symbol("numpy._core.multiarray._reconstruct", lambda m, a: arrays.open_array(m, a, NDARRAY))
SCALAR = Symbol("numpy._core.multiarray.scalar", arrays.push_scalar)
RUAMEL_FLOAT = Symbol("ruamel.yaml.scalarfloat.ScalarFloat", _ruamel_float)

_CALLS: dict[str, Callable[[Machine, tuple[Any, ...]], None]] = {
    # Protocols before 3 have no bytes: Python writes them as an encoded text.
    "_codecs.encode": _plain(_encode, str),
    "builtins.bytearray": _plain(_bytearray, bytes, str),
    "builtins.bytes": _plain(bytes),
    "builtins.complex": _plain(complex, float, int),
    "builtins.frozenset": _collection(lambda machine, items: frozenset(checked_keys(machine, items))),
    "builtins.range": _plain(range, int),
    "builtins.xrange": _plain(range, int),
    "builtins.set": _collection(lambda machine, items: set(checked_keys(machine, items))),
    "builtins.slice": _plain(slice, int, type(None)),
    "collections.OrderedDict": _collection(_ordered_dict),
    "datetime.date": _plain(datetime.date, *_DATE_ARGUMENTS),
    "datetime.datetime": _plain(datetime.datetime, *_DATE_ARGUMENTS),
    "datetime.time": _plain(datetime.time, *_DATE_ARGUMENTS),
    "datetime.timedelta": _plain(datetime.timedelta, int),
    "datetime.timezone": _plain(datetime.timezone, datetime.timedelta, str),
    "numpy._core.numeric._frombuffer": arrays.push_from_buffer,
    "numpy.dtype": arrays.open_dtype,
    **{f"pathlib.{name}": _plain(_posix_path, str) for name in ("Path", "PosixPath", "PurePosixPath")},
    **{f"pathlib.{name}": _plain(_windows_path, str) for name in ("WindowsPath", "PureWindowsPath")},
}
_SYMBOLS = {
    (name.rpartition(".")[0], name.rpartition(".")[2]): Symbol(name, call) for name, call in _CALLS.items()
} | {
    (symbol.name.rpartition(".")[0], symbol.name.rpartition(".")[2]): symbol
    for symbol in (NDARRAY, RECONSTRUCT, SCALAR, RUAMEL_FLOAT)
}

# Python 2's name, and that of Python 3.13.
_OTHER_NAMES = {"__builtin__": "builtins", "pathlib._local": "pathlib"}
