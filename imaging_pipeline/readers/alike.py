"""Whether files of one recording were recorded alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from imaging_pipeline.errors import FormatError


def check_alike(layouts: Mapping[Path, str], reference: Path | None = None) -> None:
    """Refuse a file that differs from the others of its session.

    Parameters
    ----------
    layouts
        What all files must have in common, in words, by file.
    reference
        The file that is right where they differ; without one it is what most of them are, and the
        first where that is open.

    Raises
    ------
    FormatError
        It names the file that differs, and one of the others.
    """
    (expected, _), *others = Counter(layouts.values()).most_common()
    if not others:
        return
    if reference is not None:
        expected = layouts[reference]
    example = next(path for path, layout in layouts.items() if layout == expected)
    path, layout = next((path, layout) for path, layout in layouts.items() if layout != expected)
    raise FormatError(
        "A tif differs from the others of its session",
        path=path,
        found=layout,
        allowed=f"{expected}, as in {example.name}",
        remedy="keep recordings of different settings under different timeseries names.",
    )
