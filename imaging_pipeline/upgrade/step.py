"""The step from one schema version to the next."""

from __future__ import annotations

from dataclasses import dataclass

from imaging_pipeline.upgrade.changes import Change
from imaging_pipeline.upgrade.correction import Correction


@dataclass(frozen=True)
class Step:
    """What a schema version changes in the tables of the version before.

    Tables and parts that it adds are not listed: they are declared as they stand in the code.

    Attributes
    ----------
    version
        To which the step leads, from the one before.
    changes
        Of tables that are there, in the order in which they are made.
    corrections
        Values that the version before got wrong.
    """

    version: int
    changes: tuple[Change, ...] = ()
    corrections: tuple[Correction, ...] = ()
