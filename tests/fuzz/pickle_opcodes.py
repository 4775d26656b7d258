"""Pickles that are changed opcode by opcode."""

from __future__ import annotations

import contextlib
import pickle
import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np

from tests.fuzz.oddities import DTYPES, FLOATS, INTEGERS, TEXTS, integer


@dataclass(frozen=True)
class Opcode:
    """One opcode with its argument, as written."""

    code: str
    argument: Any
    written: bytes


_KINDS = {opcode.code: opcode for opcode in pickletools.opcodes}

# Modules and functions that a pickle would name to do harm, or to make numpy or Python stumble.
DANGEROUS = (
    *("os system", "posix system", "nt system", "os popen", "os remove", "subprocess Popen", "shutil rmtree"),
    *("builtins eval", "builtins exec", "builtins getattr", "builtins open", "builtins __import__"),
    *("__builtin__ eval", "numpy load", "numpy.core.multiarray fromfile", "numpy fromfile", "numpy memmap"),
    *("pickle loads", "importlib import_module", "antigravity geohash", "pty spawn", "runpy run_path"),
    *(
        "tests.fuzz.trap spring",
        "numpy.testing._private.utils runstring",
        "operator attrgetter",
        "codecs open",
    ),
    *(
        "builtins int.__class__",
        "numpy dtype.__reduce__",
        "collections OrderedDict.fromkeys",
        "copyreg _reconstructor",
    ),
)
KNOWN = (
    *(
        "builtins bytearray",
        "builtins range",
        "builtins int",
        "builtins str",
        "builtins list",
        "builtins set",
    ),
    *("builtins slice", "builtins complex", "builtins dict", "builtins tuple", "builtins frozenset"),
    *("numpy dtype", "numpy ndarray", "numpy.core.multiarray _reconstruct", "numpy.core.multiarray scalar"),
    *(
        "numpy._core.multiarray scalar",
        "numpy._core.numeric _frombuffer",
        "_codecs encode",
        "pathlib PosixPath",
    ),
    *("collections OrderedDict", "datetime datetime", "datetime timedelta", "datetime timezone"),
    *("ruamel.yaml.scalarfloat ScalarFloat", "numpy.dtypes Float64DType", "numpy.dtypes StringDType"),
)


def parse(content: bytes) -> list[Opcode]:
    """Return the opcodes as far as the pickle can be parsed, without its frames, which only tell lengths."""
    found: list[tuple[str, Any, int]] = []
    # Where an earlier change has damaged it, what stands before can still be changed.
    with contextlib.suppress(Exception):
        for opcode, argument, place in pickletools.genops(content):
            found.append((opcode.code, argument, place or 0))
    ends = [*(place for _, _, place in found[1:]), len(content)]
    parsed = [
        Opcode(code, arg, content[place:end]) for (code, arg, place), end in zip(found, ends, strict=False)
    ]
    return [opcode for opcode in parsed if opcode.code != "\x95"]


def join(opcodes: list[Opcode]) -> bytes:
    return b"".join(opcode.written for opcode in opcodes)


def _raw(written: bytes) -> Opcode:
    return Opcode("", None, written)


def _place(random: Random, opcodes: list[Opcode]) -> int:
    return random.randrange(len(opcodes))


