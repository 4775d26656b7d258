"""What programs write into a tif of how its pages follow one another, and of what its pixels stand for.

ImageJ, OME-TIFF and tifffile state the order of the pages in the text of the first one. What is said of the
recording elsewhere must not contradict that, since channels or planes would be mixed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import mul
from typing import NamedTuple, Protocol

from imaging_pipeline import strict_json
from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.tiff.file import TifFile

_IMAGEJ = b"ImageJ="
_OME_PIXELS = re.compile(rb"<(?:\w+:)?Pixels\s[^>]*>")
_SETTING = re.compile(r"^(\w+)=[ \t]*(.*?)\s*$", re.MULTILINE)
# More digits are damage, and Python converts only some thousands of them.
_LENGTH = re.compile(r"[0-9]{1,9}")
_ZERO = re.compile(r"-?0+(\.0*)?")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
# Letters of OME and tifffile; ImageJ's words, the slowest first, as it orders its stacks.
_CHANNELS, _SLICES, _TIMES = "C", "Z", "T"
_IMAGEJ_AXES = {"frames": _TIMES, "slices": _SLICES, "channels": _CHANNELS}


class Axis(NamedTuple):
    """One axis of a stack: its letter, empty where it has none, and how many steps it has."""

    letter: str
    length: int


class Order(Protocol):
    """How the pages of a recording follow each other, as in `recorded.Header`."""

    @property
    def num_channels(self) -> int: ...  # noqa: D102
    @property
    def frames_per_volume(self) -> int: ...  # noqa: D102
    @property
    def pages_per_volume(self) -> int: ...  # noqa: D102


def check_stated_order(file: TifFile, order: Order, num_pages: int | None) -> None:
    """Refuse a tif whose text contradicts the order in which its pages are read.

    Parameters
    ----------
    file
        An open file.
    order
        The order in which its pages are read.
    num_pages
        How many it has; None where it is damaged.

    Raises
    ------
    FormatError
        It says what both state, or that the pixels are not those of the recording.
    """
    text = file.read_span(file.first_page.description).split(b"\0", 1)[0].strip()
    if text.startswith(_IMAGEJ):
        settings = dict(_SETTING.findall(text.decode("utf-8", "replace")))
        _check_calibration(file, settings)
        axes = list(_axes_of_imagej(settings))
    elif text.startswith(b"{"):
        axes = list(_axes_of_tifffile(file, text))
    else:
        axes = list(_axes_of_ome(text, num_pages))
    several = [axis for axis in axes if axis.length > 1]
    if not _fits(several, order):
        raise FormatError(
            "The tif's own text and what is said of the recording differ about the order of its pages",
            path=file.path,
            found=" × ".join(f"{axis.length}{axis.letter and f' ({axis.letter})'}" for axis in several)
            + ", the slowest first",
            allowed=f"channels ({order.num_channels}) fastest, then frames of a volume"
            f" ({order.frames_per_volume}), then time",
            remedy="correct what is said of the recording, or save the tif anew in this order.",
        )


def _fits(axes: Sequence[Axis], order: Order) -> bool:
    # A single row of pages says nothing: programs call time what they like.
    if len(axes) < 2:
        return True
    lengths = dict(axes)
    if lengths.get(_CHANNELS, order.num_channels) != order.num_channels:
        return False
    if {_SLICES, _TIMES} <= lengths.keys() and lengths[_SLICES] != order.frames_per_volume:
        return False
    # What changes faster than a volume does must be whole axes.
    inner = set(accumulate((axis.length for axis in reversed(axes)), mul, initial=1))
    return {order.num_channels, order.pages_per_volume} <= inner


def _axes_of_imagej(settings: dict[str, str]) -> Iterator[Axis]:
    for name, letter in _IMAGEJ_AXES.items():
        if _LENGTH.fullmatch(length := settings.get(name, "")):
            yield Axis(letter, int(length))


def _axes_of_tifffile(file: TifFile, text: bytes) -> Iterator[Axis]:
    try:
        described = strict_json.loads(text.decode("utf-8"))
    # Any program may begin its text with a brace.
    except ValueError:
        return
    if not isinstance(described, dict) or not isinstance(shape := described.get("shape"), list):
        return
    letters = described.get("axes")
    letters = letters if isinstance(letters, str) and len(letters) == len(shape) else [""] * len(shape)
    frame = [file.first_page.height, file.first_page.width]
    num_last = next((len(last) for last in (frame, [*frame, 1]) if shape[-len(last) :] == last), None)
    if num_last is not None:
        for letter, length in zip(letters[:-num_last], shape[:-num_last], strict=True):
            if type(length) is int:
                yield Axis(letter, length)


def _axes_of_ome(text: bytes, num_pages: int | None) -> Iterator[Axis]:
    if not (pixels := _OME_PIXELS.search(text)):
        return
    stated = dict(_ATTRIBUTE.findall(pixels[0].decode("utf-8", "replace")))
    letters = reversed(stated.get("DimensionOrder", "").removeprefix("XY"))
    sizes = [(letter, stated.get(f"Size{letter}", "")) for letter in letters]
    axes = [Axis(letter, int(size)) for letter, size in sizes if _LENGTH.fullmatch(size)]
    # Each of several files has the text of all of them together.
    if num_pages is None or list(accumulate((axis.length for axis in axes), mul))[-1:] == [num_pages]:
        yield from axes


def _check_calibration(file: TifFile, settings: dict[str, str]) -> None:
    """Refuse pixels that ImageJ shifted: it keeps signed ones 32768 higher, and notes what to take off."""
    function, offset = settings.get("cf"), settings.get("c0", "0")
    if function is not None and (function != "0" or not _ZERO.fullmatch(offset)):
        raise FormatError(
            "ImageJ stored other numbers in the tif than the brightness of its pixels",
            path=file.path,
            found=f"cf={function}, c0={offset}, c1={settings.get('c1', '1')}",
            allowed="pixels without calibration: an offset would be taken for light, and dF/F be too small",
            remedy="register the tifs as the microscope wrote them; or save them with their real values, as"
            " int16, by another program than ImageJ.",
        )
