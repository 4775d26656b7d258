"""Damage to the structures of HDF5: superblock, headers of objects, B-trees, heaps, and where each lies."""

from __future__ import annotations

import re
from random import Random

from tests.fuzz.oddities import sized_integer

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# What the structures begin with (HDF5 File Format Specification, III).
_STRUCTURES = re.compile(
    rb"\x89HDF|TREE|SNOD|HEAP|GCOL|OHDR|OCHK|FRHP|FHDB|FHIB|BTHD|BTLF|BTIN|FSHD|FSSE|FADB|EAHD"
)
_SUPERBLOCK_BYTES = 96
# How much of a structure is likely to be in use.
_STRUCTURE_BYTES = 200
_UNDEFINED = b"\xff" * 8


def damage_superblock(random: Random, content: bytes) -> bytes:
    start = max(content.find(_SIGNATURE), 0)
    return _number_put(random, content, start + random.randrange(_SUPERBLOCK_BYTES))


def damage_structure(random: Random, content: bytes) -> bytes:
    return _number_put(random, content, _in_structure(random, content))


def flip_in_structure(random: Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice((1, 2, 8))):
        offset = _in_structure(random, content) % max(len(content), 1)
        changed[offset] = random.choice((0, 1, 0x80, 0xFF, random.randrange(256)))
    return bytes(changed)


def damage_message(random: Random, content: bytes) -> bytes:
    """Change a byte near the beginning of an object's header, where its messages are."""
    start = max(content.find(_SIGNATURE), 0)
    headers = [match.start() for match in re.finditer(rb"\x01\x00[\x01-\x20]\x00\x01\x00\x00\x00", content)]
    offset = random.choice(headers or [start]) + random.randrange(300)
    number = sized_integer(random, random.choice((1, 2, 4, 8)))
    return content[:offset] + number + content[offset + len(number) :]


def point_elsewhere(random: Random, content: bytes) -> bytes:
    """Exchange an address for another one of the file, so that structures may lie in a circle."""
    addresses = [
        offset
        for offset in range(0, len(content) - 8, 8)
        if 0 < int.from_bytes(content[offset : offset + 8], "little") < len(content)
    ]
    if not addresses:
        return content
    offset, other = random.choice(addresses), random.choice(addresses)
    address = random.choice((content[other : other + 8], _UNDEFINED, offset.to_bytes(8, "little")))
    return content[:offset] + address + content[offset + 8 :]


def _in_structure(random: Random, content: bytes) -> int:
    starts = [match.start() for match in _STRUCTURES.finditer(content)]
    return random.choice(starts or [0]) + random.randrange(_STRUCTURE_BYTES)


def _number_put(random: Random, content: bytes, offset: int) -> bytes:
    number = sized_integer(random, random.choice((1, 2, 4, 8)))
    return content[:offset] + number + content[offset + len(number) :]


MUTATIONS = (damage_superblock, damage_structure, flip_in_structure, damage_message, point_elsewhere)
