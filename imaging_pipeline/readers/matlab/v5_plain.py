"""The plain bytes of one variable of a MATLAB 5 file, in memory that is returned while they are read.

A variable may be most of the machine's memory. While arrays are made of it, it lies in memory only as far as
it has not been read yet.
"""

from __future__ import annotations

import io
import mmap
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

# Memory of this size goes back to the system as soon as it is released, which smaller pieces do not.
_BLOCK_BYTES = 8 << 20
_READ_BYTES = 128 << 10


class Plain:
    """Bytes to which more are appended, and which are then read once, from the first to the last."""

    def __init__(self) -> None:
        self._blocks: list[mmap.mmap] = []
        self._num_bytes = 0

    def __len__(self) -> int:
        return self._num_bytes

    def append(self, data: bytes) -> None:
        """Append a copy of some bytes."""
        written = 0
        while written < len(data):
            start = self._num_bytes % _BLOCK_BYTES
            if start == 0:
                self._blocks.append(_new_block())
            part = data[written : written + _BLOCK_BYTES - start]
            self._blocks[-1][start : start + len(part)] = part
            self._num_bytes += len(part)
            written += len(part)

    def at(self, offset: int, num_bytes: int) -> bytes:
        """Return some bytes; fewer where they are not there."""
        number, start = divmod(offset, _BLOCK_BYTES)
        num_bytes = min(num_bytes, self._num_bytes - offset)
        if start + num_bytes <= _BLOCK_BYTES:
            return self._blocks[number][start : start + num_bytes] if num_bytes > 0 else b""
        in_first = _BLOCK_BYTES - start
        return self._blocks[number][start:] + self.at(offset + in_first, num_bytes - in_first)

    def unpack(self, layout: struct.Struct, offset: int) -> tuple[int, ...]:
        """Return the numbers at an offset.

        Raises
        ------
        struct.error
            They are not there.
        """
        number, start = divmod(offset, _BLOCK_BYTES)
        if offset + layout.size <= self._num_bytes and start + layout.size <= _BLOCK_BYTES:
            return layout.unpack_from(self._blocks[number], start)
        return layout.unpack(self.at(offset, layout.size))

    def reader(self) -> io.BufferedReader:
        """Return a file of all bytes, of which those that were read are not in memory any more."""
        return io.BufferedReader(_Releasing(self._blocks, self._num_bytes), _READ_BYTES)


def _new_block() -> mmap.mmap:
    if sys.platform == "win32":
        return mmap.mmap(-1, _BLOCK_BYTES)
    # Shared with no other process, pages cost less.
    return mmap.mmap(-1, _BLOCK_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


class _Releasing(io.RawIOBase):
    """A file of blocks that closes each block behind its position."""

    def __init__(self, blocks: list[mmap.mmap], num_bytes: int) -> None:
        super().__init__()
        self._blocks = blocks
        self._num_bytes = num_bytes
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        bases = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._num_bytes}
        self._position = bases[whence] + offset
        return self._position

    def readinto(self, buffer: Buffer) -> int:
        target = memoryview(buffer)
        number, start = divmod(self._position, _BLOCK_BYTES)
        num_bytes = min(len(target), _BLOCK_BYTES - start, self._num_bytes - self._position)
        if num_bytes <= 0:
            return 0
        target[:num_bytes] = self._blocks[number][start : start + num_bytes]
        self._position += num_bytes
        if start + num_bytes == _BLOCK_BYTES:
            self._blocks[number].close()
        return num_bytes
