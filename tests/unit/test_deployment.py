"""What the documents say to service managers and queues is what these, and the command, understand."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from batch_populate.command import main
from imaging_pipeline.workers.settings import Timing

PAGE = (Path(__file__).parents[2] / "docs" / "workers.md").read_text(encoding="utf-8")
NAMESPACE = {"task": "http://schemas.microsoft.com/windows/2004/02/mit/task"}


def block(language: str) -> str:
    """Return the only block of a language in the part on deployment."""
    part = PAGE[PAGE.index("## Deployment") :]
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", part, re.M | re.S)
    return str(found)


def options(command: list[str]) -> dict[str, object]:
    """Return what the command makes of its arguments; it refuses what it does not know."""
    start = command.index("batch_populate")
    assert command[start - 1] == "-m"
    return main.make_context("batch_populate", command[start + 1 :]).params


@pytest.fixture
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(block("ini"))
    return parser


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_understands_every_line_of_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "imaging-pipeline-worker@.service"
    unit.write_text(re.sub(r"(?<=^ExecStart=)\S+", sys.executable, block("ini"), flags=re.M))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_unit_starts_a_worker_that_goes_on(unit: configparser.ConfigParser) -> None:
    command = [part for part in shlex.split(unit["Service"]["ExecStart"]) if part != "$OPTIONS"]
    assert options(command)["once"] is False
    assert Path(unit["Service"]["WorkingDirectory"]).is_absolute()


def test_the_unit_leaves_a_worker_the_time_to_give_its_job_back(unit: configparser.ConfigParser) -> None:
    timing = Timing()
    assert unit["Service"]["KillMode"] == "mixed"
    assert float(unit["Service"]["TimeoutStopSec"]) > timing.finish_s + timing.give_back_s
    assert unit["Service"]["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"


def test_the_options_that_the_unit_is_given_are_the_commands_own() -> None:
    for line in re.findall(r"'OPTIONS=(.*)'", block("console")):
        options(["-m", "batch_populate", *shlex.split(line), "--loop"])


def test_the_unit_breaks_no_share_and_no_torch(unit: configparser.ConfigParser) -> None:
    service = unit["Service"]
    assert service["ProtectSystem"] == "full"
    for key in ("PrivateTmp", "PrivateDevices", "PrivateNetwork", "MemoryDenyWriteExecute", "ReadOnlyPaths"):
        assert key not in service


def test_the_scheduled_task_runs_from_the_start_without_end_and_comes_back() -> None:
    task = ElementTree.fromstring(block("xml"))
    settings = {
        path: task.findtext(path, namespaces=NAMESPACE, default="")
        for path in (
            "task:Triggers/task:BootTrigger/task:Repetition/task:Interval",
            "task:Settings/task:ExecutionTimeLimit",
            "task:Settings/task:MultipleInstancesPolicy",
            "task:Settings/task:StopIfGoingOnBatteries",
        )
    }
    assert list(settings.values()) == ["PT5M", "PT0S", "IgnoreNew", "false"]


def test_the_scheduled_task_starts_a_worker_that_goes_on() -> None:
    task = ElementTree.fromstring(block("xml"))
    (arguments,) = task.findall(".//task:Arguments", NAMESPACE)
    assert options(shlex.split(arguments.text or ""))["once"] is False


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "suite2p.sbatch"
    path.write_text(block("bash"))
    return path


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_the_script_for_the_queue_is_one_for_bash(script: Path) -> None:
    checked = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_script_for_the_queue_starts_a_worker_that_ends_within_the_allocation(script: Path) -> None:
    lines = script.read_text().splitlines()
    (command,) = (line for line in lines if line.startswith("exec "))
    given = options(shlex.split(command.replace('"$SLURM_CPUS_PER_TASK"', "8")))
    hours = re.search(r"^#SBATCH --time=(\d+):00:00$", script.read_text(), re.M)
    assert hours
    assert given["once"] is True
    assert given["lane"] == ("suite2p",)
    assert given["threads"] == 8
    assert given["max_hours"] < int(hours[1])
