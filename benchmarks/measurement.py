"""A promise, and its measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """One row of the table.

    Attributes
    ----------
    name
        What was measured.
    ours
        The pipeline's figure, in ``unit``.
    unit
        ``ms``, ``s`` or ``MB``.
    peer_name, peer
        What it is compared with, and its figure in the same run, in the same unit.
    at_most
        The promised limit of ``ours``, in the same unit.
    at_most_ratio
        The promised limit of ``ours / peer``; 0.1 is "ten times faster".
    backend
        The database, if the measurement needs one.
    """

    name: str
    ours: float
    unit: str
    peer_name: str | None = None
    peer: float | None = None
    at_most: float | None = None
    at_most_ratio: float | None = None
    backend: str | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Measurement:
        """Return the measurement with the values of `dataclasses.asdict`."""
        return cls(**values)

    @property
    def ratio(self) -> float | None:
        """``ours / peer``: the less the better."""
        return self.ours / self.peer if self.peer else None

    @property
    def is_met(self) -> bool | None:
        """Whether the promise holds; None if there is none."""
        promises = [
            figure <= limit
            for figure, limit in ((self.ours, self.at_most), (self.ratio, self.at_most_ratio))
            if figure is not None and limit is not None
        ]
        return all(promises) if promises else None
