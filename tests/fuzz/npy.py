"""``.npy`` files: their headers, and the pickles in them."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from random import Random

from tests.fuzz import pickle_opcodes
from tests.fuzz.oddities import DTYPES, TEXTS, integer

_MAGIC = b"\x93NUMPY"
_PREFIX_BYTES = 10

_HEADERS = (
    "{}",
    "{" * 300,
    "(" * 5000,
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': 1}",
    "{'descr': [('a', '<f4', (%s))], 'fortran_order': False, 'shape': ()}" % ("9" * 40),
    "{'descr': [('" + "a" * 9000 + "', '<f4')], 'fortran_order': False, 'shape': (1,)}",
    "{'descr': [('a', [('b', 'O')])], 'fortran_order': False, 'shape': (2,)}",
    "__import__('os').system('true')",
    "{'descr': '<f4', 'fortran_order': __import__('os').getpid(), 'shape': (3L,)}",
    "-" * 9000 + "1",
    "1" * 9000,
    "[" * 90 + "]" * 90,
    "{**{}}",
    "'\\ud800'",
    "\n\n\n",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (True, 1.5)}",
)


def change_shape(random: Random, content: bytes) -> bytes:
    sizes = [integer(random) for _ in range(random.choice((0, 1, 1, 2, 3, 40)))]
    shape = f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"
    return _replaced(content, rb"'shape': \(.*?\)", f"'shape': {shape}")


def change_type(random: Random, content: bytes) -> bytes:
    return _replaced(content, rb"'descr': '.*?'", f"'descr': {random.choice(DTYPES)!r}")


def change_header(random: Random, content: bytes) -> bytes:
    header = random.choice(_HEADERS) if random.random() < 0.8 else random.choice(TEXTS)
    return _with_header(content, header.encode("utf-8", "replace"))


def change_version(random: Random, content: bytes) -> bytes:
    version = random.choice((b"\x02\x00", b"\x03\x00", b"\x01\x01", b"\x00\x00", b"\xff\xff"))
    return content[:6] + version + content[8:]


def change_length(random: Random, content: bytes) -> bytes:
    return content[:8] + struct.pack("<H", integer(random) % 2**16) + content[10:]


def _header_end(content: bytes) -> int:
    if len(content) < _PREFIX_BYTES or not content.startswith(_MAGIC):
        return 0
    return _PREFIX_BYTES + int(struct.unpack_from("<H", content, 8)[0])


def _replaced(content: bytes, pattern: bytes, text: str) -> bytes:
    end = _header_end(content)
    header = re.sub(pattern, lambda _: text.encode("utf-8", "replace"), content[_PREFIX_BYTES:end], count=1)
    return _with_header(content, header)


def _with_header(content: bytes, header: bytes) -> bytes:
    end = _header_end(content)
    header = header[: 2**16 - 1]
    return content[:8] + struct.pack("<H", len(header)) + header + content[end:] if end else content


def _of_content(change: Callable[[Random, bytes], bytes]) -> Callable[[Random, bytes], bytes]:
    """Return a change of a pickle as one of the file that holds it; of numbers all but the header is one."""

    def change_content(random: Random, content: bytes) -> bytes:
        end = _header_end(content)
        return content[:end] + change(random, content[end:])

    change_content.__name__ = change.__name__
    return change_content


HEADER_MUTATIONS = (change_shape, change_type, change_header, change_version, change_length)
CONTENT_MUTATIONS = tuple(_of_content(change) for change in pickle_opcodes.MUTATIONS)
