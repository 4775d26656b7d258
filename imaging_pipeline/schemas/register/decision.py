"""What is decided for a request: the same for who only looks and for who does it."""

from __future__ import annotations

from dataclasses import dataclass

from imaging_pipeline.ingest.file_accounting import accounted
from imaging_pipeline.ingest.folder_changes import Changes
from imaging_pipeline.ingest.records import FileReport, Plan
from imaging_pipeline.schemas.register.affected_jobs import StaleJobs
from imaging_pipeline.schemas.register.hardware import HardwareNotes


@dataclass(frozen=True)
class Decision:
    """All that carrying out a request does, decided before any of it is done.

    Attributes
    ----------
    plan
        What the folder holds.
    changes
        What it changes in the database.
    hardware
        What is noted of setup and scope.
    animal_findings
        What a person should know of the animal.
    stale_jobs
        Job rows that are dropped, so that their keys are tried again; of each table that has any.
    """

    plan: Plan
    changes: Changes
    hardware: HardwareNotes
    animal_findings: tuple[str, ...]
    stale_jobs: tuple[StaleJobs, ...]

    @property
    def files(self) -> tuple[FileReport, ...]:
        """Every file of the folder, with what becomes of it."""
        return accounted(self.plan, self.changes)

    @property
    def writes(self) -> bool:
        """Whether anything is written or deleted but the report."""
        return bool(self.changes.are_any or self.hardware.rows or self.stale_jobs)
