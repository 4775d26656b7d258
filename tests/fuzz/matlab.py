"""MATLAB files of the versions 5 to 7: their elements, changed after they are inflated and deflated again."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from random import Random

from tests.fuzz.oddities import TEXTS, integer

_HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
_ARRAY_FLAGS_BYTES = 8
_LARGEST_BYTES = 2**22


@dataclass
class Element:
    """A tag with its content: bytes, or other elements.

    ``stated_bytes`` is what the tag says where that is not how long the content is.
    """

    kind: int
    content: bytes = b""
    parts: list[Element] = field(default_factory=list)
    is_small: bool = False
    stated_bytes: int | None = None


def parse(content: bytes) -> list[Element]:
    """Return the elements, as far as they can be parsed."""
    return list(_elements(content))


def _elements(content: bytes) -> Iterator[Element]:
    offset = 0
    while offset + 8 <= len(content):
        kind, size = struct.unpack_from("<II", content, offset)
        if kind >> 16:
            yield Element(kind & 0xFFFF, content[offset + 4 : offset + 4 + (kind >> 16)], is_small=True)
            offset += 8
            continue
        held = content[offset + 8 : offset + 8 + size]
        yield _parsed(kind, held)
        offset += 8 + size + (0 if kind == _COMPRESSED else -size % 8)


def _parsed(kind: int, held: bytes) -> Element:
    if kind == _MATRIX:
        return Element(kind, parts=parse(held))
    if kind == _COMPRESSED:
        inflated = _inflated(held)
        if inflated:
            return Element(kind, parts=parse(inflated))
    return Element(kind, held)


def _inflated(held: bytes) -> bytes:
    """Return what a stream holds; nothing where it is damaged, or too large to be changed quickly."""
    stream = zlib.decompressobj()
    try:
        inflated = stream.decompress(held, _LARGEST_BYTES)
    except zlib.error:
        return b""
    return b"" if stream.unconsumed_tail else inflated


def written(element: Element) -> bytes:
    content = b"".join(map(written, element.parts)) if element.parts else element.content
    if element.kind == _COMPRESSED and element.parts:
        content = zlib.compress(content)
    stated = len(content) if element.stated_bytes is None else element.stated_bytes
    if element.is_small and len(content) <= 4:
        return struct.pack("<I", (stated % 2**16) << 16 | element.kind % 2**16) + content.ljust(4, b"\0")
    padding = 0 if element.kind == _COMPRESSED else -len(content) % 8
    return struct.pack("<II", element.kind % 2**32, stated % 2**32) + content + bytes(padding)


def _all(elements: list[Element]) -> list[Element]:
    """Return elements and all that they hold."""
    return [each for element in elements for each in (element, *_all(element.parts))]


def _matrices(elements: list[Element]) -> list[Element]:
    return [element for element in _all(elements) if element.kind == _MATRIX and len(element.parts) > 2]


def change_type(random: Random, elements: list[Element]) -> None:
    element = random.choice(_all(elements))
    element.kind = random.choice((*range(20), 255, 0x10001, 2**31, 2**32 - 1))


def change_size(random: Random, elements: list[Element]) -> None:
    element = random.choice(_all(elements))
    true_bytes = len(written(element)) - 8
    element.stated_bytes = random.choice(
        (0, 1, true_bytes - 1, true_bytes + 8, true_bytes * 2, integer(random))
    )
    element.is_small = element.is_small or random.random() < 0.1


def remove(random: Random, elements: list[Element]) -> None:
    held = _list(random, elements)
    del held[random.randrange(len(held))]


def duplicate(random: Random, elements: list[Element]) -> None:
    held = _list(random, elements)
    index = random.randrange(len(held))
    held[index:index] = [held[index]] * random.choice((1, 2, 30))


def swap(random: Random, elements: list[Element]) -> None:
    one, other = _list(random, elements), _list(random, elements)
    here, there = random.randrange(len(one)), random.randrange(len(other))
    # By their content, since what holds an element cannot be put into it.
    first, second = one[here], other[there]
    if first.parts or second.parts:
        one[here], other[there] = Element(second.kind, second.content), Element(first.kind, first.content)
    else:
        one[here], other[there] = second, first


def change_flags(random: Random, elements: list[Element]) -> None:
    """Change the class of an array, or whether it is complex, global or logical."""
    flags = _part(random, elements, 0)
    if flags is None or len(flags.content) < _ARRAY_FLAGS_BYTES:
        return
    kind = random.choice((*range(20), 255))
    bits = random.choice((0, 0, 0x02, 0x04, 0x08, 0x0E, 0xFF))
    flags.content = bytes([kind, bits]) + random.choice((flags.content[2:], random.randbytes(6)))


def change_dimensions(random: Random, elements: list[Element]) -> None:
    dimensions = _part(random, elements, 1)
    if dimensions is None:
        return
    sizes = [integer(random) % 2**32 for _ in range(random.choice((0, 1, 2, 2, 3, 40)))]
    if random.random() < 0.3:
        sizes = [random.choice((0, 1, 2, 3, 1000)) for _ in range(2)]
    dimensions.content = struct.pack(f"<{len(sizes)}I", *sizes)
    dimensions.is_small = False


def change_name(random: Random, elements: list[Element]) -> None:
    """Change a name, the length of the names of a struct's fields, or these names."""
    element = _part(random, elements, random.choice((2, 3, 4)))
    if element is None or element.parts:
        return
    texts = [text.encode() for text in TEXTS] + [
        struct.pack("<i", integer(random) % 2**31),
        b"\xff\xfe",
        b"dat",
    ]
    element.content = random.choice(texts)
    element.is_small = False


