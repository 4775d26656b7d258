"""The command line, as far as it goes without a database."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from imaging_pipeline.cli import COMMANDS, main

HEAVY = ("datajoint", "numpy", "pandas", "rich", "scipy", "tifffile")


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from imaging_pipeline.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        f"print('HEAVY', *(name for name in {HEAVY!r} if name in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    text, _, heavy = ran.stdout.partition("HEAVY")
    assert heavy.split() == []
    assert all(f"  {name} " in text for name in COMMANDS)


def test_help_comes_at_once() -> None:
    def seconds(*arguments: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        return time.perf_counter() - start

    program = "from imaging_pipeline.cli import main; main(['--help'])"
    # The fastest of a few, less what Python itself needs: other work on the machine does not count.
    python = min(seconds("-c", "pass") for _ in range(3))
    assert min(seconds("-c", program) for _ in range(3)) - python < 0.3


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_help_names_is_there(name: str) -> None:
    command = COMMANDS[name].load()
    assert isinstance(command, click.Command)
    assert command.name == name


def test_an_unknown_command_is_an_error_with_similar_names() -> None:
    result = CliRunner().invoke(main, ["animal"])
    assert result.exit_code == 2
    assert "There is no command 'animal'. Did you mean animals?" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", "not-there.json", "users", "list"],
        ["repository", "add", "moser"],
        ["setup", "add", "rig", "--date", "tomorrow", "--experiment-type", "2Pminiscope_A"],
        ["options", "add", "fast", "not-there.npy"],
    ],
)
def test_a_wrong_call_ends_with_2(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage:")


def test_an_error_is_one_message_without_a_traceback(tmp_path: Path) -> None:
    config = tmp_path / "dj_local_conf.json"
    config.write_text('{"databse.host": "db"}')
    result = CliRunner().invoke(main, ["--config", str(config), "users", "list"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert "databse.host" in result.stderr
    assert "Traceback" not in result.stderr


def test_debug_shows_where_an_error_was_raised(tmp_path: Path) -> None:
    config = tmp_path / "dj_local_conf.json"
    config.write_text('{"databse.host": "db"}')
    program = "import sys; from imaging_pipeline.cli import main; main(sys.argv[1:])"
    arguments = ["--debug", "--config", str(config), "users", "list"]
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "Traceback" in ran.stderr
    assert "ConfigError" in ran.stderr
