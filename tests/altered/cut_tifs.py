"""Whether of a damaged tif all is taken that is whole."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.altered.pages import Tif, image_of, write_tif
from tests.altered.recordings import Written
from tests.altered.registering import StoredStack


def cut_differences(written: Written, stack: StoredStack) -> Iterator[str]:
    """Yield in words that less is taken of a damaged file than is whole before the damage."""
    for path, is_cut, pages in zip(stack.tifs, stack.cut, stack.pages, strict=True):
        tif = written.tifs.get(path.name)
        if not is_cut or tif is None:
            continue
        # What leads to the next page may be damaged, and a frame is taken with all its channels.
        if _num_whole(tif, path.read_bytes()) - len(pages) > len(written.settings.channels):
            yield "whole frames before the damage are not taken"


def _num_whole(tif: Tif, content: bytes) -> int:
    """Return how many pages of a file end before the first byte that is another one than was written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "whole.tif"
        write_tif(path, tif)
        whole = path.read_bytes()
    same = next(
        (place for place, (one, other) in enumerate(zip(whole, content, strict=False)) if one != other),
        min(len(whole), len(content)),
    )
    images = [image_of(frame.identity, tif.shape).astype("<i2").tobytes() for frame in tif.frames]
    return sum(image in whole[:same] for image in images)
