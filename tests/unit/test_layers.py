"""Layers import only downward, and importing does nothing."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

# The longest prefix of a module's name says which layer it is in.
LAYERS = {
    "imaging_pipeline.errors": 0,
    "imaging_pipeline.choices": 0,
    "imaging_pipeline.printable": 0,
    "imaging_pipeline.config": 0,
    "imaging_pipeline.passwords": 0,
    "imaging_pipeline.strict_json": 0,
    "imaging_pipeline.paths": 0,
    "imaging_pipeline.disk_spelling": 0,
    "imaging_pipeline.names": 0,
    "imaging_pipeline.lanes": 0,
    "imaging_pipeline.living_worker": 0,
    "imaging_pipeline.wording": 0,
    "imaging_pipeline.processes": 0,
    "imaging_pipeline.progress": 0,
    "imaging_pipeline.share_away": 0,
    "imaging_pipeline.server.embedded": 0,
    "imaging_pipeline.server.postgres_programs": 0,
    "imaging_pipeline.readers": 1.0,
    "imaging_pipeline.analysis": 1.0,
    "imaging_pipeline.explaining": 1.0,
    "imaging_pipeline.experiments": 1.1,
    "imaging_pipeline.segmentation": 1.1,
    "imaging_pipeline.suite2p_runner": 1.1,
    "imaging_pipeline.ingest": 1.2,
    "imaging_pipeline.store": 2,
    "imaging_pipeline.codecs": 2,
    "imaging_pipeline.schemas": 2,
    "imaging_pipeline.server": 2,
    "imaging_pipeline.database": 2,
    "imaging_pipeline": 2,
    "imaging_pipeline.workers": 3,
    "imaging_pipeline.checks": 3,
    "imaging_pipeline.colony": 3,
    "imaging_pipeline.demo": 4,
    "imaging_pipeline.web": 4,
    "imaging_pipeline.cli": 5,
    "batch_populate": 5,
}


# Only the process that runs Suite2p imports these, where it is installed.
IN_SUITE2P_PROCESS = (
    "imaging_pipeline.suite2p_runner.suite2p_call",
    "imaging_pipeline.suite2p_runner.without_cells",
)


@functools.cache
def _modules() -> dict[str, Path]:
    """Return the file of every module."""
    modules = {}
    for package in ("imaging_pipeline", "batch_populate"):
        for path in sorted((PROJECT / package).rglob("*.py")):
            parts = path.relative_to(PROJECT).with_suffix("").parts
            modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


@functools.cache
def _imported(name: str) -> tuple[str, ...]:
    """Return what a module imports."""
    return tuple(_imports(name, _modules()[name]))


def _imports(name: str, path: Path) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            modules = (f"{base}.{alias.name}" for alias in node.names)
            yield from (module if module in _modules() else base for module in modules)


def _layer(module: str) -> float:
    matching = [prefix for prefix in LAYERS if module == prefix or module.startswith(f"{prefix}.")]
    exact = [prefix for prefix in matching if prefix != "imaging_pipeline" or module == prefix]
    assert exact, f"{module} is in no layer: name it in this test and in docs/architecture.md"
    return LAYERS[max(exact, key=len)]


@pytest.mark.parametrize("name", _modules())
def test_a_module_imports_only_from_its_own_layer_and_below(name: str) -> None:
    ours = [
        module for module in _imported(name) if module.split(".")[0] in ("imaging_pipeline", "batch_populate")
    ]
    above = [module for module in ours if _layer(module) > _layer(name)]
    assert above == []


@pytest.mark.parametrize("name", _modules())
def test_only_the_tables_and_what_is_above_them_know_datajoint(name: str) -> None:
    uses_datajoint = any(module.split(".")[0] == "datajoint" for module in _imported(name))
    assert not uses_datajoint or _layer(name) >= 2


def test_importing_every_module_opens_no_connection_and_declares_nothing() -> None:
    names = [
        name
        for name, path in _modules().items()
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
