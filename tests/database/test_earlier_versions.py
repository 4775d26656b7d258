"""What an earlier version wrote into database, store and share is read as it was meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import datajoint as dj
import numpy as np
import pytest

from imaging_pipeline import database
from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import Responsible
from imaging_pipeline.explaining.states import JOB_STATES, JobState
from imaging_pipeline.ingest.fingerprint import fingerprint
from imaging_pipeline.schemas import imaging, mlims, suite2p_jobs, tables
from imaging_pipeline.schemas.jobs.explaining import explain
from imaging_pipeline.schemas.jobs.listing import list_jobs
from imaging_pipeline.schemas.jobs.selection import Selection
from imaging_pipeline.schemas.register.history import history
from tests.makers.version_3 import DEMO, PRIVATE_SCHEMA, Restored, restored, row_counts

# What was changed on the share after it was registered the last time.
CHANGED_SINCE = ("90218/copying/", "90218/broken/")


@pytest.fixture(scope="module")
def version_3(server_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restored]:
    with restored(server_config, tmp_path_factory.mktemp("version_3")) as found:
        yield found


def files_below(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of change of each file."""
    status = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {str(path): (each.st_size, each.st_mtime_ns) for path, each in status.items()}


def joined(table: Any, column: str) -> np.ndarray:
    """Return the traces of all cells one after the other, in order of their keys."""
    rows = table().to_dicts(order_by=table.primary_key)
    return np.concatenate([row[column] for row in rows])


def jobs_with(*statuses: JobState) -> dict[str, list[Any]]:
    """Return the jobs of some statuses by table."""
    found: dict[str, list[Any]] = {}
    for job in list_jobs(tables.default_tables(), Selection(), statuses, limit=1000).jobs:
        found.setdefault(job.table, []).append(job)
    return found


def kept_jobs() -> Counter[tuple[str, str]]:
    """Count the rows of job tables by table and status, but those that failed, and those of requests."""
    return Counter(
        (cls.__name__, str(status))
        for cls in database.automatic_tables()
        if cls is not imaging.MakeDatasetSessions
        for status in cls().jobs.to_arrays("status")
        if status != "error"
    )


def test_all_rows_of_version_3_are_there(version_3: Restored) -> None:
    noted = version_3.noted["counts"]
    # The upgrade adds types of datasets.
    added = {"imaging.DatasetType": len(imaging.DatasetType.contents)}
    assert {name: version_3.counts[name] for name in noted} == {**noted, **added}
    assert [name for name, number in noted.items() if not number] == []


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("Cell.Traces", "fluo"),
        ("Cell.Traces", "neuropil"),
        ("Cell.Traces", "fcorr"),
        ("Cell.Traces", "df_f"),
        ("Cell.Spikes", "spikes"),
        ("FilteredSpikes.Cell", "filtered_spikes"),
    ],
)
def test_traces_are_read_back_as_they_were_written(version_3: Restored, table: str, column: str) -> None:
    master, _, part = table.partition(".")
    found = joined(getattr(getattr(imaging, master), part), column)
    assert found.dtype == version_3.arrays[column].dtype
    np.testing.assert_array_equal(found, version_3.arrays[column])


@pytest.mark.usefixtures("version_3")
def test_values_that_the_row_itself_can_correct_are_corrected() -> None:
    """The option set of `flyback` has registration 2 and four planes, of which one is not analysed."""
    flyback = imaging.MetaSession & "metasession_folder = '90218/flyback'"
    columns = ("ops_do_registration", "ops_nplanes", "num_planes_analysed")
    (row,) = (imaging.ImagingAnalysis.Suite2py & flyback).proj(*columns).to_dicts()
    assert [row[name] for name in columns] == [2, 4, 3]
    several = imaging.MetaSession.aggr(imaging.Session, n="count(*)") & "n > 1"
    for restricted, is_known in ((imaging.Cell.Rois & several, False), (imaging.Cell.Rois - several, True)):
        values = restricted.proj("skew", "run_skew", "run_std").to_dicts()
        assert {value["skew"] is not None for value in values if value["run_skew"] is not None} == {is_known}
        assert {value["run_std"] is not None for value in values} >= {True}


@pytest.mark.usefixtures("version_3")
def test_images_and_regions_are_read_back() -> None:
    for row in (imaging.Projection.Plane * imaging.Projection).to_dicts():
        assert row["mean_image"].load().ndim == 2
    for row in imaging.Tif().to_dicts():
        assert row["mean_image"].load().shape == (row["height"], row["width"])
    for row in imaging.Cell.Rois().to_dicts():
        assert len(row["xpix"]) == len(row["ypix"]) == len(row["roi_weights"]) == row["npix"]
    rates = (imaging.Tif.SI * imaging.Tif).to_dicts()
    assert {len(row["frame_timestamps_s"].load()) - row["num_frames"] for row in rates} == {0}


