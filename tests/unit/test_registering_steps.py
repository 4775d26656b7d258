"""The steps from a typed path to its rows, as the architecture lists them: none imports a later one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
FOLDERS = {"register": "imaging_pipeline/schemas/register", "ingest": "imaging_pipeline/ingest"}
MODULE = re.compile(r"`(register|ingest)\.(\w+)`")


def steps() -> list[list[str]]:
    """Return the full names of the modules of each step, in their order."""
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.partition("| step | module | hands on |\n")[2].partition("\n\n")[0]
    return [
        [f"{FOLDERS[room].replace('/', '.')}.{name}" for room, name in MODULE.findall(line)]
        for line in table.splitlines()[1:]
    ]


def imported(module: str) -> set[str]:
    """Return the modules from which a module imports, also inside functions."""
    path = PROJECT / f"{module.replace('.', '/')}.py"
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {
        name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module
        for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
    }


def test_no_step_imports_a_later_one() -> None:
    modules = steps()
    assert len(modules) > 5
    assert all(modules)
    for number, step in enumerate(modules):
        later = {module for following in modules[number + 1 :] for module in following}
        for module in step:
            assert imported(module) & later == set(), module


def test_every_module_of_a_step_is_there() -> None:
    for step in steps():
        for module in step:
            assert (PROJECT / f"{module.replace('.', '/')}.py").is_file(), module
