"""Jobs are counted as they are listed, whatever was made, met or taken away."""

from __future__ import annotations

import pytest

from imaging_pipeline.explaining.job import JobStatus
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.jobs.listing import list_jobs
from imaging_pipeline.schemas.jobs.overview import overview
from imaging_pipeline.schemas.jobs.selection import Selection
from tests.makers.lab import Lab
from tests.makers.recordings import OBJECT, OPEN_FIELD, import_all, populate, session_key

Numbers = dict[tuple[str, JobStatus], int]


@pytest.fixture(autouse=True)
def imported(lab: Lab) -> None:
    import_all(lab, OPEN_FIELD, OBJECT, combined=True)
    populate("SNR")


def numbers() -> Numbers:
    """Return how many jobs of each table are how far and not done; counted is as listed."""
    handle = tables.default_tables()
    counted = {
        (each.jobs.short_name, status): number
        for each in overview(handle)
        for status, number in each.counts.items()
    }
    listed = {}
    for each in overview(handle):
        for status in JobStatus:
            found = list_jobs(handle, Selection(table=each.jobs.name), [status], limit=100)
            assert len(found.jobs) == found.total
            if found.total:
                listed[each.jobs.short_name, status] = found.total
    assert counted == listed
    return {of: number for of, number in counted.items() if of[1] is not JobStatus.SUCCESS}


def test_what_is_taken_away_is_pending_whether_or_not_a_worker_has_met_it(lab: Lab) -> None:
    assert numbers() == {}
    imaging.SNR.Cell.delete_quick()
    imaging.SNR.delete_quick()
    assert numbers() == {("SNR", JobStatus.PENDING): 2}
    imaging.SNR.jobs.refresh(delay=-1)
    assert numbers() == {("SNR", JobStatus.PENDING): 2}
    first = (imaging.Cell & session_key(OPEN_FIELD)).fetch1("KEY")
    imaging.SNR.jobs.update1({**first, "status": "error", "error_message": "no"})
    assert numbers() == {("SNR", JobStatus.PENDING): 1, ("SNR", JobStatus.ERROR): 1}


def test_an_analysis_outlives_its_stack_without_a_job(lab: Lab) -> None:
    imaging.Tif().delete(prompt=False)
    assert numbers() == {("Tif", JobStatus.PENDING): 2}
    (imaging.ImagingAnalysis & session_key(OPEN_FIELD)).delete(prompt=False)
    assert numbers() == {("Tif", JobStatus.PENDING): 2}
    imaging.Tif.populate(session_key(OPEN_FIELD))
    assert numbers() == {("Tif", JobStatus.PENDING): 1, ("ImagingAnalysis", JobStatus.PENDING): 1}
