"""Which jobs a condition means, who can do them, and that nothing is ever chosen without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from imaging_pipeline.errors import InputError
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.lanes import LANES, Need
from imaging_pipeline.living_worker import Lack
from imaging_pipeline.schemas import imaging, mlims, tables
from imaging_pipeline.schemas.jobs.living_workers import living
from imaging_pipeline.schemas.jobs.needs import candidates, job_needs
from imaging_pipeline.schemas.jobs.restrictions import key_condition_of
from imaging_pipeline.workers.run import run_worker
from imaging_pipeline.workers.settings import Settings
from tests.makers.folders import OPEN_FIELD, WHEEL, write_file, write_folder
from tests.makers.lab import Lab, register
from tests.makers.living import add_worker

LANE = {lane.name: lane for lane in LANES}


@pytest.fixture
def sessions(lab: Lab) -> dict[str, str]:
    """Register two sessions, and give their names by their timeseries."""
    register(lab, write_folder(lab.share / "day1", OPEN_FIELD, WHEEL), combined=False)
    found = imaging.Session().to_arrays("timeseries_name", "session_name")
    return dict(zip(*found, strict=True))


def meant(condition: str) -> set[str]:
    where = key_condition_of(tables.default_tables(), imaging.Tif.primary_key, condition)
    query = f"SELECT session_name FROM {imaging.Session.Data.full_table_name} WHERE {where}"
    return {name for (name,) in imaging.Session.connection.query(query).fetchall()}


def test_a_condition_is_on_sessions_animals_and_requests(sessions: dict[str, str]) -> None:
    everything = set(sessions.values())
    assert meant("animal_name='90218'") == everything
    assert meant("animal_name = '90219'") == set()
    assert meant(f"timeseries_name = '{WHEEL.name}'") == {sessions[WHEEL.name]}
    assert meant("timeseries_name LIKE '%wheel%' OR session_order > 7") == {sessions[WHEEL.name]}
    assert meant("basefolder_id = 0 AND username='anna'") == everything
    assert meant("base_folder_note = 'none'") == set()
    # As it was typed: a backslash is none of SQL's escapes here.
    assert meant(r"path = 'N:\moser\day1'") == everything
    assert meant(r"path = 'N:\\moser\\day1'") == set()
    assert meant(r"animal_name = '\' OR path = ' OR session_order >= 0 OR path = '") == set()


def test_a_condition_on_requests_knows_no_sessions(lab: Lab) -> None:
    key = imaging.MakeDatasetSessions.primary_key
    imaging.BaseFolder.add(**lab.request(write_folder(lab.share / "day1", WHEEL), combined=False))
    where = key_condition_of(tables.default_tables(), key, "animal_name='90218' AND path LIKE 'N:%'")
    query = f"SELECT count(*) FROM {imaging.BaseFolder.full_table_name} WHERE {where}"
    assert lab.connection.query(query).fetchone() == (1,)
    with pytest.raises(InputError, match=r"none on the columns of requests.*only ingest knows requests"):
        key_condition_of(tables.default_tables(), key, "timeseries_name='x'")


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("animal_nam='90218'", r"like animal_name\?"),
        ("1 = 1", "none on the columns"),
        ('animal_name="90218"', "single quotes"),
        ("animal_name='90218' -- all", "single quotes"),
        ("animal_name='90218'; DROP TABLE x", "single quotes"),
        ("animal_name='90218' AND colour='red'", "none on the columns"),
        ("animal_name='90218' AND", "none on the columns"),
        ("animal_name='90218", "single quotes"),
    ],
)
def test_what_is_no_condition_is_refused_and_never_means_everything(
    lab: Lab, condition: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        key_condition_of(tables.default_tables(), imaging.Tif.primary_key, condition)


def test_rows_of_no_session_cannot_be_chosen(lab: Lab) -> None:
    with pytest.raises(InputError, match="belong to no session"):
        key_condition_of(tables.default_tables(), mlims.Animal.primary_key, "animal_name='90218'")


@pytest.mark.slow(reason="four processes are started for two workers")
def test_a_restricted_worker_registers_and_imports_only_what_is_meant(lab: Lab) -> None:
    mlims.Animal.insert1({"animal_id": "b0f1", "datasource_id": 0, "animal_name": "90219"})
    for animal, folder, series in (("90218", "day1", OPEN_FIELD), ("90219", "day2", WHEEL)):
        request = lab.request(write_folder(lab.share / folder, series), combined=False)
        imaging.BaseFolder.add(**{**request, "animal": animal})
    lanes = (LANE["ingest"], LANE["imported"])
    told: list[object] = []
    settings = Settings(restriction="animal_name='90219'", processes=2)
    run_worker(lanes, True, 0.1, lab.config, told.append, settings=settings)
    made = imaging.MetaSession * mlims.Animal.proj("animal_name")
    assert list(made.to_arrays("animal_name")) == ["90219"]
    assert len(imaging.Tif()) == 1
    assert len(imaging.MakeDatasetSessions.jobs) == 1
    with pytest.raises(InputError, match="colour"):
        run_worker(lanes, True, 0.1, lab.config, told.append, settings=Settings(restriction="colour='x'"))
    run_worker(lanes, True, 0.1, lab.config, told.append)
    assert len(imaging.Tif()) == 2


def test_what_lies_in_a_share_that_is_not_mounted_is_left_to_others_and_no_error(lab: Lab) -> None:
    imaging.BaseFolder.add(**lab.request(write_folder(lab.share / "day1", WHEEL), combined=False))
    away = lab.share.with_name("away")
    lab.share.rename(away)
    summary = run_worker((LANE["ingest"],), True, 0.1, lab.config, lambda _event: None)
    assert (summary.done, summary.errors) == (0, 0)
    assert "1 not for this machine (The repository moser is not there" in str(summary)
    away.rename(lab.share)
    assert run_worker((LANE["ingest"],), True, 0.1, lab.config, lambda _event: None).done == 1


def test_of_each_living_worker_is_known_why_it_cannot_do_a_job(lab: Lab, sessions: dict[str, str]) -> None:
    worker = imaging.Worker
    not_mounted = Lack(Need.REPOSITORY, "moser", "moser is not mounted", "Mount it.")
    add_worker(worker, "a", "suite2p", worker_scratch_bytes=10**12, worker_memory_bytes=10**12)
    add_worker(worker, "b", "suite2p", worker_scratch_bytes=1000, worker_memory_bytes=10**12)
    add_worker(worker, "c", "ingest")
    add_worker(worker, "d", "suite2p", lacks=(not_mounted,))
    add_worker(worker, "e", "suite2p", worker_restriction="animal_name='other'")
    add_worker(worker, "f", "suite2p", priority=2)
    key = {"metasession_name": imaging.MetaSession().to_arrays("metasession_name")[0], "ops_name": "x"}
    job = Job("suite2p_jobs.Suite2Py", "suite2p", key, "", JobState.PENDING, priority=5)
    found = candidates(
        tables.default_tables(), LANE["suite2p"], job, "moser", living(tables.default_tables())
    )
    assert [each.why_not for each in found] == [
        "",
        "it has 0.0 GB free on its scratch disk, and the run needs 0.5 GB",
        "it works on ingest only",
        "moser is not mounted",
        "it does only jobs where animal_name='other'",
        "it does only jobs of priority 2 or more urgent, and this one has 5",
    ]
    sizes = imaging.PhysicalFile * imaging.Session.Data & key & "file_path LIKE '%%.tif'"
    needs = job_needs(tables.default_tables(), LANE["suite2p"], key)
    assert needs.scratch_bytes == 500_000_000 + sum(sizes.to_arrays("size_bytes"))


@pytest.mark.slow(reason="a worker is started twice")
def test_an_empty_folder_in_the_place_of_a_share_counts_as_not_mounted(lab: Lab, tmp_path: Path) -> None:
    imaging.BaseFolder.add(**lab.request(lab.share / "day1", combined=False))
    summary = run_worker((LANE["ingest"],), True, 0.1, lab.config, lambda _event: None)
    assert "The repository moser is not mounted" in str(summary)
    write_file(lab.share / "notes.txt")
    assert run_worker((LANE["ingest"],), True, 0.1, lab.config, lambda _event: None).errors == 1
