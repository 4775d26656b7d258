"""One TIFF file: its signature, its bytes, and the directory of a page.

Classic TIFF 6.0 and BigTIFF, uncompressed, one sample a pixel, strips that adjoin: what microscopes
write.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np

from imaging_pipeline.errors import DamagedError, FormatError, NothingFoundError, TruncatedError
from imaging_pipeline.readers.read_ahead import read_ahead
from imaging_pipeline.readers.regular_file import require_regular_file
from imaging_pipeline.readers.tiff.page import Page, Span

# Tags, by their numbers in TIFF 6.0.
DESCRIPTION, SOFTWARE, ARTIST = 270, 305, 315
_WIDTH, _HEIGHT, _BITS, _COMPRESSION = 256, 257, 258, 259
_STRIP_OFFSETS, _SAMPLES_PER_PIXEL, _STRIP_BYTES, _SAMPLE_FORMAT = 273, 277, 279, 339
_NAMES = {_WIDTH: "ImageWidth", _HEIGHT: "ImageLength"}
_NAMES |= {_STRIP_OFFSETS: "StripOffsets", _STRIP_BYTES: "StripByteCounts"}

# Bytes of a value by the number of its type in TIFF 6.0; 13 is IFD of its supplement, 16 to 18 are of
# BigTIFF.
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_TYPE_BYTES |= {16: 8, 17: 8, 18: 8}
_INTEGER_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_KINDS = {1: "uint", 2: "int", 3: "float"}
_DTYPES = ("int16", "uint16", "uint8", "int8", "uint32", "int32", "float32")

# A microscope's settings, and mostly the first page too: one read takes them whole.
_START_READ_BYTES = 40 * 1024
# A directory of a microscope has about twenty tags: one read takes it whole, with its short values.
_DIRECTORY_READ_BYTES = 1024
_MOST_TAGS = 1000
# Of one tag: texts of settings have a hundred kB, and lists of strips eight bytes a row.
_MAX_TAG_BYTES = 64 * 2**20
# No disk of a laboratory holds such a file.
_MAX_FILE_BYTES = 2**44

COPY_AGAIN = "copy the file again from the microscope's computer, then register the folder again."
_AS_WRITTEN = "register the tifs as the microscope wrote them, not copies saved by another program."


class _Tag(NamedTuple):
    """One entry of a directory; a tuple, since a file of many pages has very many."""

    type_code: int
    num_values: int
    offset: int
    num_bytes: int

    @property
    def span(self) -> Span:
        return Span(self.offset, self.num_bytes)


class TifFile:
    """An open TIFF file.

    Raises
    ------
    NothingFoundError
        The file is not there.
    TruncatedError
        Its first bytes are not there.
    FormatError
        The file is no TIFF, or no regular file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            require_regular_file(path)
            # Unbuffered: pages are read at scattered offsets, and a buffer would fetch what lies between.
            self._file = path.open("rb", buffering=0)
        except FileNotFoundError as missing:
            raise NothingFoundError(
                "The tif is not there", path=path, remedy="Copy it back into the folder."
            ) from missing
        try:
            self.size_bytes = os.fstat(self._file.fileno()).st_size
            self._start = self._read(0, min(_START_READ_BYTES, self.size_bytes))
            self._directory = (0, b"")
            self._read_signature()
        # No `with` closes it yet.
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _read_signature(self) -> None:
        start = self.read_at(0, 8)
        if not any(start):
            raise self.blank(0)
        byte_order = {b"II": "<", b"MM": ">"}.get(start[:2], "")
        version = struct.unpack_from(f"{byte_order}H", start, 2)[0]
        if not byte_order or version not in (42, 43):
            raise self.foreign("This is not a TIFF file", start[:4], "II or MM, then 42 or 43")
        self.byte_order = byte_order
        self.is_bigtiff = version == 43
        self.pointer = struct.Struct(f"{byte_order}{'Q' if self.is_bigtiff else 'I'}")
        self._tag_count = struct.Struct(f"{byte_order}{'Q' if self.is_bigtiff else 'H'}")
        self._tag = struct.Struct(f"{byte_order}{'HHQQ' if self.is_bigtiff else 'HHII'}")
        first = self.read_at(8, 8) if self.is_bigtiff else start[4:]
        self.first_directory: int = self.pointer.unpack(first)[0]

    def read_at(self, offset: int, num_bytes: int) -> bytes:
        """Read bytes; raise TruncatedError where the file ends before."""
        self.require_bytes(offset + num_bytes)
        for start, content in ((0, self._start), self._directory):
            if start <= offset and offset + num_bytes <= start + len(content):
                return content[offset - start : offset - start + num_bytes]
        return self._read(offset, num_bytes)

    def _read(self, offset: int, num_bytes: int) -> bytes:
        self._file.seek(offset)
        content = self._file.read(num_bytes)
        # An unbuffered read may return fewer bytes than it was asked for.
        while len(content) < num_bytes:
            more = self._file.read(num_bytes - len(content))
            if not more:
                raise self.truncated(offset + num_bytes)
            content += more
        return content

    def read_span(self, span: Span) -> bytes:
        """Read a stretch of bytes; raise TruncatedError where the file ends before."""
        return self.read_at(span.offset, span.num_bytes)

    def require_bytes(self, end: int) -> None:
        """Raise TruncatedError where the file ends before a byte."""
        if end > self.size_bytes:
            raise self.truncated(end)

    def truncated(self, expected_bytes: int) -> FormatError:
        """Return the error for a file that ends too early, or whose pointers lead to where no file ends."""
        if expected_bytes > _MAX_FILE_BYTES:
            return FormatError(
                "The tif is damaged: it refers to a place where no file ends",
                path=self.path,
                found=f"byte {expected_bytes}",
                allowed=f"at most {_MAX_FILE_BYTES}; the file has {self.size_bytes} bytes",
                remedy=COPY_AGAIN,
            )
        return TruncatedError(
            "The tif is truncated",
            path=self.path,
            found=f"{self.size_bytes} bytes",
            allowed=f"at least {expected_bytes} bytes",
            remedy=COPY_AGAIN,
        )

    def blank(self, offset: int) -> TruncatedError:
        """Return the error for zeros in place of content: Windows gives a copy its full size at once."""
        return TruncatedError(
            "The tif is truncated: it has its size, but not all of its content",
            path=self.path,
            found=f"only zeros at byte {offset} of {self.size_bytes}",
            allowed="a page up to the end of the file",
            remedy=COPY_AGAIN,
        )

    def foreign(self, what: str, found: object, allowed: object) -> FormatError:
        """Return the error for a tif that no microscope writes."""
        return FormatError(what, path=self.path, found=found, allowed=allowed, remedy=_AS_WRITTEN)

    def _no_length(self, tag: int, num_bytes: int) -> FormatError:
        """Return the error for a length that is garbage, for which nobody should wait as for a copy."""
        what, allowed = f"Tag {tag} of the tif has a length that cannot be right", f"{_MAX_TAG_BYTES} bytes"
        found = f"{num_bytes} bytes"
        return FormatError(what, path=self.path, found=found, allowed=allowed, remedy=COPY_AGAIN)

    def read_ahead(self, spans: Iterable[Span]) -> None:
        """Announce what will be read next."""
        read_ahead(self._file, ((span.offset, span.num_bytes) for span in spans))

    @cached_property
    def first_page(self) -> Page:
        """The first page, as `page_at` returns it."""
        return self.page_at(self.first_directory)

    def page_at(self, offset: int) -> Page:
        """Read the directory at ``offset``.

        Raises
        ------
        TruncatedError
            The file ends before, or holds zeros there.
        DamagedError
            There is no directory.
        FormatError
            It is of an image that cannot be read by offset.
        """
        directory, next_directory, tags = self._directory_at(offset)
        width, height = self._number(tags, _WIDTH), self._number(tags, _HEIGHT)
        if not width or not height:
            raise self.foreign("A page of the tif has no pixels", f"{height} x {width}", "1 x 1 or more")
        dtype = self._dtype(tags)
        data = self._data(tags, width * height * np.dtype(dtype).itemsize)
        return Page(
            directory=directory,
            next_directory=next_directory,
            width=width,
            height=height,
            dtype=dtype,
            data=data,
            description=tags[DESCRIPTION].span if DESCRIPTION in tags else Span(offset, 0),
            shared_texts={tag: tags[tag].span for tag in (SOFTWARE, ARTIST) if tag in tags},
            end=max(directory.end, data.end, *(tag.span.end for tag in tags.values())),
            values=tuple(tag.span for tag in tags.values() if tag.num_bytes > self.pointer.size),
        )

    def _directory_at(self, offset: int) -> tuple[Span, int, dict[int, _Tag]]:
        # Eight bytes at least, so that an offset behind the end raises the error of a truncated file.
        content = self.read_at(offset, min(_DIRECTORY_READ_BYTES, max(self.size_bytes - offset, 8)))
        (count,) = self._tag_count.unpack_from(content)
        if not any(content):
            raise self.blank(offset)
        if not 0 < count <= _MOST_TAGS:
            raise DamagedError(
                f"There is no page at byte {offset} of the tif, where one should be",
                path=self.path,
                found=f"{count} tags",
                allowed=f"1 to {_MOST_TAGS} tags",
                remedy=COPY_AGAIN,
            )
        num_bytes = self._tag_count.size + count * self._tag.size + self.pointer.size
        if len(content) < num_bytes:
            content = self.read_at(offset, num_bytes)
        # Kept, since the short values that are read next lie in it.
        self._directory = (offset, content)
        entries = self._tag.iter_unpack(content[self._tag_count.size : num_bytes - self.pointer.size])
        tags = {}
        for span, (tag, type_code, num_values, value) in zip(
            self.value_offsets(num_bytes), entries, strict=True
        ):
            if not tag:
                raise self.blank(offset)
            value_bytes = _TYPE_BYTES.get(type_code, 0) * num_values
            if value_bytes > _MAX_TAG_BYTES:
                raise self._no_length(tag, value_bytes)
            # A value that fits into the field for the pointer is written there instead.
            inline = value_bytes <= self.pointer.size
            tags[tag] = _Tag(type_code, num_values, offset + span if inline else value, value_bytes)
        (next_directory,) = self.pointer.unpack_from(content, num_bytes - self.pointer.size)
        return Span(offset, num_bytes), next_directory, tags

    def value_offsets(self, num_bytes: int) -> range:
        """Return the offsets of the tags' values, or pointers to them, in a directory of so many bytes."""
        first = self._tag_count.size + self._tag.size - self.pointer.size
        return range(first, num_bytes - self.pointer.size, self._tag.size)

    def _numbers(self, tags: Mapping[int, _Tag], tag: int) -> tuple[int, ...]:
        entry = tags.get(tag)
        if entry is None or entry.num_values == 0 or entry.type_code not in _INTEGER_CODES:
            raise self.foreign(f"A page of the tif has no {_NAMES.get(tag, tag)}", "none", "whole numbers")
        layout = f"{self.byte_order}{entry.num_values}{_INTEGER_CODES[entry.type_code]}"
        return struct.unpack(layout, self.read_span(entry.span))

    def _number(self, tags: Mapping[int, _Tag], tag: int, default: int | None = None) -> int:
        if default is not None and tag not in tags:
            return default
        return self._numbers(tags, tag)[0]

    def _dtype(self, tags: Mapping[int, _Tag]) -> str:
        # Where a tag is missing, its default in TIFF 6.0 counts.
        if (compression := self._number(tags, _COMPRESSION, 1)) != 1:
            raise self.foreign("The tif is compressed", f"scheme {compression}", "none")
        if (samples := self._number(tags, _SAMPLES_PER_PIXEL, 1)) != 1:
            raise self.foreign("The tif has several samples a pixel", samples, 1)
        kind = _KINDS.get(self._number(tags, _SAMPLE_FORMAT, 1), "unknown")
        dtype = f"{kind}{self._number(tags, _BITS, 1)}"
        if dtype not in _DTYPES:
            raise self.foreign("The tif's pixels are of an unknown type", dtype, ", ".join(_DTYPES))
        return dtype

    def _data(self, tags: Mapping[int, _Tag], expected_bytes: int) -> Span:
        offsets, counts = self._numbers(tags, _STRIP_OFFSETS), self._numbers(tags, _STRIP_BYTES)
        if len(offsets) != len(counts):
            raise self.foreign(
                "A page of the tif has not as many lengths as strips",
                f"{len(offsets)} strips with {len(counts)} lengths",
                "one length for each strip",
            )
        ends = [offset + count for offset, count in zip(offsets, counts, strict=True)]
        if list(offsets[1:]) != ends[:-1] or sum(counts) != expected_bytes:
            raise self.foreign(
                "A page's image does not lie in one piece in the tif",
                f"{len(offsets)} strips with {sum(counts)} bytes",
                f"adjoining strips with {expected_bytes} bytes",
            )
        return Span(offsets[0], expected_bytes)
