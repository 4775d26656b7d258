"""Commands, functions and tables that the package names in its texts are there."""

from __future__ import annotations

import ast
import pkgutil
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click
import pytest

import batch_populate.command
import imaging_pipeline
from imaging_pipeline.cli import COMMANDS
from imaging_pipeline.explaining import commands
from imaging_pipeline.explaining.facts import Facts, RequestFacts, SessionNames
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.explaining.missing import ANALYSIS, REQUESTS, SUITE2P, TIF
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.lanes import LANES, lanes_named, short_name

PROJECT = Path(__file__).parents[2]
NOON = datetime(2024, 5, 17, 12)
# What may follow the name of the project in a sentence.
PROSE = ("are", "has", "on", "that")
ALL_INPUTS = RequestFacts(
    number=5,
    path="N:\\moser\\day 1",
    username="anna",
    entered=NOON,
    register_uncurated=True,
    damaged_tifs="cut",
    setup="room 1",
    scope_name="scope2",
    ops_name="mouse",
    sessiontype="open field",
)
FACTS = Facts(
    session=SessionNames("0123456789abcdef", "0123456789abcdef", "90218-wheel", NOON),
    folder="day 1",
    repository_name="moser",
    animal_name="90218",
    experiment_type="2Pminiscope_A",
    combined=True,
    requests=(ALL_INPUTS,),
)
OF_SESSION = Job(TIF, "imported", {"metasession_name": "0123456789abcdef"}, "", JobState.ERROR, 5)
OF_REQUEST = Job(REQUESTS, "ingest", {"basefolder_id": 4}, "", JobState.ERROR, 5)


def texts() -> Iterator[tuple[str, str]]:
    """Return every text of the package, with its file and line."""
    for package in ("imaging_pipeline", "batch_populate"):
        for path in sorted((PROJECT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield f"{path.relative_to(PROJECT)}:{node.lineno}", node.value


def parse(command: str) -> None:
    """Parse a command as the program that it names does, without calling it."""
    words = shlex.split(command.replace("\\", "/"))
    if words[:3] == ["python", "-m", "batch_populate"]:
        context = batch_populate.command.main.make_context("batch_populate", words[3:])
        lanes_named(context.params["lane"])
        return
    program, name, *arguments = words
    assert program == "imaging-pipeline"
    loaded = COMMANDS[name].load()
    if isinstance(loaded, click.Group):
        name, *arguments = arguments
        loaded = loaded.commands[name]
    loaded.make_context(name, arguments)


def test_each_command_that_a_text_names_is_there() -> None:
    unknown, num_named = [], 0
    for where, text in texts():
        for name, inner in re.findall(r"\bimaging-pipeline ([a-z][a-z0-9-]*)(?: ([a-z]+))?", text):
            if name in PROSE:
                continue
            num_named += 1
            command = COMMANDS[name].load() if name in COMMANDS else None
            if command is None or (
                isinstance(command, click.Group) and inner and inner not in command.commands
            ):
                unknown.append((where, name, inner))
    assert unknown == []
    assert num_named > 20


def test_each_function_that_a_text_says_to_call_is_there() -> None:
    named = [
        (where, name) for where, text in texts() for name in re.findall(r"imaging_pipeline\.(\w+)\(", text)
    ]
    assert named
    assert [
        (where, name) for where, name in named if not callable(getattr(imaging_pipeline, name, None))
    ] == []


@pytest.mark.parametrize(
    "command",
    [
        commands.add(FACTS),
        commands.add(replace(FACTS, combined=False, requests=()), ops_name="mouse"),
        commands.report(FACTS),
        commands.retry(OF_SESSION, FACTS),
        commands.retry(OF_REQUEST, FACTS),
        *(commands.start_worker(lane.name) for lane in LANES),
    ],
)
def test_a_command_that_an_explanation_ends_in_can_be_typed(command: str) -> None:
    parse(command)


@pytest.mark.parametrize("wrong", ["imaging-pipeline report", "imaging-pipeline jobs retry --tables Tif"])
def test_a_command_that_cannot_be_typed_is_refused(wrong: str) -> None:
    with pytest.raises(click.UsageError):
        parse(wrong)


def test_what_lanes_name_is_there() -> None:
    paths = [
        *(path for lane in LANES for path in lane.tables),
        *(task.function for lane in LANES for task in lane.periodic_tasks),
    ]
    for path in paths:
        assert callable(pkgutil.resolve_name(path))


@pytest.mark.parametrize("table", [REQUESTS, TIF, SUITE2P, ANALYSIS])
def test_a_table_that_has_a_reason_of_its_own_is_filled_by_a_lane(table: str) -> None:
    assert table in [short_name(path) for lane in LANES for path in lane.tables]
