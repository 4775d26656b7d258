"""Names of the files that Suite2p for MATLAB writes.

``F_<mouse>_<date>_plane1.mat`` (``F_plane1.mat`` where mouse and date were not given) holds the result of a
plane, and ``…_proc.mat`` beside it the same after a person curated it. Others hold what is computed on
the way: registration, and components of the movie.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_RESULT = re.compile(r"(?P<run>F(?:_.*)?)_plane(?P<number>[1-9]\d*)(?P<curated>_proc)?\.mat", re.IGNORECASE)
_INTERMEDIATE = re.compile(r"(?:regops|NEU|SVD|SVDroi)(?:_.*)?\.mat", re.IGNORECASE)


@dataclass(frozen=True)
class ResultName:
    """What the name of a result says.

    Attributes
    ----------
    run
        The name without plane and curation: equal for the planes of one run.
    plane
        Number of the plane from 0; Suite2p for MATLAB counts from 1.
    is_curated
        Whether a person curated it.
    """

    run: str
    plane: int
    is_curated: bool


def result_name(name: str) -> ResultName | None:
    """Take the name of a file apart; None where it is no result."""
    match = _RESULT.fullmatch(name)
    if match is None:
        return None
    return ResultName(match["run"], int(match["number"]) - 1, match["curated"] is not None)


def is_intermediate(name: str) -> bool:
    """Return True if a file is one that was computed on the way to a result."""
    return _INTERMEDIATE.fullmatch(name) is not None
