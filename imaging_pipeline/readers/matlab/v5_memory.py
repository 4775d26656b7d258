"""Memory for a MATLAB 5 file: how much its values may take, and the blocks in which a variable lies.

Few bytes of a file can stand for many in memory: compressed zeros, empty cells, declared sizes. What a file
may take is therefore in relation to its own size. A variable may be most of the machine's memory: while
arrays are made of it, it lies in memory only as far as it has not been read yet.
"""

from __future__ import annotations

import io
import mmap
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from imaging_pipeline.errors import FormatError, TruncatedError
from imaging_pipeline.printable import printable

if TYPE_CHECKING:
    from typing_extensions import Buffer


# Traces compress to about a half, whole results to a tenth at most; masks and zeros compress far better, but
# are the small part of a file. Any machine that the pipeline runs on has the memory that is always allowed.
MAX_RATIO = 50
ALWAYS_ALLOWED_BYTES = 256 << 20
# Results of Suite2p have about 40 values a region, and 5,000 regions at most.
MAX_VALUES = 1_000_000
# An array of a few numbers: its object, that of its view in MATLAB's order, and the owner of its memory.
BYTES_PER_VALUE = 300
# scipy reads nested values by recursion in C. Results of Suite2p are nested six deep.
MAX_DEPTH = 64
# scipy compares each name with all others.
MAX_FIELDS = 1024
# MATLAB allows 63 characters.
MAX_NAME_BYTES = 1024
MAX_VARIABLES = 10_000


@dataclass(frozen=True)
class Origin:
    """The file and variable that errors name.

    Attributes
    ----------
    path
        The file.
    variable
        Which variable, in words of our own: names in the file are not to be repeated unseen.
    """

    path: Path
    variable: str

    def damaged(self, what: str, found: object, allowed: object) -> FormatError:
        """Return the error for content that contradicts itself or the format."""
        return FormatError(
            f"{self.variable} is damaged: {what}",
            path=self.path,
            found=found,
            allowed=allowed,
            remedy="Copy the file again, or save it in MATLAB again, as version 7 or 7.3.",
        )

    def cut(self, what: str, found: object, allowed: object) -> TruncatedError:
        """Return the error for content that is not there."""
        return TruncatedError(
            f"The MATLAB file is damaged, or not all of it is there: {what}",
            path=self.path,
            found=found,
            allowed=allowed,
            remedy="Let MATLAB finish, or copy the file again.",
        )

    def too_much(self, what: str, found: object, allowed: object) -> FormatError:
        """Return the error for content that is more than is read of such a file."""
        return FormatError(
            f"{self.variable} holds too much: {what}",
            path=self.path,
            found=found,
            allowed=allowed,
            remedy="Save in MATLAB only what Suite2p made, as version 7.3.",
        )


class Budget:
    """What the values of a file may still take.

    Parameters
    ----------
    file_bytes
        The size of the file.
    """

    def __init__(self, file_bytes: int) -> None:
        self._allowed_bytes = max(ALWAYS_ALLOWED_BYTES, MAX_RATIO * file_bytes)
        self._num_bytes = 0
        self._num_values = 0

    def take_bytes(self, num_bytes: int, origin: Origin) -> None:
        """Count memory that is going to be taken.

        Raises
        ------
        FormatError
            It is more than such a file may take.
        """
        self._num_bytes += num_bytes
        if self._num_bytes > self._allowed_bytes:
            raise origin.too_much(
                "the memory that it takes", f"{self._num_bytes} bytes", f"{self._allowed_bytes} bytes"
            )

    def take_values(self, num_values: int, origin: Origin) -> None:
        """Count arrays, cells and fields that are going to be made.

        Raises
        ------
        FormatError
            They are more than a file may have, or take more memory than such a file may.
        """
        self._num_values += num_values
        if self._num_values > MAX_VALUES:
            raise origin.too_much("the number of its values", self._num_values, f"{MAX_VALUES} in a file")
        self.take_bytes(num_values * BYTES_PER_VALUE, origin)


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


def inflated(file: BinaryIO, num_bytes: int, piece_bytes: int, origin: Origin) -> Iterator[bytes]:
    """Inflate some bytes of a file, in pieces of at most so many bytes however much they were compressed."""
    stream = zlib.decompressobj()
    try:
        while num_bytes and not stream.eof:
            data = file.read(min(num_bytes, _READ_BYTES))
            if not data:
                return
            num_bytes -= len(data)
            while data and not stream.eof:
                yield stream.decompress(data, piece_bytes)
                data = stream.unconsumed_tail
        # All input is consumed: zlib holds no more than the rest of one repetition.
        yield stream.flush()
    except zlib.error as error:
        raise origin.cut("compressed content", printable(error), "a whole zlib stream") from error
    if num_bytes or stream.unused_data:
        left = num_bytes + len(stream.unused_data)
        raise origin.damaged("bytes follow compressed content", f"{left} bytes", "none")


def plain_of(data: bytes) -> Plain:
    """Return some bytes in memory of their own."""
    plain = Plain()
    plain.append(data)
    return plain
