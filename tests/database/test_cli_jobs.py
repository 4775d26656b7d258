"""``imaging-pipeline jobs``: what there is to make, what runs, what failed and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from imaging_pipeline.cli import main
from imaging_pipeline.errors import FormatError, ParsedMessage, Responsible, StoreError, format_message
from imaging_pipeline.explaining.job import JobStatus
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.jobs.durations import Durations, durations
from imaging_pipeline.schemas.jobs.failures import failures
from imaging_pipeline.schemas.jobs.listing import list_jobs
from imaging_pipeline.schemas.jobs.overview import overview
from imaging_pipeline.schemas.jobs.selection import Selection
from tests.makers.config_file import write_config
from tests.makers.folders import WHEEL, write_folder
from tests.makers.lab import Lab, register
from tests.makers.living import add_worker

Run = Callable[..., Result]
RUNS = tuple(
    replace(
        WHEEL, name=f"90218-run{number}", start=WHEEL.start + timedelta(hours=number), has_companions=False
    )
    for number in range(6)
)


@pytest.fixture
def run(lab: Lab, tmp_path: Path) -> Run:
    """Return a function that runs a command on the lab's database."""
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")
    return lambda *arguments: CliRunner().invoke(main, ["--config", str(config), "jobs", *arguments])


@pytest.fixture
def folder(lab: Lab) -> Path:
    """Return a folder of six sessions whose tifs are jobs in six states."""
    folder = write_folder(lab.share / "90218" / "day1", *RUNS)
    imaging.MakeDatasetSessions.jobs.refresh(delay=-1)
    register(lab, folder, combined=False)
    imaging.Tif.jobs.refresh(delay=-1)
    keys = (imaging.Session.Data * imaging.Session.proj("session_order", "timeseries_name")).to_dicts(
        order_by="timeseries_name"
    )
    full = StoreError("The store main is full", found="0 bytes", remedy="Make room.")
    states: list[dict[str, Any]] = [
        {"priority": 5},
        {"scheduled_time": "2999-01-01", "error_message": told("The share is away.")},
        {"status": "reserved", "host": "vm7", "pid": 55, "version": "vm7-1", "reserved_time": "2024-05-17"},
        {"status": "error", "error_message": f"StoreError: {full}", "completed_time": "2024-05-17"},
        {"status": "error", "error_message": f"FormatError: {bad()}", "completed_time": "2024-05-18"},
        {"status": "success", "duration": 4.5, "completed_time": "2024-05-17"},
    ]
    for key, columns in zip(keys, states, strict=True):
        name = {column: key[column] for column in imaging.Tif.primary_key}
        imaging.Tif.jobs.update1({**name, **columns})
        if columns.get("status") == "success":
            imaging.Tif.populate(name)
    add_worker(imaging.Worker, "vm7-1", "imported", processes={55: "imaging.Tif: reading 3 of 4"})
    return folder


def told(what: str) -> str:
    return format_message(ParsedMessage(Responsible.RETRY, what, "Nothing at first.", attempt=1))


def bad(name: str = "a.tif") -> FormatError:
    return FormatError("The stack is damaged", path=name, found="no header", remedy="Copy it again.")


@pytest.mark.usefixtures("folder")
def test_jobs_are_counted_and_what_runs_and_failed_is_told_with_what_to_do(run: Run) -> None:
    printed = run().stdout
    lines = printed.splitlines()
    assert lines[0].split() == ["to", "be", "made", "pending", "later", "reserved", "error", "oldest"]
    assert re.fullmatch(r"Tif +1 +1 +1 +2 +\d+ d( \d+ h)? *", lines[1])
    assert re.search(r"^Tif +1 +4\.5 s +4\.5 s", printed, re.M)
    words = " ".join(printed.split())
    assert re.search(
        r"Tif, 90218-run2: reserved for \d+ d( \d+ h)? by vm7-1: imaging.Tif: reading 3 of 4", words
    )
    assert "StoreError: The store main is full. Found: 0 bytes." in words
    assert "What to do, the administrator's move: Make room." in words
    assert "What to do, the experimenter's move: Copy it again." in words
    assert re.search(r"It is 90218-run4, \d+ d", words)
    assert max(map(len, lines)) <= 80