def test_registered_files_still_have_their_fingerprint_and_time(version_3: Restored) -> None:
    share = version_3.lab.share
    rows = imaging.PhysicalFile().to_dicts(order_by="dataset_name, file_order")
    columns = ("file_path", "file_part", "size_bytes", "fingerprint")
    assert [{name: row[name] for name in columns} for row in rows] == version_3.noted["files"]
    whole = [row for row in rows if not row["file_part"] and not row["file_path"].startswith(CHANGED_SINCE)]
    assert len(whole) > 200
    for row in whole:
        path = share / row["file_path"]
        modified = datetime.fromtimestamp(path.stat().st_mtime_ns // 1000 / 1e6, UTC).replace(tzinfo=None)
        assert (row["size_bytes"], row["fingerprint"]) == (path.stat().st_size, fingerprint(path)), path
        assert abs((row["modified"] - modified).total_seconds()) < 2e-6, path


def test_every_folder_is_unchanged_and_registering_it_again_writes_only_the_report(
    version_3: Restored,
) -> None:
    before, jobs, files = row_counts(), kept_jobs(), files_below(version_3.lab.share)
    for inputs in version_3.noted["requests"]:
        preview = imaging.BaseFolder.preview(**inputs)
        assert preview.purged == (), inputs
        assert {row["session_verdict"] for row in preview.report.parts["Session"]} == {"known"}, inputs
        assert {row["dataset_verdict"] for row in preview.report.parts["Dataset"]} == {"known"}, inputs
        request = imaging.BaseFolder.add(**inputs)
        imaging.MakeDatasetSessions.populate({"basefolder_id": request})
        assert len(imaging.MakeDatasetSessions & {"basefolder_id": request}) == 1
    changed = {name for name, number in row_counts().items() if number != before[name]}
    own = ("imaging.BaseFolder", "imaging.MakeDatasetSessions")
    # Jobs that failed are tried again, which is no change of what is registered.
    assert [name for name in changed if not name.startswith(own) and not name.endswith(".jobs")] == []
    assert "imaging.MakeDatasetSessions.Purge" not in changed
    assert kept_jobs() == jobs
    assert files_below(version_3.lab.share) == files


def test_a_run_is_adopted_by_its_marker(version_3: Restored) -> None:
    demo = imaging.MetaSession & {"metasession_folder": DEMO, "combined": "yes"}
    (row,) = (suite2p_jobs.Suite2Py & demo).to_dicts()
    key = {name: row[name] for name in suite2p_jobs.Suite2Py.primary_key}
    files = files_below(version_3.lab.share)
    table = suite2p_jobs.Suite2Py()

    (again,) = table.make_compute(key, *table.make_fetch(key))

    assert again["adopted"]
    told = ("output_folder", "run_num_frames", "run_num_rois", "run_settings", "run_seconds", "run_versions")
    assert {name: again[name] for name in told} == {name: row[name] for name in told}
    assert files_below(version_3.lab.share) == files


@pytest.mark.usefixtures("version_3")
def test_jobs_are_listed_in_every_state() -> None:
    page = list_jobs(tables.default_tables(), Selection(), limit=1000)
    assert {job.state for job in page.jobs} == set(JOB_STATES)
    assert page.total == len(page.jobs)
    (ignored,) = jobs_with(JobState.IGNORED)["imaging.Tif"]
    assert ignored.message.kind == "TruncatedError"
    (reserved,) = jobs_with(JobState.RUNNING)["imaging.FilteredSpikes"]
    assert reserved.host == "imaging1"


@pytest.mark.usefixtures("version_3")
def test_messages_of_jobs_still_tell_attempts_deaths_reasons_and_whose_move_it_is() -> None:
    jobs = jobs_with(JobState.LATER, JobState.PENDING)["imaging.MakeDatasetSessions"]
    waiting = [job.message for job in jobs if job.message is not None]
    assert {(told.kind, told.responsible, told.attempt, told.deaths) for told in waiting} == {
        ("StillCopyingError", Responsible.RETRY, 1, 0),
        ("", Responsible.RETRY, 2, 1),
    }
    failed = jobs_with(JobState.ERROR)["imaging.Tif"]
    assert {(job.message.kind, job.message.responsible) for job in failed} == {
        ("TruncatedError", Responsible.EXPERIMENTER)
    }
    assert all(job.message.remedy.startswith("Copy the file again") for job in failed)


def test_it_is_explained_why_sessions_are_not_done(version_3: Restored) -> None:
    handle = tables.default_tables()
    broken, demo = (
        str(explain(handle, version_3.lab.windows_path(version_3.lab.share / folder)))
        for folder in ("90218/broken", DEMO)
    )
    assert "truncated" in broken
    assert "truncated" not in demo
    states = {
        folder: [each.state.words_of_request for each in history(handle, folder)]
        for folder in ("90300/day1", "90301/day1")
    }
    assert states["90300/day1"] == ["waiting"]
    assert states["90301/day1"] != ["waiting"]


@pytest.mark.usefixtures("version_3")
def test_what_people_did_is_still_told() -> None:
    actions = imaging.JobAction().to_arrays("jobaction", "jobaction_reason")
    assert set(zip(*actions, strict=True)) == {
        ("retry", "new"),
        ("ignore", "never copied whole"),
        ("ignore", "misspelt the name"),
        ("prioritise", ""),
    }
    assert imaging.Retirement().fetch1("retirement_reason") == "it was another animal"
    (curated,) = (imaging.Curation & "curation_username = 'anna'").to_dicts(limit=1)
    assert (curated["cells_added"], curated["cells_removed"]) == ([], [1, 4])
    assert set(mlims.Animal.FormerName().to_arrays("former_name")) == {"90299"}
    private = dj.VirtualModule(PRIVATE_SCHEMA, PRIVATE_SCHEMA, connection=imaging.Cell._connection)
    assert len(private.Remark() * imaging.Cell.Rois) == len(private.Remark()) > 0
