"""All that carrying out a request does, decided before any of it is done; a preview shows the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from imaging_pipeline.ingest.file_accounting import file_accounting
from imaging_pipeline.ingest.folder_changes import FolderChanges, SessionVerdict
from imaging_pipeline.ingest.records import Plan, Request
from imaging_pipeline.ingest.verdicts import FileReport
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import animals
from imaging_pipeline.schemas.register.affected_jobs import StaleJobs
from imaging_pipeline.schemas.register.hardware import HardwareNotes
from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class Decision:
    """All that carrying out a request does.

    Attributes
    ----------
    plan
        What the folder holds.
    changes
        What changes in the database.
    hardware
        The setup and scope that are noted.
    findings
        What a person should know about the animal, and of notes that were kept.
    stale_jobs
        Job rows that are dropped, so that their keys are tried again; one for each table that has any.
    """

    plan: Plan
    changes: FolderChanges
    hardware: HardwareNotes
    findings: tuple[str, ...]
    stale_jobs: tuple[StaleJobs, ...]

    @property
    def files(self) -> tuple[FileReport, ...]:
        """Every file of the folder, with what becomes of it."""
        return file_accounting(self.plan, self.changes)

    @property
    def writes(self) -> bool:
        """Whether anything is written or deleted, apart from the report."""
        return bool(not self.changes.is_empty or self.hardware.rows or self.stale_jobs)


def animal_findings(tables: Tables, request: Request, changes: FolderChanges) -> tuple[str, ...]:
    """Return findings on new sessions outside the animal's lifetime, and on an animal that is gone."""
    new = [each.session for each in changes.sessions if each.verdict is not SessionVerdict.KNOWN]
    if not new:
        return ()
    key = {"animal_id": request.animal_id, "datasource_id": request.datasource_id}
    (life,) = animals.lives(tables, [key])
    return tuple(
        [
            *_not_of_lifetime(life, [(each.timeseries_name, each.start.date()) for each in new]),
            *_gone(life),
        ]
    )


def _not_of_lifetime(life: Row, recorded: list[tuple[str, object]]) -> Iterator[str]:
    for timeseries_name, day in recorded:
        if life["death_date"] and day > life["death_date"]:
            yield f"{_described(life)} died on {life['death_date']}, and {timeseries_name} is of {day}"
        if life["animal_dob"] and day < life["animal_dob"]:
            yield f"{_described(life)} was born on {life['animal_dob']}, and {timeseries_name} is of {day}"


def _gone(life: Row) -> Iterator[str]:
    if life["missed_since"]:
        day = life["missed_since"].date()
        yield f"{_described(life)} is not in the colony system any more since {day}"


def _described(life: Row) -> str:
    return f"animal: {life['animal_name']} ({life['animal_id']})"
