"""What the documents show is what happens."""

from __future__ import annotations

import importlib
import io
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import batch_populate.command
import imaging_pipeline.cli
from imaging_pipeline.config.config import Config
from imaging_pipeline.config.keys import CONFIG_VARIABLE, KEYS
from imaging_pipeline.schemas import imaging
from tests.makers.folders import OPEN_FIELD, PAGES, WHEEL, write_file, write_folder, write_suite2p
from tests.makers.lab import Lab
from tests.makers.suite2p_output import Suite2pSpec

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS: dict[tuple[str, ...], click.Command] = {
    ("imaging-pipeline",): imaging_pipeline.cli.main,
    ("python", "-m", "batch_populate"): batch_populate.command.main,
}
SUITE2P = "python -m batch_populate suite2p --once"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that it is to be saved as, where it begins, its text."""

    language: str
    file: str
    line: int
    text: str


def blocks(document: str) -> Iterator[Block]:
    for match in re.finditer(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", document, re.MULTILINE | re.DOTALL):
        line = document[: match.start(3)].count("\n")
        yield Block(match[1], match[2] or "", line, match[3])


class Reader:
    """Does what a document says, and compares what is printed with what it shows."""

    def __init__(self, run_suite2p: Callable[[], None]) -> None:
        self._run_suite2p = run_suite2p
        self._names: dict[str, object] = {"__name__": "getting_started"}
        self._printed: str | None = None

    def follow(self, block: Block) -> None:
        if block.file:
            Path(block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            self._execute(block)
        elif block.language == "console":
            for command, shown in commands(block.text):
                assert is_shown(self._run(command), shown), command
        elif self._printed is not None:
            assert is_shown(self._printed, block.text)
            self._printed = None

    def _execute(self, block: Block) -> None:
        # Errors tell the line in the document.
        code = compile("\n" * block.line + block.text, "getting_started.md", "exec")
        with redirect_stdout(io.StringIO()) as printed:
            exec(code, self._names)
        self._printed = printed.getvalue()

    def _run(self, command: str) -> str:
        if command == SUITE2P:
            self._run_suite2p()
            return ""
        words = tuple(shlex.split(command))
        name = next(name for name in COMMANDS if words[: len(name)] == name)
        result = CliRunner().invoke(COMMANDS[name], list(words[len(name) :]))
        assert result.exit_code == 0, f"{command}: {result.output}"
        return result.stdout


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Return each command of a console, and what is shown below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def is_shown(printed: str, shown: str) -> bool:
    """Return True if a document shows what was printed; a line of three points stands for any lines."""
    lines = ("(.*\n)*" if line == "..." else re.escape(line) + "\n" for line in shown.splitlines())
    return re.fullmatch("".join(lines), printed) is not None


@pytest.fixture
def share(tmp_path: Path) -> Path:
    """Return a share with the folder that the page registers."""
    folder = tmp_path / "share" / "90218" / "2024-05-17"
    write_folder(folder, *(replace(each, has_companions=False) for each in (OPEN_FIELD, WHEEL)))
    write_file(folder / "notes.txt")
    return tmp_path / "share"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a folder of its own, with no settings in the environment and no window for figures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    for variable in (CONFIG_VARIABLE, *(key.variable for key in KEYS if key.variable)):
        monkeypatch.delenv(variable, raising=False)


def write_output(share: Path) -> None:
    """Write what Suite2p would, for the one MetaSession that is registered."""
    metasession = imaging.MetaSession().fetch1()
    files = imaging.Session * imaging.Session.Data * imaging.Dataset * imaging.PhysicalFile
    tifs = (files & {"datasettype": "tif"}).to_arrays("file_path", order_by="session_order, file_order")
    names = [path.rpartition("/")[2] for path in tifs]
    spec = Suite2pSpec(file_list=names, frames_per_file=[PAGES] * len(names))
    write_suite2p(share / metasession["suite2p_folder"] / "mouse" / "suite2p", spec)


@pytest.mark.usefixtures("desk")
@pytest.mark.slow(reason="every command of the page is a process")
def test_getting_started_works_from_its_top_to_its_end(share: Path, embedded_lab_config: Config) -> None:
    document = (DOCS / "getting_started.md").read_text(encoding="utf-8")
    places = {"/data/imaging-pipeline": embedded_lab_config.embedded_folder, "/mnt/moser": share}
    for shown, place in places.items():
        document = document.replace(shown, str(place))
    reader = Reader(lambda: write_output(share))
    for block in blocks(document):
        reader.follow(block)


@pytest.mark.parametrize("server_config", ["postgresql"], indirect=True)
def test_the_page_of_tables_is_what_the_code_gives(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DOCS)
    page = importlib.import_module("make_tables").page()
    assert page == (DOCS / "tables.md").read_text(encoding="utf-8"), "run python docs/make_tables.py"
