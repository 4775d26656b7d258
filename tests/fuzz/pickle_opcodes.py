"""Pickles that are changed opcode by opcode."""

from __future__ import annotations

import contextlib
import pickle
import pickletools
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import Any

import numpy as np

from tests.fuzz.oddities import DTYPES, integer
from tests.fuzz.pickle_values import (
    DANGEROUS,
    KNOWN,
    any_argument,
    any_state,
    any_value,
    written_bytes,
    written_global,
    written_int,
    written_size,
    written_text,
)


@dataclass(frozen=True)
class Opcode:
    """One opcode with its argument, as written."""

    code: str
    argument: Any
    written: bytes


# More of them are of use to nobody, and take long to change.
_MAX_OPCODES = 5000

_KINDS = {opcode.code: opcode for opcode in pickletools.opcodes}


def parse(content: bytes) -> list[Opcode]:
    """Return the opcodes, without frames, which only tell lengths; what is left of a long pickle is one."""
    starts: list[tuple[str, Any, int]] = []
    # Where an earlier change has damaged it, what stands before can still be changed.
    with contextlib.suppress(Exception):
        for opcode, argument, offset in islice(pickletools.genops(content), _MAX_OPCODES):
            starts.append((opcode.code, argument, offset or 0))
    ends = [*(offset for _, _, offset in starts[1:]), len(content)]
    opcodes = [
        Opcode(code, argument, content[offset:end])
        for (code, argument, offset), end in zip(starts, ends, strict=False)
    ]
    return [opcode for opcode in opcodes if opcode.code != "\x95"]


def join(opcodes: list[Opcode]) -> bytes:
    return b"".join(opcode.written for opcode in opcodes)


def _raw(written: bytes) -> Opcode:
    return Opcode("", None, written)


def _any_index(random: Random, opcodes: list[Opcode]) -> int:
    return random.randrange(len(opcodes))


