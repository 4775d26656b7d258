"""What disks, networks and careless programs do to any file."""

from __future__ import annotations

from random import Random

from tests.fuzz.oddities import sized_integer


def flip_bit(random: Random, content: bytes) -> bytes:
    offset = random.randrange(len(content))
    return content[:offset] + bytes([content[offset] ^ 1 << random.randrange(8)]) + content[offset + 1 :]


def change_bytes(random: Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice((1, 2, 4, 16, 64))):
        changed[random.randrange(len(changed))] = random.choice(
            (0, 1, 0x7F, 0x80, 0xFF, random.randrange(256))
        )
    return bytes(changed)


def change_number(random: Random, content: bytes) -> bytes:
    num_bytes = random.choice((2, 4, 8))
    number = sized_integer(random, num_bytes)
    offset = random.randrange(len(content))
    return (
        content[:offset] + (number[::-1] if random.random() < 0.3 else number) + content[offset + num_bytes :]
    )


def truncate(random: Random, content: bytes) -> bytes:
    return content[: random.randrange(len(content))]


def empty(_random: Random, _content: bytes) -> bytes:
    return b""


def delete_part(random: Random, content: bytes) -> bytes:
    first, after = _part(random, content)
    return content[:first] + content[after:]


def duplicate_part(random: Random, content: bytes) -> bytes:
    first, after = _part(random, content)
    return content[:after] + content[first:]


def copy_part(random: Random, content: bytes) -> bytes:
    first, after = _part(random, content)
    offset = random.randrange(len(content))
    return content[:offset] + content[first:after] + content[offset + after - first :]


def zero_part(random: Random, content: bytes) -> bytes:
    first, after = _part(random, content)
    return content[:first] + bytes(after - first) + content[after:]


def insert_bytes(random: Random, content: bytes) -> bytes:
    offset = random.randrange(len(content) + 1)
    return content[:offset] + random.randbytes(random.choice((1, 4, 100))) + content[offset:]


def append_bytes(random: Random, content: bytes) -> bytes:
    return content + random.randbytes(random.choice((1, 8, 1000)))


def _part(random: Random, content: bytes) -> tuple[int, int]:
    first = random.randrange(len(content))
    return first, min(len(content), first + random.choice((1, 2, 4, 8, 64, 512, 4096)))


MUTATIONS = (
    *(flip_bit, change_bytes, change_number, truncate, empty, delete_part),
    *(duplicate_part, copy_part, zero_part, insert_bytes, append_bytes),
)
