"""Values, names and arguments as pickles write them."""

from __future__ import annotations

import pickle
import struct
from random import Random

import numpy as np

from tests.fuzz.oddities import DTYPES, FLOATS, INTEGERS, TEXTS

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


def any_value(random: Random) -> bytes:
    """Return the opcodes that put one value on the stack."""
    values = (
        lambda: written_int(random.choice(INTEGERS)),
        lambda: b"G" + struct.pack(">d", random.choice(FLOATS)),
        lambda: written_text(random.choice(TEXTS)),
        lambda: written_bytes(random.randbytes(random.choice((0, 3, 300)))),
        lambda: random.choice(
            (b"N", b"\x88", b"\x89", b"]", b")", b"}", b"\x8f", b"(t", b"h\x00", b"2", b"0")
        ),
        lambda: random.choice(_ARRAYS),
    )
    return random.choice(values)()


def any_state(random: Random) -> bytes:
    attribute = random.choice(("__class__", "__dict__", "append", "__setstate__", "shape", "dtype", "x"))
    as_dictionary = b"}" + written_text(attribute) + any_value(random) + b"s"
    as_tuple = b"(" + b"".join(any_value(random) for _ in range(random.choice((1, 2, 5, 8, 9)))) + b"t"
    return random.choice((as_dictionary, b"N" + as_dictionary + b"\x86", as_tuple, any_value(random)))


def written_global(random: Random, name: str) -> bytes:
    module, attribute = name.split()
    by_stack = written_text(module) + written_text(attribute) + b"\x93"
    return random.choice((f"c{module}\n{attribute}\n".encode(), by_stack))


def any_argument(random: Random, kind: str) -> bytes:
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


def written_size(number: int) -> bytes:
    return struct.pack("<I", number)


def written_int(number: int) -> bytes:
    encoded = pickle.encode_long(number)
    return b"\x8b" + written_size(len(encoded)) + encoded


def written_text(text: str) -> bytes:
    encoded = text.encode("utf-8", "surrogatepass")
    return b"X" + written_size(len(encoded)) + encoded


def written_bytes(content: bytes) -> bytes:
    return b"B" + written_size(len(content)) + content


# As the second protocol writes them, without its beginning and end.
_ARRAYS = tuple(
    pickle.dumps(value, 2)[2:-1]
    for value in (np.arange(3), np.float64(2), np.array([{}, None], dtype=object))
)
