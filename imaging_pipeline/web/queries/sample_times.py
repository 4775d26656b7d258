"""When the samples of a session's traces were taken, as the viewer draws them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from imaging_pipeline.analysis.sample_times import Seconds, gapless_starts
from imaging_pipeline.errors import InputError, NothingFoundError, OutputError
from imaging_pipeline.schemas.make.session_clock import sample_times
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.web.queries.cells import Analysis


@dataclass(frozen=True)
class Stretch:
    """Samples that follow one another without a gap.

    Attributes
    ----------
    first, last
        The first and last of them, from 0.
    first_s, last_s
        When they were taken, seconds since the session's first frame.
    """

    first: int
    last: int
    first_s: float
    last_s: float


def times(tables: Tables, analysis: Analysis, plane: int | None = None) -> Seconds:
    """Return when the samples of a plane were taken: float64 (samples,), s since the session's first frame.

    Raises
    ------
    NothingFoundError
        They are not known.
    """
    return sample_times(tables, analysis.key, analysis.plane if plane is None else plane)


def stretches(tables: Tables, analysis: Analysis, planes: Iterable[int]) -> dict[int, list[Stretch]] | None:
    """Return the stretches of samples without a gap, by the plane; None where their times are not known."""
    try:
        return {plane: _stretches(times(tables, analysis, plane)) for plane in sorted(set(planes))}
    # The picture of the cells is worth showing without; who saves their traces is told the error.
    except (NothingFoundError, InputError, OutputError):
        return None


def _stretches(times_s: Seconds) -> list[Stretch]:
    starts = gapless_starts(times_s)
    return [
        Stretch(first, end - 1, float(times_s[first]), float(times_s[end - 1]))
        for first, end in zip(starts, [*starts[1:], len(times_s)], strict=True)
    ]


def gapless(tables: Tables, analysis: Analysis, planes: Iterable[int]) -> list[int]:
    """Return where each stretch of samples without a gap begins, which is the same in all planes."""
    of_planes = stretches(tables, analysis, sorted(set(planes))[:1]) or {}
    return [stretch.first for each in of_planes.values() for stretch in each] or [0]
