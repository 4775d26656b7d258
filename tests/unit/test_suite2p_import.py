"""Suite2p itself can be imported and called where this package is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from imaging_pipeline.suite2p_runner.run import is_available

PROJECT = Path(__file__).parents[2]
TIMEOUT_S = 300


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which this package is installed as pip does it, with its entry points."""
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = tmp_path / "site" / f"imaging_pipeline-{declared['version']}.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(f"Name: {declared['name']}\nVersion: {declared['version']}\n")
    lines = [
        line
        for group, entries in declared["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {target}" for name, target in entries.items()))
    ]
    (installed / "entry_points.txt").write_text("\n".join(lines) + "\n")
    home = tmp_path / "home"
    home.mkdir()
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(installed.parent), str(PROJECT)]),
        "HOME": str(home),
        "USERPROFILE": str(home),
    }


def run(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )


@pytest.mark.skipif(not is_available(), reason="Suite2p is not installed here")
@pytest.mark.slow(reason="it imports Suite2p, with torch and Cellpose")
def test_suite2p_s_own_command_works(environment: dict[str, str]) -> None:
    # Its script calls this module's `main`, too, and lies where pip put it.
    done = run(environment, sys.executable, "-m", "suite2p", "--version")
    assert (done.returncode, done.stdout.strip()) == (0, "suite2p v1.1.0"), done.stderr


TORCH = """
from importlib.metadata import entry_points
from types import SimpleNamespace

version = SimpleNamespace(cuda=None)
defined = []


class Library:
    def __init__(self, *arguments):
        pass

    def define(self, schema):
        defined.append(schema.partition("(")[0])


def load_library(path):
    if not LOADS:
        raise OSError("Could not load this library: " + path)


library, ops = SimpleNamespace(Library=Library), SimpleNamespace(load_library=load_library)
for entry in entry_points(group="torch.backends"):
    entry.load()()
"""
"""What of torch is called, in the order of its import."""

DECLARE = (
    "from imaging_pipeline.suite2p_runner import torchvision_operators as it; it.declare(); import torch"
)


@pytest.mark.parametrize(
    ("program", "is_installed", "loads", "defined"),
    [
        ("import torch", True, False, ["nms", "qnms"]),
        (DECLARE, True, False, ["nms", "qnms"]),
        ("import torch", True, True, []),
        ("import torch", False, False, []),
    ],
    ids=["import", "import by ours", "library of this torch", "no torchvision"],
)
def test_operators_are_declared_once_where_torchvision_s_library_does_not_load(
    environment: dict[str, str],
    tmp_path: Path,
    program: str,
    is_installed: bool,
    loads: bool,
    defined: list[str],
) -> None:
    (tmp_path / "site" / "torch.py").write_text(f"LOADS = {loads}\n{TORCH}")
    if is_installed:
        torchvision = tmp_path / "site" / "torchvision"
        torchvision.mkdir()
        for name in ("__init__.py", f"_C{EXTENSION_SUFFIXES[-1]}"):
            (torchvision / name).touch()
    # Without the packages of this environment, which may have a torchvision.
    own = "import sys; sys.path = [path for path in sys.path if 'site-packages' not in path]"
    done = run(environment, sys.executable, "-c", f"{own}; {program}; print(torch.defined)")
    assert (done.returncode, done.stdout.strip()) == (0, str(defined)), done.stderr
