"""``imaging-pipeline add``: seen before it is done, and no more than was seen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from imaging_pipeline.cli import main
from imaging_pipeline.errors import InputError
from imaging_pipeline.ingest import copying
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.register import requests
from tests.makers.config_file import write_config
from tests.makers.folders import (
    OPEN_FIELD,
    WHEEL,
    aged,
    write_file,
    write_folder,
    write_tif,
    write_timeseries,
)
from tests.makers.lab import Lab, register, row_counts
from tests.makers.living import add_worker
from tests.makers.outputs import suite2p_output
from tests.makers.scanimage import truncate

Run = Callable[..., Result]
CLI = "import sys; from imaging_pipeline.cli import main; main(sys.argv[1:])"


@pytest.fixture
def config(lab: Lab, tmp_path: Path) -> Path:
    return write_config(lab.config, tmp_path / "dj_local_conf.json")


@pytest.fixture
def run(config: Path) -> Run:
    """Return a function that runs a command on the lab's database."""
    return lambda *arguments: CliRunner().invoke(main, ["--config", str(config), *map(str, arguments)])


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Return both ends of a terminal: who types, and what a program reads from."""
    ends = os.openpty()
    yield ends
    for end in ends:
        os.close(end)


def arguments(lab: Lab, folder: Path, *more: str) -> list[str]:
    who = ["--user", "anna", "--animal", "90218", "--type", "2Pminiscope_A"]
    return ["add", lab.windows_path(folder), *who, "--combined", *more]


def new_folder(lab: Lab) -> Path:
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD)
    write_file(folder / "notes.txt")
    return folder


def outdated_folder(lab: Lab) -> Path:
    """Return a registered folder whose Suite2p output a session has made out of date that joined it."""
    folder = write_folder(lab.share / "90218" / "day1", WHEEL)
    register(lab, folder, combined=True)
    suite2p_output(lab, combined=True)
    register(lab, folder, combined=True)
    write_timeseries(folder, OPEN_FIELD)
    return folder


def carry_out() -> None:
    imaging.MakeDatasetSessions.populate()


def test_a_new_folder_is_shown_and_requested_without_a_question(lab: Lab, run: Run) -> None:
    folder = new_folder(lab)
    result = run(*arguments(lab, folder, "--note", "first day"))
    assert result.exit_code == 0
    assert f"new      2024-05-17 14:03:09  {OPEN_FIELD.name}" in result.stdout
    assert "Nothing is deleted." in result.stdout
    assert "Request 0 is made.\nNo worker looks at folders now." in result.stdout
    assert imaging.BaseFolder().fetch1("base_folder_note", "combined", "consent") == ("first day", "yes", {})
    carry_out()
    assert len(imaging.Session()) == 1


def test_a_damaged_tif_is_cut_where_the_command_says_so(lab: Lab, run: Run, monkeypatch) -> None:
    # No program can set the time at which a file arrived.
    monkeypatch.setattr(copying, "PATIENCE_S", 0.0)
    folder = new_folder(lab)
    aged(truncate(folder / OPEN_FIELD.tif_names[1], 50))
    refused = run(*arguments(lab, folder))
    assert "damaged_tifs = 'cut'" in " ".join(refused.output.split())
    result = run(*arguments(lab, folder, "--damaged-tifs", "cut"))
    assert result.exit_code == 0
    assert "Damaged tifs: cut" in result.stdout
    assert f"{OPEN_FIELD.tif_names[1]} is damaged: its first 3 pages" in " ".join(result.stdout.split())
    assert imaging.BaseFolder.fetch1("damaged_tifs") == "cut"


def test_the_worker_that_will_look_at_the_folder_is_named(lab: Lab, run: Run) -> None:
    add_worker(imaging.Worker, "vm7", "ingest,imported")
    add_worker(imaging.Worker, "vm8", "suite2p")
    add_worker(imaging.Worker, "vm9", "ingest", silent_for_s=60)
    assert "A worker on vm7 carries it out." in run(*arguments(lab, new_folder(lab))).stdout


def test_a_dry_run_lists_every_file_and_writes_nothing(lab: Lab, run: Run) -> None:
    folder = new_folder(lab)
    before = row_counts(lab)
    result = run(*arguments(lab, folder, "--dry-run"))
    assert result.exit_code == 0
    assert all(name in result.stdout for name in (*OPEN_FIELD.tif_names, "notes.txt"))
    assert row_counts(lab) == before


def test_nothing_is_requested_where_rows_would_go_and_nobody_can_be_asked(lab: Lab, run: Run) -> None:
    folder = outdated_folder(lab)
    before = row_counts(lab)
    result = run(*arguments(lab, folder))
    assert result.exit_code == 1
    assert "1 test_imaging.Dataset" in result.stdout
    assert "Say --yes to agree." in result.stderr
    assert row_counts(lab) == before


def test_yes_agrees_to_whatever_is_out_of_date(lab: Lab, run: Run) -> None:
    folder = outdated_folder(lab)
    assert run(*arguments(lab, folder, "--yes")).exit_code == 0
    carry_out()
    assert len(imaging.Session()) == 2
    assert len(imaging.Dataset & {"datasettype": "suite2p_python"}) == 0


@pytest.mark.parametrize("server_config", ["postgresql"], indirect=True)
@pytest.mark.slow(reason="the command is a process, and is run for each answer")
def test_a_person_at_a_terminal_is_asked(lab: Lab, config: Path, terminal: tuple[int, int]) -> None:
    folder = outdated_folder(lab)
    typed, read = terminal
    told = []
    for answer in (b"n\n", b"y\n"):
        os.write(typed, answer)
        command = [sys.executable, "-c", CLI, "--config", str(config), *arguments(lab, folder)]
        ran = subprocess.run(command, stdin=read, capture_output=True, text=True, check=False)
        told.append((ran.returncode, len(imaging.BaseFolder())))
        assert "Delete these rows, and register the folder?" in ran.stdout + ran.stderr
    assert told == [(1, 2), (0, 3)]
    carry_out()
    assert len(imaging.Session()) == 2


def test_a_request_stops_where_more_would_be_deleted_than_was_shown(lab: Lab) -> None:
    folder = outdated_folder(lab)
    preview = imaging.BaseFolder.preview(**lab.request(folder, combined=True))
    shown = {each.table: each.num_rows for each in preview.purged}
    (request,) = requests.insert(tables.default_tables(), [lab.request(folder, combined=True)], consent=shown)
    imaging.Tif.populate()
    imaging.ImagingAnalysis.populate()
    before = row_counts(lab)
    with pytest.raises(InputError, match=r"1 rows of test_imaging.ImagingAnalysis.*0 of test_imaging.Imag"):
        imaging.MakeDatasetSessions.populate({"basefolder_id": request})
    assert row_counts(lab) == before
    register(lab, folder, combined=True)
    assert len(imaging.Session()) == 2


def test_a_folder_that_is_not_mounted_here_may_be_requested_but_nothing_is_deleted_unseen(
    lab: Lab, run: Run
) -> None:
    folder = outdated_folder(lab)
    lab.share.rename(lab.share.with_name("away"))
    assert "not mounted on this machine" in run(*arguments(lab, folder, "--dry-run")).stderr
    assert len(imaging.BaseFolder()) == 2
    result = run(*arguments(lab, folder))
    assert result.exit_code == 0
    assert "a preview needs a machine where it is" in result.stdout
    lab.share.with_name("away").rename(lab.share)
    with pytest.raises(InputError, match="More would be deleted than was shown"):
        carry_out()
    assert len(imaging.Session()) == 1


def test_a_folder_that_is_still_being_copied_is_requested_and_waits(lab: Lab, run: Run) -> None:
    folder = new_folder(lab)
    (folder / OPEN_FIELD.tif_names[0]).touch()
    result = run(*arguments(lab, folder))
    assert result.exit_code == 0
    assert "still being copied" in result.stdout
    assert len(imaging.BaseFolder()) == 1


def test_a_folder_with_an_error_is_not_requested(lab: Lab, run: Run) -> None:
    folder = new_folder(lab)
    write_tif(folder / f"{OPEN_FIELD.name}_00004_00001.tif")
    result = run(*arguments(lab, folder))
    assert result.exit_code == 1
    assert "acquisition" in result.stderr
    assert len(imaging.BaseFolder()) == 0


def test_a_folder_of_which_every_session_would_be_refused_is_not_requested(lab: Lab, run: Run) -> None:
    folder = new_folder(lab)
    register(lab, folder, combined=True)
    copy = shutil.copytree(folder, folder.with_name("copy"))
    result = run(*arguments(lab, copy))
    assert result.exit_code == 1
    assert "it is registered in 90218/day1 of moser, and still there" in " ".join(result.stdout.split())
    assert "Nothing of this folder would be registered: nothing was requested." in result.stderr
    assert len(imaging.BaseFolder()) == 1


def test_whether_sessions_are_combined_must_be_said(lab: Lab, run: Run) -> None:
    folder = new_folder(lab)
    result = run(*(each for each in arguments(lab, folder) if each != "--combined"))
    assert result.exit_code == 2
    assert "Say --combined or --split." in result.stderr
