"""The documents name everything that is there, and nothing that is not."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import batch_populate.command
from imaging_pipeline import database
from imaging_pipeline.cli import COMMANDS
from imaging_pipeline.config.config import CONFIG_NAME, load_config
from imaging_pipeline.experiments import ignored
from imaging_pipeline.experiments.registry import EXPERIMENT_TYPES
from imaging_pipeline.lanes import LANES, short_name
from imaging_pipeline.schemas import imaging, mlims, suite2p_jobs

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
README = PROJECT / "README.md"
DOCUMENTS = (README, *sorted(DOCS.glob("*.md")))
RULES = (
    *(ignored.SYSTEM, ignored.HIDDEN, ignored.UNFINISHED),
    *(ignored.SUPERSEDED, ignored.WORKING, ignored.RECORD),
)
PICTURE_MAX_BYTES = 300_000


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def commands() -> Iterator[str]:
    """Return every command as it is typed, with its groups."""
    for name, lazy in COMMANDS.items():
        command = lazy.load()
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield f"imaging-pipeline {name}"
            yield from (f"imaging-pipeline {name} {inner}" for inner in command.commands)
        else:
            yield f"imaging-pipeline {name}"


def console_lines(document: Path) -> Iterator[str]:
    for block in re.findall(r"^```console\n(.*?)^```$", document.read_text(encoding="utf-8"), re.M | re.S):
        yield from re.findall(r"^\$ (.*)$", block, re.M)


def headings(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as a web page makes them."""
    content = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    titles = re.findall(r"^#+ (.*)$", content, re.M)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}


def links() -> Iterator[tuple[Path, str]]:
    for document in DOCUMENTS:
        content = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
        yield from ((document, target) for target in re.findall(r"\]\(([^)\s]+)\)", content))


@pytest.mark.parametrize("module", [mlims, imaging, suite2p_jobs], ids=lambda module: module.__name__)
def test_every_table_and_part_has_a_section(module) -> None:
    page = text("tables.md")
    classes = database.table_classes(module)
    names = [table.__qualname__ for cls in classes for table in (cls, *database.parts(cls))]
    assert [name for name in names if not re.search(rf"^###+ {name}$", page, re.M)] == []


@pytest.mark.parametrize("command", list(commands()))
def test_every_command_is_in_the_page_of_commands(command: str) -> None:
    assert f"| `{command}` |" in text("commands.md")


def test_the_page_of_commands_names_none_that_is_not_there() -> None:
    named = re.findall(r"^\| `(imaging-pipeline [^`]*)` \|", text("commands.md"), re.M)
    assert sorted(named) == sorted(commands())


@pytest.mark.parametrize("lane", LANES, ids=lambda lane: lane.name)
def test_every_lane_is_described_with_its_tables(lane) -> None:
    row = next(line for line in text("workers.md").splitlines() if line.startswith(f"| `{lane.name}` |"))
    names = [short_name(table).partition(".")[2] for table in lane.tables]
    assert [name for name in names if f"`{name}`" not in row] == []


def test_the_lanes_tables_are_those_that_the_code_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DOCS)
    page = importlib.import_module("make_tables").with_tables_of_lanes(text("workers.md"))
    assert page == text("workers.md"), "run python docs/make_tables.py"


@pytest.mark.parametrize("kind", EXPERIMENT_TYPES, ids=lambda kind: kind.name)
def test_every_experiment_type_has_its_rules(kind) -> None:
    assert f"`{kind.name}`" in text("folder_rules.md")


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_that_ignores_files_is_described(rule: str) -> None:
    assert f"| {rule} |" in text("folder_rules.md")


@pytest.mark.parametrize(("document", "target"), list(links()), ids=lambda part: getattr(part, "name", part))
def test_a_link_leads_somewhere(document: Path, target: str) -> None:
    file, _, anchor = target.partition("#")
    page = document.parent / file if file else document
    assert page.exists()
    assert not anchor or anchor in headings(page)


@pytest.mark.parametrize("line", list(console_lines(README)))
def test_the_commands_of_the_readme_are_there(line: str) -> None:
    program, *arguments = shlex.split(line)
    if program == "make":
        assert re.search(rf"^{arguments[0]}:", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.M)
    elif program == "python":
        assert arguments[:2] == ["-m", "batch_populate"]
        batch_populate.command.main.make_context("batch_populate", arguments[2:])
    else:
        typed = " ".join([Path(program).name, *arguments])
        assert any(f"{typed} ".startswith(f"{command} ") for command in commands())


def test_the_configuration_of_the_readme_is_taken(tmp_path: Path) -> None:
    block = re.search(r"^```json\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)
    (tmp_path / CONFIG_NAME).write_text(block[1], encoding="utf-8")
    assert load_config(tmp_path / CONFIG_NAME).host == "database.example.org"


def test_the_picture_is_small() -> None:
    assert (DOCS / "demo.png").stat().st_size <= PICTURE_MAX_BYTES


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_of_tests_that_a_document_names_are_there(document: Path) -> None:
    named = re.findall(r"`(tests/[\w/*.]+)`", document.read_text(encoding="utf-8"))
    assert [name for name in named if not list(PROJECT.glob(name))] == []