@pytest.mark.usefixtures("folder")
def test_jobs_are_listed_one_by_one_by_state_table_session_and_words(run: Run) -> None:
    listed = {status: run("--status", str(status)).stdout for status in JobStatus}
    assert listed[JobStatus.PENDING].startswith("Tif, 90218-run0: pending for ")
    assert "Tif, 90218-run1: for later, in " in listed[JobStatus.LATER]
    assert "The share is away. (tried once)" in listed[JobStatus.LATER]
    assert listed[JobStatus.ERROR].count("Tif, ") == 2
    assert listed[JobStatus.SUCCESS].startswith("MakeDatasetSessions, request 0, 90218/day1: made ")
    assert "Tif, 90218-run5: made " in listed[JobStatus.SUCCESS]
    assert listed[JobStatus.IGNORE] == "No such job is there.\n"
    one = run("--status", "error", "--limit", "1").stdout
    assert "1 more; --limit says how many are listed." in one
    assert run("--error", "damaged", "--status", "error").stdout.startswith("Tif, 90218-run4: error ")
    assert "run3" in run("--session", "90218-run3").stdout
    assert "run3" not in run("--session", "90218-run4", "--table", "tif").stdout


def test_requests_that_no_worker_has_met_are_pending(lab: Lab, run: Run) -> None:
    assert run().stdout == "Nothing is to be made.\n"
    imaging.BaseFolder.add(**lab.request(lab.share / "90218" / "day9", combined=False))
    assert re.search(r"^MakeDatasetSessions +1", run().stdout, re.M)
    assert run("--status", "pending").stdout == (
        "MakeDatasetSessions, request 0, 90218/day9: pending, priority 5\n"
    )


@pytest.mark.usefixtures("folder")
def test_what_is_done_with_jobs_is_told_and_what_runs_is_left(run: Run) -> None:
    first = run("retry", "--session", "90218/day1", "--error", "damaged", "--user", "anna")
    assert first.exit_code == 0, first.output
    assert first.stdout == "To be tried again: 1 job.\n  Tif, 90218-run4: was error, with priority 5\n"
    ignored = run("ignore", "--table", "Tif", "--reason", "the laser was off").stdout
    assert ignored.startswith("Ignored: 4 jobs.\n")
    assert ignored.endswith("Left as they are: 1 reserved, 1 success.\n")
    name = (imaging.Session & {"timeseries_name": "90218-run1"}).fetch1("session_name")
    prioritised = run("prioritise", f"session_name={name}").stdout
    assert "Tif, 90218-run1: was ignore" in prioritised
    assert "What follows from these is made with the usual priority, 5." in prioritised
    for arguments, said in (
        (("retry",), "Nothing is said of which jobs are meant"),
        (("retry", "session"), "name=value"),
        (("retry", "--animal", "90218"), "--animal says whose --session is meant"),
        (("--table", "Tif", "retry"), "Give the options after the command"),
        (("retry", "--table", "Tiff"), "Did you mean Tif?"),
    ):
        refused = run(*arguments)
        assert refused.exit_code > 0
        assert said in refused.stderr


@pytest.mark.usefixtures("folder")
def test_jobs_that_failed_of_the_same_are_told_together(lab: Lab) -> None:
    jobs = imaging.Tif.jobs
    failed = jobs & {"status": "error"}
    for number, key in enumerate(failed.keys(order_by="completed_time")):
        jobs.update1({**key, "error_message": f"FormatError: {bad(f'{number}.tif')}"})
    (failure,) = failures(tables.default_tables())
    assert (failure.table, failure.number, failure.told.remedy) == ("imaging.Tif", 2, "Copy it again.")
    assert failure.newest.about == "90218-run4"


@pytest.mark.usefixtures("folder")
def test_pages_of_jobs_follow_each_other(lab: Lab) -> None:
    handle = tables.default_tables()
    imaging.BaseFolder.add(**lab.request(lab.share / "90218" / "day9", combined=False))
    everything = list_jobs(handle, Selection(), limit=100)
    pages = [list_jobs(handle, Selection(), limit=2, offset=offset) for offset in (0, 2, 4, 6, 8)]
    assert [job.key for page in pages for job in page.jobs] == [job.key for job in everything.jobs]
    assert {page.total for page in pages} == {everything.total} == {8}


def test_what_is_made_is_counted_by_its_rows_whoever_made_them(lab: Lab, folder: Path) -> None:
    imaging.Tif.jobs.delete_quick()

    def counts() -> dict[JobStatus, int]:
        found = overview(tables.default_tables(), Selection(table="Tif"))
        return dict(found[0].counts)

    assert counts() == {JobStatus.PENDING: 5, JobStatus.SUCCESS: 1}
    imaging.Tif.populate()
    assert counts() == {JobStatus.SUCCESS: 6}


def test_the_median_of_an_even_and_an_odd_number_of_durations(lab: Lab, folder: Path) -> None:
    jobs = imaging.Tif.jobs
    for number, key in enumerate(jobs.keys()):
        jobs.update1({**key, "status": "success", "duration": [4.0, 1.0, 100.0, 2.0, 3.0, 5.0][number]})

    assert durations(tables.default_tables()) == {"imaging.Tif": Durations(3.5, 115.0)}
    (jobs & {"duration": 100.0}).delete_quick()
    assert durations(tables.default_tables()) == {"imaging.Tif": Durations(3.0, 15.0)}