def change_content(random: Random, elements: list[Element]) -> None:
    plain = [element for element in _all(elements) if element.content and not element.parts]
    if not plain:
        return
    element = random.choice(plain)
    cut = element.content[: random.randrange(len(element.content))]
    number = (integer(random) % 2**64).to_bytes(8, "little")
    element.content = random.choice(
        (b"", cut, number, element.content * 2, random.randbytes(len(element.content)))
    )


def nest(random: Random, elements: list[Element]) -> None:
    """Put a variable into cells in cells."""
    index = random.randrange(len(elements))
    inner = (
        elements[index].parts[0]
        if elements[index].kind == _COMPRESSED and elements[index].parts
        else elements[index]
    )
    for _ in range(random.choice((2, 50, 900, 3000))):
        inner = Element(_MATRIX, _cell_start() + written(inner))
    elements[index] = Element(_COMPRESSED, parts=[inner]) if random.random() < 0.7 else inner


def bomb(random: Random, elements: list[Element]) -> None:
    """Put a variable of a few kilobytes that is large once it is inflated."""
    index = random.randrange(len(elements))
    elements[index] = Element(_COMPRESSED, _bomb(random.choice((2**20, 2**24, 2**27))))


def leave_plain(random: Random, elements: list[Element]) -> None:
    """Write a variable without compressing it."""
    index = random.randrange(len(elements))
    if elements[index].kind == _COMPRESSED and elements[index].parts:
        elements[index : index + 1] = elements[index].parts


def damage_stream(random: Random, elements: list[Element]) -> None:
    """Change what is compressed: its bytes, its end, or a second stream behind it."""
    index = random.randrange(len(elements))
    content = zlib.compress(b"".join(map(written, elements[index].parts)))
    changed = bytearray(content)
    changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    options = (
        bytes(changed),
        content[: random.randrange(len(content))],
        content + content,
        content[2:],
        b"",
        content + b"x",
    )
    elements[index] = Element(_COMPRESSED, random.choice(options))


def compress_again(random: Random, elements: list[Element]) -> None:
    index = random.randrange(len(elements))
    elements[index] = Element(_COMPRESSED, parts=[elements[index]])


@cache
def _cell_start() -> bytes:
    """Return flags, dimensions and name of a cell array of one."""
    flags = written(Element(6, bytes([1, 0, 0, 0, 0, 0, 0, 0])))
    return flags + written(Element(5, struct.pack("<2i", 1, 1))) + written(Element(1, b""))


@cache
def _bomb(num_bytes: int) -> bytes:
    flags = written(Element(6, bytes([9, 0, 0, 0, 0, 0, 0, 0])))
    start = flags + written(Element(5, struct.pack("<2i", 1, num_bytes))) + written(Element(1, b"numbers"))
    head = struct.pack("<II", _MATRIX, len(start) + 8 + num_bytes) + start + struct.pack("<II", 2, num_bytes)
    return zlib.compress(head + bytes(num_bytes), 9)


def _list(random: Random, elements: list[Element]) -> list[Element]:
    """Choose among the lists of elements."""
    return random.choice([elements, *(element.parts for element in _all(elements) if element.parts)])


def _part(random: Random, elements: list[Element], number: int) -> Element | None:
    matrices = [matrix for matrix in _matrices(elements) if len(matrix.parts) > number]
    return random.choice(matrices).parts[number] if matrices else None


def change_header(random: Random, content: bytes) -> bytes:
    """Change the version, the order of bytes, or where the file says that its subsystem lies."""
    offset = random.choice((0, 19, 116, 118, 124, 126))
    return (
        content[:offset]
        + random.choice((b"IM", b"MI", b"\x00\x02", b"\x02\x00", random.randbytes(8)))
        + content[offset + 2 :]
    )


def mutated(change: Callable[[Random, list[Element]], None]) -> Callable[[Random, bytes], bytes]:
    """Return a change of a file's elements as one of its bytes."""

    def change_bytes(random: Random, content: bytes) -> bytes:
        try:
            elements = parse(content[_HEADER_BYTES:])
            if not elements:
                return content
            change(random, elements)
            return content[:_HEADER_BYTES] + b"".join(map(written, elements))
        except RecursionError:  # nested deeper by an earlier change than can be changed again
            return content

    change_bytes.__name__ = change.__name__
    return change_bytes


MUTATIONS = (
    change_header,
    *(
        mutated(change)
        for change in (
            *(
                change_type,
                change_size,
                remove,
                duplicate,
                swap,
                change_flags,
                change_dimensions,
                change_name,
            ),
            *(change_content, nest, leave_plain, damage_stream, compress_again, bomb),
        )
    ),
)
