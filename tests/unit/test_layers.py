"""Rooms import only from those below, as the architecture draws them, and importing does nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.structure import PROJECT, circles, imported, imports, modules, packages, rooms

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


def test_no_modules_import_each_other_in_a_circle() -> None:
    groups = circles(imports())
    assert not groups, _listed(groups)


def test_no_rooms_import_each_other_in_a_circle() -> None:
    """In each package a subfolder is one room, and so is each loose module."""
    graph = imports()
    groups = [group for package in sorted(packages(graph)) for group in circles(rooms(graph, package))]
    assert not groups, _listed(groups)


def _listed(groups: list[tuple[str, ...]]) -> str:
    """Return all circles, one a line: pytest would cut the list."""
    return "\n".join(["Circles of imports:", *map(", ".join, groups)])


def test_a_circle_is_found_of_modules_and_of_rooms() -> None:
    graph = {
        name: frozenset(targets)
        for name, targets in {
            "p.a.x": {"p.b.y"},
            "p.b.y": {"p.c"},
            "p.b.z": {"p.a.x", "p.c"},
            "p.c": set(),
            "p.d": {"p.e"},
            "p.e": {"p.d", "p.c"},
        }.items()
    }
    assert circles(graph) == [("p.d", "p.e")]
    assert circles(rooms(graph, "p")) == [("p.a", "p.b"), ("p.d", "p.e")]


def test_imports_inside_functions_are_seen(tmp_path: Path) -> None:
    folder = tmp_path / "imaging_pipeline"
    folder.mkdir()
    (folder / "above.py").write_text("import imaging_pipeline.below")
    (folder / "below.py").write_text("class A:\n    def b(self):\n        from imaging_pipeline import above")
    assert circles(imports(tmp_path)) == [("imaging_pipeline.above", "imaging_pipeline.below")]


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
