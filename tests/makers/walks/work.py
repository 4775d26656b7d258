"""The work of people that a database holds: curated cells, and rows of their own that refer to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.locks import lock_rows
from tests.makers.lab import Lab
from tests.makers.notes import Note


@dataclass(frozen=True)
class Work:
    """Keys of the rows of cells and of notes."""

    cells: frozenset[tuple[Any, ...]]
    notes: frozenset[tuple[Any, ...]]

    @classmethod
    def now(cls, lab: Lab) -> Work:
        """Return what there is, once the server has ended what a killed process began."""
        with lab.connection.transaction:
            lock_rows(imaging.Repository())
        return cls(_keys(imaging.Cell.Rois), _keys(Note))

    def check_lost(self, lab: Lab, consent: Mapping[str, int] | None, what: str) -> Work:
        """Check that no more is lost than a person was shown and agreed to, and return what is left.

        Without a consent nobody was shown anything, and nothing may be lost.
        """
        left, agreed = Work.now(lab), consent or {}
        for table, before, after in (
            (imaging.Cell.Rois, self.cells, left.cells),
            (Note, self.notes, left.notes),
        ):
            lost, shown = len(before - after), agreed.get(table.full_table_name, 0)
            assert lost <= shown, f"{what}: {lost} rows of {table.__name__} are lost, {shown} were shown"
        assert len(Note() * imaging.Cell.Rois()) == len(Note()), what
        return left


def check_traces(what: str) -> None:
    """Check that arrays of all cells can be read."""
    for cell in imaging.Cell().keys():  # noqa: SIM118
        for fluo in (imaging.Cell.Traces & cell).to_arrays("fluo")[:1]:
            assert len(fluo), what


def imported_cells(dataset_name: str) -> list[frozenset[int]]:
    """Return the cells of each session that an output is imported for."""
    analyses = (imaging.Cell & {"dataset_name": dataset_name}).keys()
    return [frozenset((imaging.Cell.Rois & key).to_arrays("cell_id").tolist()) for key in analyses]


def check_jobs(what: str) -> None:
    """Check that no job failed for a reason that is a bug."""
    handle = tables.default_tables()
    for module in (handle.imaging, handle.suite2p_jobs):
        for name in ("MakeDatasetSessions", "Tif", "ImagingAnalysis", "Cell", "Suite2Py"):
            table = getattr(module, name, None)
            for job in [] if table is None else (table.jobs & "status = 'error'").to_dicts():
                assert "bug" not in job["error_message"], f"{what}: {name}: {job['error_message']}"


def _keys(table: Any) -> frozenset[tuple[Any, ...]]:
    names = table.primary_key
    return frozenset(tuple(row[name] for name in names) for row in table().proj().to_dicts())