def delete(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    first = _place(random, opcodes)
    return opcodes[:first] + opcodes[first + random.choice((1, 1, 1, 2, 5)) :]


def duplicate(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    first = _place(random, opcodes)
    part = opcodes[first : first + random.choice((1, 1, 3, 10))]
    return opcodes[:first] + part * random.choice((2, 2, 3, 50)) + opcodes[first + len(part) :]


def swap(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    changed = list(opcodes)
    one, other = _place(random, opcodes), _place(random, opcodes)
    changed[one], changed[other] = changed[other], changed[one]
    return changed


def insert_any(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    kind = random.choice(pickletools.opcodes)
    written = kind.code.encode("latin-1")
    if kind.arg is not None:
        written += _argument(random, kind.arg.name)
    return _inserted(random, opcodes, written)


def change_argument(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    places = [place for place, opcode in enumerate(opcodes) if opcode.argument is not None]
    if not places:
        return insert_any(random, opcodes)
    place = random.choice(places)
    opcode = opcodes[place]
    kind = _KINDS[opcode.code].arg
    assert kind is not None  # since it has an argument
    written = opcode.code.encode("latin-1") + _argument(random, kind.name)
    return [*opcodes[:place], replace(opcode, written=written), *opcodes[place + 1 :]]


def change_value(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    """Put another value of any kind where a number, text or constant stands."""
    places = [place for place, opcode in enumerate(opcodes) if opcode.code in _VALUES]
    if not places:
        return insert_any(random, opcodes)
    place = random.choice(places)
    return [*opcodes[:place], _raw(any_value(random)), *opcodes[place + 1 :]]


def change_dtype(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    """Change the text of a dtype, or where there is none, any short text."""
    texts = [n for n, opcode in enumerate(opcodes) if isinstance(opcode.argument, (str, bytes))]
    short = [place for place in texts if 0 < len(opcodes[place].argument) <= 4]
    if not short:
        return change_value(random, opcodes)
    place = random.choice(short)
    return [*opcodes[:place], _raw(_text(random.choice(DTYPES))), *opcodes[place + 1 :]]


def nest(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    """Nest a value deep in lists, tuples or marks."""
    depth = random.choice((10, 200, 2000, 100_000))
    written = random.choice((b"]" * depth + b"a" * (depth - 1), b"\x85" * depth, b"(" * depth, b"}" * depth))
    return _inserted(random, opcodes, written)


def share(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    """Pair a value with itself again and again: few bytes, and a value that no one can walk through."""
    times = random.choice((5, 20, 40, 200))
    start = any_value(random)
    pairs = random.choice(
        (b"2\x86" * times, b"".join(b"r%s](j%sj%se" % ((_u4(n),) * 3) for n in range(900, 900 + times)))
    )
    return _inserted(random, opcodes, start + pairs)


def contain_itself(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    inside = (b"](q\xfah\xfae", b"]q\xfah\xfaa", b"}q\xfaX\x01\x00\x00\x00kh\xfas")
    return _inserted(random, opcodes, random.choice(inside))


def name_global(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    """Name a function or class, and often call it."""
    name = random.choice(DANGEROUS if random.random() < 0.6 else KNOWN)
    arguments = b"(" + b"".join(any_value(random) for _ in range(random.randrange(4))) + b"t"
    calls = (
        b"",
        arguments + b"R",
        arguments + b"\x81",
        arguments + b"}\x92",
        arguments + b"R" + _state(random) + b"b",
    )
    return _inserted(random, opcodes, _global(random, name) + random.choice(calls))


def call(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    """Call a function that does harm with one text, in the place of a value: else the pickle is whole."""
    called = _global(random, random.choice(DANGEROUS)) + _text("true") + b"\x85R"
    places = [place for place, opcode in enumerate(opcodes) if opcode.code in _VALUES]
    if not places:
        return _inserted(random, opcodes, called)
    place = random.choice(places)
    return [*opcodes[:place], _raw(called), *opcodes[place + 1 :]]


def rebuild_array(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    """Build an array or scalar with a shape, dtype or state that does not fit."""
    dtype = b"cnumpy\ndtype\n" + _text(random.choice(DTYPES)) + b"I00\nI01\n\x87R"
    dtype += random.choice((b"", _state(random) + b"b"))
    shape = b"(" + b"".join(_int(integer(random)) for _ in range(random.choice((0, 1, 2, 3, 33)))) + b"t"
    content = _bytes(bytes(random.choice((0, 1, 8, 80))))
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + shape + content + b"\x87R"
    array += b"(" + _int(random.choice((0, 1, 2, -1))) + shape + dtype + b"\x89" + content + b"tb"
    scalar = b"cnumpy.core.multiarray\nscalar\n" + dtype + content + b"\x86R"
    buffer = b"cnumpy._core.numeric\n_frombuffer\n(" + content + dtype + shape + _text("C") + b"tR"
    return _inserted(random, opcodes, random.choice((array, scalar, buffer, dtype)))


def build(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    """Set the state of whatever is on the stack."""
    return _inserted(random, opcodes, _state(random) + b"b")


def splice(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    other = parse(random.choice(_OTHERS))
    first, after = sorted((_place(random, other), _place(random, other)))
    place = _place(random, opcodes)
    return opcodes[:place] + other[first : after + 1] + opcodes[place + random.choice((0, after - first)) :]


def mutated(change: Callable[[Random, list[Opcode]], list[Opcode]]) -> Callable[[Random, bytes], bytes]:
    """Return a change of a pickle's opcodes as one of its bytes."""

    def change_bytes(random: Random, content: bytes) -> bytes:
        opcodes = parse(content)
        return join(change(random, opcodes)) if opcodes else content

    change_bytes.__name__ = change.__name__
    return change_bytes


_VALUES = frozenset("IJKMLFGNSTUVXBC\x88\x89\x8a\x8b\x8c\x8d\x8e])}\x8f")


def any_value(random: Random) -> bytes:
    """Return the opcodes that put one value on the stack."""
    values = (
        lambda: _int(random.choice(INTEGERS)),
        lambda: b"G" + struct.pack(">d", random.choice(FLOATS)),
        lambda: _text(random.choice(TEXTS)),
        lambda: _bytes(random.randbytes(random.choice((0, 3, 300)))),
        lambda: random.choice(
            (b"N", b"\x88", b"\x89", b"]", b")", b"}", b"\x8f", b"(t", b"h\x00", b"2", b"0")
        ),
        lambda: random.choice(_ARRAYS),
    )
    return random.choice(values)()


def _inserted(random: Random, opcodes: list[Opcode], written: bytes) -> list[Opcode]:
    place = _place(random, opcodes)
    # Where a value stands, another one keeps the rest in order; elsewhere all that follows is moved.
    if opcodes[place].code in _VALUES and random.random() < 0.5:
        return [*opcodes[:place], _raw(written), *opcodes[place + 1 :]]
    return [*opcodes[:place], _raw(written), *opcodes[place:]]


def _state(random: Random) -> bytes:
    attribute = random.choice(("__class__", "__dict__", "append", "__setstate__", "shape", "dtype", "x"))
    as_dictionary = b"}" + _text(attribute) + any_value(random) + b"s"
    as_tuple = b"(" + b"".join(any_value(random) for _ in range(random.choice((1, 2, 5, 8, 9)))) + b"t"
    return random.choice((as_dictionary, b"N" + as_dictionary + b"\x86", as_tuple, any_value(random)))


def _global(random: Random, name: str) -> bytes:
    module, attribute = name.split()
    by_stack = _text(module) + _text(attribute) + b"\x93"
    return random.choice((f"c{module}\n{attribute}\n".encode(), by_stack))


def _argument(random: Random, kind: str) -> bytes:
    """Return an odd argument as it is written for an opcode."""
    fixed = {"uint1": 1, "uint2": 2, "int4": 4, "uint4": 4, "uint8": 8, "float8": 8}
    if kind in fixed:
        return (random.choice(INTEGERS) % 256 ** fixed[kind]).to_bytes(fixed[kind], "little")
    if kind.endswith(("1", "4", "8")):
        return _counted(random, int(kind[-1]))
    if kind == "stringnl_noescape_pair":
        return random.choice(DANGEROUS + KNOWN).replace(" ", "\n").encode() + b"\n"
    odd = random.choice(
        (str(random.choice(INTEGERS)), repr(random.choice(FLOATS)), repr(random.choice(TEXTS)))
    )
    return odd.encode("utf-8", "replace") + random.choice((b"\n", b"L\n", b""))


def _counted(random: Random, num_bytes: int) -> bytes:
    """Return bytes after their number, which may lie."""
    content = random.choice(
        (random.choice(TEXTS).encode(), random.randbytes(9), random.choice(DTYPES).encode())
    )
    stated = random.choice((len(content), random.choice(INTEGERS)))
    return (stated % 256**num_bytes).to_bytes(num_bytes, "little") + content


def _u4(number: int) -> bytes:
    return struct.pack("<I", number)


def _int(number: int) -> bytes:
    encoded = pickle.encode_long(number)
    return b"\x8b" + _u4(len(encoded)) + encoded


def _text(text: str) -> bytes:
    encoded = text.encode("utf-8", "surrogatepass")
    return b"X" + _u4(len(encoded)) + encoded


def _bytes(content: bytes) -> bytes:
    return b"B" + _u4(len(content)) + content


def _unframed(value: Any, protocol: int) -> bytes:
    """Return the opcodes of a value, without those that begin and end a pickle."""
    return join(parse(pickle.dumps(value, protocol))[1:-1])


_OTHERS = tuple(
    pickle.dumps(value, protocol)
    for protocol in (0, 2, 5)
    for value in (
        {"a": np.arange(6).reshape(2, 3), "b": [np.float32(1), np.array(["x", None], object)]},
        [np.zeros(2, [("x", "i4"), ("y", "O")]), np.datetime64("2024-05-17"), {1, 2}, bytearray(b"abc")],
    )
)
_ARRAYS = (
    _unframed(np.arange(3), 2),
    _unframed(np.float64(2), 2),
    _unframed(np.array([{}, None], object), 2),
)

MUTATIONS = tuple(
    mutated(change)
    for change in (
        *(delete, duplicate, swap, insert_any, change_argument, change_value, change_dtype, nest, share),
        *(contain_itself, name_global, call, rebuild_array, build, splice),
    )
)
