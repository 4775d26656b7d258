"""Stacks of one directory, whose images follow the first one without directories of their own.

ImageJ writes stacks above 4 GB in this way, and tifffile where it is told to ``truncate``. Only the text of
the first page says how many images there are.
"""

from __future__ import annotations

import math
import re

from imaging_pipeline import strict_json
from imaging_pipeline.readers.tiff.file import TifFile
from imaging_pipeline.readers.tiff.page import Page

# A number of more digits is damage; Python converts only some thousands of them.
_IMAGEJ = re.compile(rb"ImageJ=.*?^images=(\d{1,9})\s*$", re.DOTALL | re.MULTILINE)


def num_images_stated(file: TifFile, first: Page) -> int:
    """Return how many images the text of a file's only page states; 1 where it states none.

    Raises
    ------
    TruncatedError
        The text lies behind the end of the file.
    """
    text = file.read_span(first.description).split(b"\0", 1)[0].strip()
    if match := _IMAGEJ.match(text):
        return max(int(match[1]), 1)
    num_values = math.prod(_shape(text))
    # The shape of all images together, as tifffile writes it.
    num_images, left = divmod(num_values, first.height * first.width)
    return num_images if num_images and not left else 1


def _shape(text: bytes) -> tuple[int, ...]:
    """Return the shape in tifffile's JSON; empty where the text is something else."""
    if not text.startswith(b"{"):
        return ()
    try:
        described = strict_json.loads(text.decode("utf-8"))
    # Any program may begin its text with a brace.
    except ValueError:
        return ()
    shape = described.get("shape") if isinstance(described, dict) else None
    if not isinstance(shape, list) or not all(type(length) is int and length > 0 for length in shape):
        return ()
    return tuple(shape)
