"""One promise and what was measured of it."""

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
        What the pipeline took, in ``unit``.
    unit
        ``ms``, ``s`` or ``MB``.
    peer_name, peer
        What it is held against, and what that took in the same run, in the same unit.
    at_most
        What is promised of ``ours``, in the same unit.
    at_most_ratio
        What is promised of ``ours / peer``; 0.1 is "ten times faster".
    backend
        The database that it was measured with, where there was one.
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
        """Make it of what `dataclasses.asdict` gave."""
        return cls(**values)

    @property
    def ratio(self) -> float | None:
        """``ours / peer``: the less the better."""
        return self.ours / self.peer if self.peer else None

    @property
    def is_met(self) -> bool | None:
        """Whether what is promised holds; None where nothing is promised."""
        promises = [
            found <= limit
            for found, limit in ((self.ours, self.at_most), (self.ratio, self.at_most_ratio))
            if found is not None and limit is not None
        ]
        return all(promises) if promises else None
