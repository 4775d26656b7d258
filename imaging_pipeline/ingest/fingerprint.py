"""The fingerprint of a file's content, from a few of its blocks, and the hash of all of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from imaging_pipeline.readers.read_ahead import announce, read_ahead

# Each block is a read of its own, and so one wait for a network share: few blocks, however large the file.
_BLOCK_BYTES = 4 * 1024
_NUM_BLOCKS = 4
# The metadata of a recording is at the beginning of its files.
_START_BYTES = 64 * 1024
# A file of this size is one read, and so is compared in full.
_WHOLE_BYTES = 512 * 1024
# At a time, where all of a file is read.
_CHUNK_BYTES = 1024 * 1024


def fingerprint(path: Path) -> str:
    """Return 16 hexadecimal characters of a file's size and of four blocks of 4 KiB.

    The blocks are spread evenly and include the first and the last byte; a file of up to half a
    megabyte is read whole. The number of blocks does not grow with the file, so that a stack of 2 GB
    on a network share takes as long as a small one.

    Raises
    ------
    OSError
        The file is not there or cannot be read.
    """
    digest = hashlib.blake2b(digest_size=8)
    with path.open("rb") as file:
        size_bytes = file.seek(0, 2)
        # Files of unequal length may agree in all blocks, such as a file of zeros that has grown.
        digest.update(size_bytes.to_bytes(8, "little"))
        blocks = _blocks(size_bytes)
        read_ahead(file, blocks)
        for offset, num_bytes in blocks:
            file.seek(offset)
            digest.update(file.read(num_bytes))
    return digest.hexdigest()


def is_sampled(size_bytes: int) -> bool:
    """Return True if the fingerprint of a file of that size is of some of its blocks only."""
    return size_bytes > _WHOLE_BYTES


def content_hash(path: Path) -> str:
    """Return 32 hexadecimal characters of all that a file holds.

    Raises
    ------
    OSError
        The file is not there or cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def expect(path: Path, size_bytes: int) -> None:
    """Ask the system to fetch what will be read of a file: its start, and the blocks of its fingerprint."""
    announce(path, [(0, min(size_bytes, _START_BYTES)), *_blocks(size_bytes)])


def _blocks(size_bytes: int) -> list[tuple[int, int]]:
    """Return offset and length of each block."""
    if size_bytes <= _WHOLE_BYTES:
        return [(0, size_bytes)]
    last = size_bytes - _BLOCK_BYTES
    return [(last * block // (_NUM_BLOCKS - 1), _BLOCK_BYTES) for block in range(_NUM_BLOCKS)]
