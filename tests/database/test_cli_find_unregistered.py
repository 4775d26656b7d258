"""``imaging-pipeline find-unregistered``: recordings on a share that nobody registered."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from imaging_pipeline.cli import main
from imaging_pipeline.schemas import imaging
from tests.makers.config_file import write_config
from tests.makers.folders import OPEN_FIELD, WHEEL, write_folder
from tests.makers.lab import Lab, register


@pytest.fixture
def config(lab: Lab, tmp_path: Path) -> str:
    return str(write_config(lab.config, tmp_path / "dj_local_conf.json"))


def find(config: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--config", config, "find-unregistered", *arguments])


def test_folders_that_nobody_registered_are_listed_as_add_takes_them(lab: Lab, config: str) -> None:
    register(lab, write_folder(lab.share / "90218" / "day1", OPEN_FIELD), combined=False)
    new = write_folder(lab.share / "90218" / "day 2", WHEEL)
    result = find(config, "moser")
    assert result.exit_code == 0
    spelled, looks = result.stdout.splitlines()
    assert shlex.split(spelled) == [lab.windows_path(new)]
    assert looks == "  2Pminiscope_A: 1 timeseries, 1 file, last written 2024-05-18"
    assert result.stderr.endswith("1 folder not registered.\n")
    who = ["--user", "anna", "--animal", "90218", "--type", "2Pminiscope_A", "--split"]
    added = CliRunner().invoke(main, ["--config", config, "add", *shlex.split(spelled), *who])
    assert added.exit_code == 0
    assert (imaging.BaseFolder & {"folder": "90218/day 2"}).fetch1("combined") == "no"


def test_a_registered_folder_that_was_moved_is_not_listed(lab: Lab, config: str) -> None:
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD)
    register(lab, folder, combined=True)
    register(lab, folder.rename(folder.with_name("day2")), combined=True)
    assert find(config, "moser").stdout == ""


def test_a_copy_stays_listed_though_somebody_tried_to_register_it(lab: Lab, config: str) -> None:
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD)
    register(lab, folder, combined=True)
    copy = shutil.copytree(folder, folder.with_name("copy"))
    register(lab, copy, combined=True)
    spelled, looks = find(config, "moser").stdout.splitlines()
    assert shlex.split(spelled) == [lab.windows_path(copy)]
    assert looks.endswith("; requested, see: imaging-pipeline report")


def test_a_request_without_effect_is_mentioned(lab: Lab, config: str) -> None:
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD)
    imaging.BaseFolder.add(**lab.request(folder, combined=True))
    assert "; requested, see: imaging-pipeline report" in find(config, "moser").stdout


def test_only_folders_that_were_written_to_since_a_day_are_listed(lab: Lab, config: str) -> None:
    write_folder(lab.share / "90218" / "day1", OPEN_FIELD)
    assert "day1" in find(config, "moser", "--newer-than", "2024-05-18").stdout
    assert find(config, "moser", "--newer-than", "2024-05-19").stdout == ""


def test_a_repository_that_is_unknown_or_not_mounted_is_an_error(lab: Lab, config: str) -> None:
    assert (
        "There is no repository_name 'mosr'. Found: mosr (like moser?). Allowed: moser."
        in find(config, "mosr").stderr
    )
    lab.share.rename(lab.share.with_name("away"))
    assert "not mounted on this machine" in find(config, "moser").stderr
