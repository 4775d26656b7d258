"""The tables of each schema version are described, and steps lead from one to the next."""

from __future__ import annotations

import hashlib

import pytest

from imaging_pipeline import database
from imaging_pipeline.upgrade.changes import AddedColumn
from imaging_pipeline.upgrade.steps import STEPS
from tests.makers.schema_versions import FOLDER, Description, described, stored, versions, without_comment
from tests.makers.toy_steps import CHANGES

# Of each version that labs have: its file is never written again.
RELEASED = {3: "ca294fd07e487a6b36b74984feeda2f10d2014fd6d4a9cdf6f942a1174fe5b68"}

TO_DO = (
    "Where the version is not released yet: say the change in its step, and run"
    " python -m tests.makers.schema_versions. Else raise SCHEMA_VERSION and begin a step:"
    " docs/architecture.md, When tables change."
)


def upgraded(description: Description, version: int) -> dict[str, set[str]]:
    """Return what the step to a version makes of the tables before; tables that it adds are left out."""
    lines = dict(description)
    (step,) = (each for each in STEPS if each.version == version)
    for change in step.changes:
        lines[change.table] = [
            without_comment(line) for line in change.changed_definition(lines[change.table])
        ]
    return {name: set(of_table) for name, of_table in lines.items()}


def test_the_tables_in_code_are_those_of_the_description_of_their_version() -> None:
    found, wanted = described(), stored(database.SCHEMA_VERSION)
    differing = {name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)}
    assert not differing, TO_DO


def test_every_released_version_is_described_as_it_was() -> None:
    assert versions() == [*RELEASED, database.SCHEMA_VERSION]
    for version, digest in RELEASED.items():
        assert hashlib.sha256((FOLDER / f"version_{version}.json").read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("version", [each for each in versions() if each > min(versions())])
def test_a_step_makes_the_tables_of_a_version_from_those_of_the_one_before(version: int) -> None:
    made, wanted = upgraded(stored(version - 1), version), stored(version)
    differing = {name: made[name] ^ set(wanted.get(name, ())) for name in made}
    assert {name: lines for name, lines in differing.items() if lines} == {}, TO_DO


def test_steps_are_in_order_and_the_last_leads_to_this_version() -> None:
    assert [step.version for step in STEPS] == versions()[1:]
    assert STEPS[-1].version == database.SCHEMA_VERSION


def test_names_and_causes_of_corrections_are_told_apart() -> None:
    corrections = [each for step in STEPS for each in step.corrections]
    for told in ("name", "cause"):
        assert len({getattr(each, told) for each in corrections}) == len(corrections)


def test_a_change_that_no_step_makes_is_noticed() -> None:
    before = stored(3)
    for change in CHANGES:
        lines = change.changed_definition(before[change.table])
        assert set(lines) - set(before[change.table]) == {change.line}


def test_a_column_needs_a_value_for_the_rows_that_are_there() -> None:
    with pytest.raises(ValueError, match="neither default nor value"):
        AddedColumn("imaging.Tif", "num_pauses : int32")


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("a : int32  # of them", "a : int32"),
        ("-> [nullable] Scope", "-> [nullable] Scope"),
        ("a=\"#\" : enum('#',  'b') # which", "a=\"#\" : enum('#', 'b')"),
        ("# only a comment", ""),
    ],
)
def test_comments_are_no_part_of_a_description(line: str, plain: str) -> None:
    assert without_comment(line) == plain
