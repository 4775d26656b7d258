"""One page of a TIFF file, by the offsets of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Span:
    """A stretch of bytes in a file."""

    offset: int
    num_bytes: int

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + self.num_bytes

    def moved(self, distance: int) -> Span:
        """Return the same stretch ``distance`` bytes further on."""
        return Span(self.offset + distance, self.num_bytes)


@dataclass(frozen=True)
class Page:
    """One image file directory and what it points to.

    Attributes
    ----------
    directory
        The directory itself; its last bytes are the pointer to the next one.
    next_directory
        Offset of the next directory in bytes, 0 at the last page.
    data
        The image, row by row.
    description
        The page's own text, empty where there is none.
    shared_texts
        Software and artist, which microscopes write once for all pages.
    end
        The first byte behind everything that the page needs.
    values
        All that its tags point to apart from the image; pages may share some of it.
    """

    directory: Span
    next_directory: int
    width: int
    height: int
    dtype: str
    data: Span
    description: Span
    shared_texts: Mapping[int, Span]
    end: int
    values: tuple[Span, ...] = field(default=(), compare=False)

    def moved(self, distance: int) -> Page:
        """Return the page as it is when all of it but the shared texts lies ``distance`` bytes further on.

        What its tags point to is left out.
        """
        return replace(
            self,
            directory=self.directory.moved(distance),
            next_directory=self.next_directory + distance,
            data=self.data.moved(distance),
            description=self.description.moved(distance),
            end=self.end + distance,
            values=(),
        )
