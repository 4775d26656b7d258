"""Rooms import only from those below, as the architecture draws them, and importing does nothing."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.structure import PROJECT, imported, modules, packages

DOCUMENT = PROJECT / "docs" / "architecture.md"


def _layers() -> list[tuple[str, float]]:
    """Return the rooms of the architecture's table with their layers, each as often as it stands there."""
    rows = re.findall(r"^\| ([\d.]+) \| ([^|]*) \|", DOCUMENT.read_text(encoding="utf-8"), re.M)
    return [
        (name if name in OUTSIDE else f"imaging_pipeline.{name}", float(layer))
        for layer, names in rows
        for name in re.findall(r"`([\w.]+)`", names)
    ]


OUTSIDE = ("imaging_pipeline", "batch_populate")
"""Names in the table that stand for a package, and not for a room of ours."""
LAYERS = dict(_layers())
"""The longest prefix of a module's name says in which layer it is."""

# Only the process that runs Suite2p imports these, where it is installed.
IN_SUITE2P_PROCESS = (
    "imaging_pipeline.suite2p_runner.suite2p_call",
    "imaging_pipeline.suite2p_runner.without_cells",
)


def _layer(module: str) -> float:
    matching = [prefix for prefix in LAYERS if module == prefix or module.startswith(f"{prefix}.")]
    exact = [prefix for prefix in matching if prefix != "imaging_pipeline" or module == prefix]
    assert exact, f"{module} is in no room of the table in docs/architecture.md"
    return LAYERS[max(exact, key=len)]


def _is_loose(name: str) -> bool:
    """Return True if a module lies in the root of our package."""
    return name.count(".") == 1 and name.startswith("imaging_pipeline.")


def test_every_folder_and_every_module_of_the_root_stands_in_the_table_once() -> None:
    names = sorted(packages(modules()) | {name for name in modules() if _is_loose(name)})
    standing = [name for name, _ in _layers()]
    assert [name for name in names if standing.count(name) != 1] == []


def test_the_table_names_no_room_that_is_not_there() -> None:
    assert [name for name, _ in _layers() if name not in modules()] == []


@pytest.mark.parametrize("name", modules())
def test_a_module_imports_only_from_its_own_layer_and_below(name: str) -> None:
    ours = [
        module for module in imported(name) if module.split(".")[0] in ("imaging_pipeline", "batch_populate")
    ]
    above = [module for module in ours if _layer(module) > _layer(name)]
    assert above == []


@pytest.mark.parametrize("name", modules())
def test_only_the_tables_and_what_is_above_them_know_datajoint(name: str) -> None:
    uses_datajoint = any(module.split(".")[0] == "datajoint" for module in imported(name))
    assert not uses_datajoint or _layer(name) >= 2


def test_importing_every_module_opens_no_connection_and_declares_nothing() -> None:
    names = [
        name
        for name, path in modules().items()
        if path.name != "__main__.py" and name not in IN_SUITE2P_PROCESS
    ]
    program = (
        "import importlib, warnings, sys; warnings.simplefilter('ignore')\n"
        "import datajoint.connection as c\n"
        "def refuse(*a, **k): raise AssertionError('a connection was opened')\n"
        "c.Connection.__init__ = refuse\n"
        f"for name in {names!r}: importlib.import_module(name)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=PROJECT)
