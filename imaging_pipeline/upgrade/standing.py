"""How far a database is on its way to this version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imaging_pipeline.errors import OtherVersionError, SchemaError
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.schemas.versions import other_version, stored_version
from imaging_pipeline.upgrade import upgrade_rows
from imaging_pipeline.upgrade.step import Step


@dataclass(frozen=True)
class Standing:
    """How far a database is.

    Attributes
    ----------
    reached
        The version up to which its tables are changed.
    target
        The version to which they are to be changed.
    is_unfinished
        Whether an upgrade goes on, or was interrupted.
    """

    reached: int
    target: int
    is_unfinished: bool

    @property
    def is_at_target(self) -> bool:
        """Whether no table is left to be changed."""
        return self.reached == self.target and not self.is_unfinished


def find_standing(tables: Tables, steps: Sequence[Step]) -> Standing:
    """Return how far a database is on its way to the version of the last step.

    Raises
    ------
    SchemaError
        There is no database here.
    OtherVersionError
        It is newer than this program, or older than the first step.
    """
    stored = stored_version(tables)
    if stored is None:
        raise SchemaError(
            "There are no tables that could be upgraded",
            path=tables.config.path,
            remedy="Run: imaging-pipeline init-db. Where the lab has its tables already, correct"
            " custom.database.prefix or the account.",
        )
    running = upgrade_rows.unfinished(tables) if stored.is_unfinished else None
    reached = stored.number if running is None else running.reached
    target = steps[-1].version
    if reached > target:
        raise other_version(tables, stored.number)
    if reached < steps[0].version - 1:
        raise OtherVersionError(
            "The database's tables are too old to be upgraded by this version of imaging-pipeline",
            path=tables.config.path,
            found=f"schema version {reached}",
            allowed=f"schema version {steps[0].version - 1} or later",
            remedy="Upgrade them first with an older version of imaging-pipeline that knows theirs.",
        )
    return Standing(reached, target, running is not None)
