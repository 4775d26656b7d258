"""Modules of the project, what they import, and figures of their structure.

``python -m tests.structure [PROJECT]`` prints the figures of this project, or of another checkout of it.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PACKAGES = ("imaging_pipeline", "batch_populate")

Graph = Mapping[str, frozenset[str]]
"""Name of a module or folder → those that it imports."""


@cache
def modules(project: Path = PROJECT) -> dict[str, Path]:
    """Return the file of every module of our packages."""
    found = {}
    for package in PACKAGES:
        for path in sorted((project / package).rglob("*.py")):
            parts = path.relative_to(project).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(name: str, project: Path = PROJECT) -> Iterator[str]:
    """Return every module that a module imports: at its top, inside functions, and for types only."""
    path = modules(project)[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            # What is imported from a package may be one of its modules.
            names = (f"{base}.{alias.name}" for alias in node.names)
            yield from (module if module in modules(project) else base for module in names)


def imports(project: Path = PROJECT) -> Graph:
    """Return which of our modules each of our modules imports."""
    names = modules(project)
    return {name: frozenset(imported(name, project)) & names.keys() - {name} for name in names}


def packages(names: Iterable[str]) -> set[str]:
    """Return the modules that have other modules inside them."""
    return {name.rpartition(".")[0] for name in names if "." in name}


def rooms(graph: Graph, package: str) -> Graph:
    """Return what the rooms of a package import of each other.

    Each loose module of the package is a room of its own, its ``__init__`` too; each subfolder is one room.
    """
    collapsed: dict[str, set[str]] = defaultdict(set)
    for name, targets in graph.items():
        if (room := _room(name, package)) is not None:
            collapsed[room] |= {other for target in targets if (other := _room(target, package))} - {room}
    return {room: frozenset(others) for room, others in collapsed.items()}


def _room(name: str, package: str) -> str | None:
    if name == package:
        return name
    inside = name.removeprefix(f"{package}.")
    return None if inside == name else f"{package}.{inside.partition('.')[0]}"


def circles(graph: Graph) -> list[tuple[str, ...]]:
    """Return the groups of names of which each imports each other, directly or through others, sorted."""
    reachable = {name: _reachable(graph, name) for name in graph}
    groups = {tuple(sorted(other for other in reachable[name] if name in reachable[other])) for name in graph}
    return sorted(group for group in groups if len(group) > 1)


def _reachable(graph: Graph, start: str) -> set[str]:
    """Return all names that a name imports, directly or through others; itself only by a circle."""
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph[name]
    return seen


def longest_chain(graph: Graph) -> list[str]:
    """Return the longest chain of modules of which each imports the next; a circle is passed once."""
    best: dict[str, list[str]] = {}
    for name in graph:
        _extend(graph, name, best, frozenset())
    return max(best.values(), key=len)


def _extend(graph: Graph, name: str, best: dict[str, list[str]], above: frozenset[str]) -> list[str]:
    if name not in best:
        below = sorted(graph[name] - above - {name})
        chains = [_extend(graph, other, best, above | {name}) for other in below]
        best[name] = [name, *max(chains, key=len, default=[])]
    return best[name]


def single_importers(graph: Graph) -> list[str]:
    """Return the modules that only one module imports, which lies in the same folder.

    The ``__init__`` of a package is not counted as that one: it collects modules, as registries do.
    """
    importers: dict[str, list[str]] = defaultdict(list)
    for name, targets in graph.items():
        for target in targets:
            importers[target].append(name)
    only = {name: names[0] for name, names in importers.items() if len(names) == 1}
    collecting = packages(graph)
    return sorted(
        name
        for name, importer in only.items()
        if importer not in collecting and importer.rpartition(".")[0] == name.rpartition(".")[0]
    )


def docstrings(tree: ast.Module) -> Iterator[str]:
    """Return the docstrings of a module, its classes and its functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield text


def num_comment_lines(path: Path) -> int:
    """Return the number of lines that hold a comment and nothing else."""
    lines = io.StringIO(path.read_text(encoding="utf-8"))
    comments = (t for t in tokenize.generate_tokens(lines.readline) if t.type == tokenize.COMMENT)
    return sum(not comment.line[: comment.start[1]].strip() for comment in comments)


def figures(project: Path = PROJECT) -> Iterator[str]:
    """Return the figures of a checkout, one a line."""
    graph = imports(project)
    files = {name: path for name, path in modules(project).items() if name.startswith(PACKAGES[0])}
    num_lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files.values())
    num_comments = sum(map(num_comment_lines, files.values()))
    folders = Counter(path.parent.relative_to(project).as_posix() for path in files.values())
    words = Counter(text.split()[0] for path in files.values() for text in docstrings(parsed(path)))
    yield f"lines of {PACKAGES[0]}: {num_lines} in {len(files)} files"
    yield f"longest chain of imports: {len(longest_chain(graph))} modules"
    yield f"circles of imports between modules: {len(circles(graph))}"
    single = single_importers(graph)
    yield f"modules with a single importer, in the same folder: {len(single)}"
    yield f"lines that are comments: {100 * num_comments / num_lines:.1f} %"
    for word in ("Return", "Give", "Say"):
        yield f"docstrings that begin with {word}: {words[word]}"
    for folder, num_files in folders.most_common():
        yield f"files in {folder}: {num_files}"


def main(arguments: list[str]) -> None:
    """Print the figures."""
    for line in figures(Path(arguments[0]).resolve() if arguments else PROJECT):
        print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