def delete(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    first = _any_index(random, opcodes)
    return opcodes[:first] + opcodes[first + random.choice((1, 1, 1, 2, 5)) :]


def duplicate(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    first = _any_index(random, opcodes)
    part = opcodes[first : first + random.choice((1, 1, 3, 10))]
    return opcodes[:first] + part * random.choice((2, 2, 3, 50)) + opcodes[first + len(part) :]


def swap(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    changed = list(opcodes)
    one, other = _any_index(random, opcodes), _any_index(random, opcodes)
    changed[one], changed[other] = changed[other], changed[one]
    return changed


def insert_any(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    kind = random.choice(pickletools.opcodes)
    written = kind.code.encode("latin-1")
    if kind.arg is not None:
        written += any_argument(random, kind.arg.name)
    return _inserted(random, opcodes, written)


def change_argument(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    indices = [index for index, opcode in enumerate(opcodes) if opcode.argument is not None]
    if not indices:
        return insert_any(random, opcodes)
    index = random.choice(indices)
    opcode = opcodes[index]
    kind = _KINDS[opcode.code].arg
    assert kind is not None  # since it has an argument
    written = opcode.code.encode("latin-1") + any_argument(random, kind.name)
    return [*opcodes[:index], replace(opcode, written=written), *opcodes[index + 1 :]]


def change_value(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    """Put another value of any kind where a number, text or constant stands."""
    indices = [index for index, opcode in enumerate(opcodes) if opcode.code in _VALUES]
    if not indices:
        return insert_any(random, opcodes)
    index = random.choice(indices)
    return [*opcodes[:index], _raw(any_value(random)), *opcodes[index + 1 :]]


def change_dtype(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    """Change the text of a dtype, or where there is none, any short text."""
    texts = [n for n, opcode in enumerate(opcodes) if isinstance(opcode.argument, (str, bytes))]
    short = [index for index in texts if 0 < len(opcodes[index].argument) <= 4]
    if not short:
        return change_value(random, opcodes)
    index = random.choice(short)
    return [*opcodes[:index], _raw(written_text(random.choice(DTYPES))), *opcodes[index + 1 :]]


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
        (
            b"2\x86" * times,
            b"".join(b"r%s](j%sj%se" % ((written_size(n),) * 3) for n in range(900, 900 + times)),
        )
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
        arguments + b"R" + any_state(random) + b"b",
    )
    return _inserted(random, opcodes, written_global(random, name) + random.choice(calls))


def call(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    """Call a function that does harm with one text, in the place of a value: else the pickle is whole."""
    called = written_global(random, random.choice(DANGEROUS)) + written_text("true") + b"\x85R"
    indices = [index for index, opcode in enumerate(opcodes) if opcode.code in _VALUES]
    if not indices:
        return _inserted(random, opcodes, called)
    index = random.choice(indices)
    return [*opcodes[:index], _raw(called), *opcodes[index + 1 :]]


def rebuild_array(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    """Build an array or scalar with a shape, dtype or state that does not fit."""
    dtype = b"cnumpy\ndtype\n" + written_text(random.choice(DTYPES)) + b"I00\nI01\n\x87R"
    dtype += random.choice((b"", any_state(random) + b"b"))
    shape = (
        b"(" + b"".join(written_int(integer(random)) for _ in range(random.choice((0, 1, 2, 3, 33)))) + b"t"
    )
    content = written_bytes(bytes(random.choice((0, 1, 8, 80))))
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + shape + content + b"\x87R"
    array += b"(" + written_int(random.choice((0, 1, 2, -1))) + shape + dtype + b"\x89" + content + b"tb"
    scalar = b"cnumpy.core.multiarray\nscalar\n" + dtype + content + b"\x86R"
    buffer = b"cnumpy._core.numeric\n_frombuffer\n(" + content + dtype + shape + written_text("C") + b"tR"
    return _inserted(random, opcodes, random.choice((array, scalar, buffer, dtype)))


def build(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    """Set the state of whatever is on the stack."""
    return _inserted(random, opcodes, any_state(random) + b"b")


def splice(random: Random, opcodes: list[Opcode]) -> list[Opcode]:
    other = parse(random.choice(_OTHERS))
    first, after = sorted((_any_index(random, other), _any_index(random, other)))
    index = _any_index(random, opcodes)
    return opcodes[:index] + other[first : after + 1] + opcodes[index + random.choice((0, after - first)) :]


def mutated(change: Callable[[Random, list[Opcode]], list[Opcode]]) -> Callable[[Random, bytes], bytes]:
    """Return a change of a pickle's opcodes as one of its bytes."""

    def change_bytes(random: Random, content: bytes) -> bytes:
        opcodes = parse(content)
        return join(change(random, opcodes)) if opcodes else content

    change_bytes.__name__ = change.__name__
    return change_bytes


_VALUES = frozenset("IJKMLFGNSTUVXBC\x88\x89\x8a\x8b\x8c\x8d\x8e])}\x8f")


def _inserted(random: Random, opcodes: list[Opcode], written: bytes) -> list[Opcode]:
    index = _any_index(random, opcodes)
    # Where a value stands, another one keeps the rest in order; elsewhere all that follows is moved.
    if opcodes[index].code in _VALUES and random.random() < 0.5:
        return [*opcodes[:index], _raw(written), *opcodes[index + 1 :]]
    return [*opcodes[:index], _raw(written), *opcodes[index:]]


_OTHERS = tuple(
    pickle.dumps(value, protocol)
    for protocol in (0, 2, 5)
    for value in (
        {"a": np.arange(6).reshape(2, 3), "b": [np.float32(1), np.array(["x", None], object)]},
        [np.zeros(2, [("x", "i4"), ("y", "O")]), np.datetime64("2024-05-17"), {1, 2}, bytearray(b"abc")],
    )
)

MUTATIONS = tuple(
    mutated(change)
    for change in (
        *(delete, duplicate, swap, insert_any, change_argument, change_value, change_dtype, nest, share),
        *(contain_itself, name_global, call, rebuild_array, build, splice),
    )
)
