"""A registration that is killed at any point leaves the database as it was before, or as it is after."""

from __future__ import annotations

import sys

import pytest

from imaging_pipeline.schemas import imaging
from imaging_pipeline.schemas.locks import lock_rows
from tests.makers.folders import OPEN_FIELD, WHEEL, write_folder, write_timeseries
from tests.makers.killed import killed
from tests.makers.lab import Lab, register, row_counts
from tests.makers.outputs import suite2p_output

KILLS = 10
ASKED = ("base_folder", "~~")


def settled_counts(lab: Lab) -> dict[str, int]:
    """Count the rows that a registration writes, once the server has ended what the killed process began."""
    with lab.connection.transaction:
        lock_rows(imaging.Repository())
        counts = row_counts(lab)
    return {name: rows for name, rows in counts.items() if not any(own in name for own in ASKED)}


@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked, to begin at once")
def test_a_registration_killed_at_any_point_is_done_wholly_or_not_at_all(lab: Lab) -> None:
    folder = write_folder(lab.share / "90218" / "day1", WHEEL)
    register(lab, folder, combined=True)
    suite2p_output(lab, combined=True)
    register(lab, folder, combined=True)
    for table in (imaging.Tif, imaging.ImagingAnalysis, imaging.Cell):
        table.populate()
    whole_s = killed(lab, imaging.BaseFolder.add(**lab.request(folder, combined=True)), 60)
    assert whole_s is not None
    write_timeseries(folder, OPEN_FIELD)
    before = settled_counts(lab)
    request = imaging.BaseFolder.add(**lab.request(folder, combined=True))
    seen = []
    for number in range(KILLS):
        killed(lab, request, 2 * whole_s * number / KILLS)
        seen.append(settled_counts(lab))
    imaging.MakeDatasetSessions.populate({"basefolder_id": request})
    after = settled_counts(lab)
    assert seen[0] == before
    assert all(counts in (before, after) for counts in seen)
    verdicts = imaging.MakeDatasetSessions.Session & {"basefolder_id": request}
    assert sorted(verdicts.to_arrays("session_verdict")) == ["joined", "known"]
    assert (len(imaging.Session()), len(imaging.Cell()), len(imaging.Tif())) == (2, 0, 1)
