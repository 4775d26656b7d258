"""The operations of a pickle that put a text, number or constant on the stack."""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Callable
from typing import Any

from imaging_pipeline.readers.pickles.machine import Machine, damaged, too_large

Operation = Callable[[Machine], None]

# The largest number that a float holds has 1,024 bits.
_MAX_INTEGER_BYTES = 128
_MAX_INTEGER_DIGITS = 309
_DOUBLE = struct.Struct(">d")
_INTEGER = struct.Struct("<i")


def _constant(value: Any) -> Operation:
    def push(machine: Machine) -> None:
        machine.stack.append(value)

    return push


def _unsigned(num_bytes: int) -> Operation:
    def push(machine: Machine) -> None:
        machine.stack.append(machine.take_number(num_bytes))

    return push


def _signed(machine: Machine) -> None:
    machine.stack.append(_INTEGER.unpack(machine.take(4))[0])


def _long(num_size_bytes: int) -> Operation:
    def push(machine: Machine) -> None:
        num_bytes = machine.take_number(num_size_bytes)
        if num_bytes > _MAX_INTEGER_BYTES:
            raise too_large("a whole number of very many digits", f"{_MAX_INTEGER_BYTES} bytes")
        machine.stack.append(int.from_bytes(machine.take(num_bytes), "little", signed=True))

    return push


def _decimal(machine: Machine) -> None:
    """Push a number that is written as a line of digits; 00 and 01 are False and True."""
    line = machine.take_line()
    machine.stack.append(line == "01" if line in ("00", "01") else _whole_number(line))


def _long_decimal(machine: Machine) -> None:
    machine.stack.append(_whole_number(machine.take_line().removesuffix("L")))


def _whole_number(digits: str) -> int:
    if len(digits) > _MAX_INTEGER_DIGITS:
        raise too_large("a whole number of very many digits", f"{_MAX_INTEGER_DIGITS} digits")
    if not re.fullmatch(r"-?(0|[1-9][0-9]*)", digits):
        raise damaged("a whole number that Python does not write")
    return int(digits)


def _float_line(machine: Machine) -> None:
    line = machine.take_line()
    # Python's float takes 1_000, which no pickle has.
    if "_" in line:
        raise damaged("a number that Python does not write")
    machine.stack.append(float(line))


def _float(machine: Machine) -> None:
    machine.stack.append(_DOUBLE.unpack(machine.take(8))[0])


def _text(num_size_bytes: int) -> Operation:
    def push(machine: Machine) -> None:
        content = machine.take(machine.take_number(num_size_bytes))
        # As Python encodes it: its texts may hold half of a surrogate pair.
        machine.stack.append(content.decode("utf-8", "surrogatepass"))

    return push


def _text_line(machine: Machine) -> None:
    # Not `take_line`: this line is in an encoding of its own.
    end = machine.content.find(b"\n", machine.position)
    if end < 0:
        raise damaged("a line without its end")
    machine.stack.append(machine.take(end - machine.position).decode("raw-unicode-escape"))
    machine.position += 1


def _bytes(num_size_bytes: int) -> Operation:
    def push(machine: Machine) -> None:
        machine.stack.append(machine.take(machine.take_number(num_size_bytes)))

    return push


def _bytearray(machine: Machine) -> None:
    machine.push_container(bytearray(machine.take(machine.take_number(8))))


def _old_text(num_size_bytes: int) -> Operation:
    """Read what Python 2 wrote for bytes and text alike."""

    def push(machine: Machine) -> None:
        # Each byte becomes one character, so that an array can get its bytes back.
        machine.stack.append(machine.take(machine.take_number(num_size_bytes)).decode("latin1"))

    return push


def _old_text_line(machine: Machine) -> None:
    quoted = machine.take_line()
    if not re.fullmatch(r"""'.*'|".*\"""", quoted, re.DOTALL) or len(quoted) < 2:
        raise damaged("a text without its quotes")
    content, _ = codecs.escape_decode(quoted[1:-1].encode("latin1"))
    machine.stack.append(content.decode("latin1"))


VALUES: dict[bytes, Operation] = {
    b"N": _constant(None), b"\x88": _constant(True), b"\x89": _constant(False),
    b"K": _unsigned(1), b"M": _unsigned(2), b"J": _signed, b"\x8a": _long(1), b"\x8b": _long(4),
    b"I": _decimal, b"L": _long_decimal, b"F": _float_line, b"G": _float,
    b"\x8c": _text(1), b"X": _text(4), b"\x8d": _text(8), b"V": _text_line,
    b"C": _bytes(1), b"B": _bytes(4), b"\x8e": _bytes(8), b"\x96": _bytearray,
    b"U": _old_text(1), b"T": _old_text(4), b"S": _old_text_line,
}  # fmt: skip
