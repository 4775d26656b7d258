"""What a person and a worker are told where a registration refuses or leaves out something."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from imaging_pipeline.cli import main
from imaging_pipeline.progress import Progress, listening
from imaging_pipeline.schemas import imaging, mlims
from tests.makers.config_file import write_config
from tests.makers.folders import (
    COPIED,
    OPEN_FIELD,
    START,
    WHEEL,
    Timeseries,
    aged,
    write_file,
    write_folder,
    write_tif,
)
from tests.makers.lab import Lab, register
from tests.makers.plain_tifs import write_plain_tifs

Run = Callable[..., Result]


@pytest.fixture
def run(lab: Lab, tmp_path: Path) -> Run:
    """Return a function that runs a command on the lab's database."""
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")
    return lambda *arguments: CliRunner().invoke(main, ["--config", str(config), *map(str, arguments)])


def outcome(inputs: dict[str, Any]) -> str:
    """Carry out a request, and give what a worker tells of it when it is done."""
    told: list[Progress] = []
    request = imaging.BaseFolder.add(**inputs)
    with listening(told.append):
        imaging.MakeDatasetSessions.populate({"basefolder_id": request})
    return told[-1].outcome


def test_files_of_another_animal_are_not_told_as_used(lab: Lab, run: Run) -> None:
    mlims.Animal.insert1({"animal_id": "b7", "datasource_id": 1, "animal_name": "90853"})
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD, WHEEL)
    write_file(folder / "notes.txt")
    register(lab, folder, combined=False)
    name = (imaging.Session & {"timeseries_name": WHEEL.name}).fetch1("session_name")
    inputs = {**lab.request(folder, combined=False), "animal": "90853"}
    preview = str(imaging.BaseFolder.preview(**inputs))
    line = outcome(inputs)
    report = run("report", WHEEL.name).stdout
    num_files = len(list(folder.iterdir()))
    for text in (preview, report):
        assert f"iles: 0 used, {num_files - 1} ignored, 1 unknown" in text
        assert f"imaging-pipeline retire {name}," in " ".join(text.split())
    assert f"  refused  2024-05-17 14:43:09  {WHEEL.name}: other animal\n" in preview
    assert f"ignored  of '{WHEEL.name}', which is not registered: other animal\n" in preview
    assert f"ignored 11 files: of '{OPEN_FIELD.name}', which is not registered: other animal" in " ".join(
        report.split()
    )
    assert f"session refused  2024-05-17 14:43:09  {WHEEL.name} (" in report
    assert line == (
        f"90218/day1: refused: {OPEN_FIELD.name} (other animal), {WHEEL.name} (other animal); 1 file unknown"
    )


def test_the_advice_about_a_recording_of_another_type_works(lab: Lab, run: Run) -> None:
    register(lab, write_folder(lab.share / "day1", Timeseries("90218-openfield")), combined=False)
    folder = write_plain_tifs(lab.share / "tifs", start=START.isoformat())
    inputs = {**lab.request(folder, combined=False), "experiment_type": "plain tifs"}
    assert outcome(inputs) == "tifs: refused: 90218-openfield (conflict)"
    told = " ".join(run("report", lab.windows_path(folder)).stdout.split())
    advice = told.partition("instead: imaging-pipeline ")[2].partition(", then register the folder again")[0]
    assert run(*advice.split(), "--user", "anna", "--reason", "it was copied", "--yes").exit_code == 0
    assert outcome(inputs) == "tifs: 1 session new"
    assert imaging.MetaSession().fetch1("experiment_type") == "plain tifs"


def test_a_worker_tells_what_each_registration_came_to(lab: Lab) -> None:
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD)
    inputs = lab.request(folder, combined=True)
    assert outcome(inputs) == "90218/day1: 1 session new"
    imaging.Tif.populate()
    write_folder(folder, WHEEL)
    aged(write_tif(folder / OPEN_FIELD.tif_names[0], OPEN_FIELD.start, seed=99), COPIED + timedelta(days=1))
    told = outcome(inputs)
    assert told.startswith("90218/day1: 1 session joined; 1 session known; ")
    assert told.endswith(" rows deleted")
