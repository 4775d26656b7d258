"""What a person means by a name or a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas import imaging, mlims, tables
from imaging_pipeline.schemas.register.named_sessions import Named, named
from tests.makers.folders import OPEN_FIELD, WHEEL, write_folder
from tests.makers.lab import Lab, register


@pytest.fixture
def folder(lab: Lab) -> Path:
    """Return a folder of two sessions, registered as combined."""
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD, WHEEL)
    register(lab, folder, combined=True)
    return folder


def found(wanted: str, **more: Any) -> Named:
    return named(tables.default_tables(), wanted, **more)


def timeseries(result: Named) -> list[str]:
    return [row["timeseries_name"] for row in result.sessions]


def name_of(timeseries_name: str) -> str:
    return str((imaging.Session & {"timeseries_name": timeseries_name}).fetch1("session_name"))


@pytest.mark.usefixtures("folder")
def test_a_session_is_found_by_its_name_the_beginning_of_it_and_its_timeseries() -> None:
    name = name_of(WHEEL.name)
    for wanted in (name, name[:6], f" {WHEEL.name} "):
        result = found(wanted)
        assert timeseries(result) == [WHEEL.name]
        assert [row["basefolder_id"] for row in result.requests] == [0]
        assert result.sessions[0]["animal_name"] == "90218"


def test_a_metasession_and_a_folder_are_all_their_sessions(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True)
    metasession = str(imaging.MetaSession().fetch1("metasession_name"))
    for wanted in (metasession, metasession[:7], lab.windows_path(folder), "90218/day1", "90218\\day1"):
        result = found(wanted)
        assert timeseries(result) == [OPEN_FIELD.name, WHEEL.name]
        assert [row["basefolder_id"] for row in result.requests] == [1, 0]


def test_a_folder_that_no_worker_has_looked_at_is_its_request(lab: Lab) -> None:
    folder = write_folder(lab.share / "90218" / "day2", WHEEL)
    imaging.BaseFolder.add(**lab.request(folder, combined=False))
    result = found(lab.windows_path(folder))
    assert (result.sessions, [row["folder"] for row in result.requests]) == ((), ["90218/day2"])


def test_a_timeseries_that_two_animals_have_is_told_with_both_and_found_by_the_animal(lab: Lab) -> None:
    mlims.Animal.insert1({"animal_id": "b0f1", "datasource_id": 0, "animal_name": "90300"})
    for day, animal in ((17, "90218"), (18, "90300")):
        recorded = replace(WHEEL, start=WHEEL.start.replace(day=day))
        register(lab, write_folder(lab.share / f"day{day}", recorded), combined=False, animal=animal)
    with pytest.raises(InputError, match="There are 2 sessions of this name") as refused:
        found(WHEEL.name)
    names = {str(name) for name in imaging.Session().to_arrays("session_name")}
    assert all(name in str(refused.value) for name in names)
    assert "of 90300, 2024-05-18 14:43, not combined" in str(refused.value)
    for animal in ("90300", "b0f1"):
        assert [row["animal_name"] for row in found(WHEEL.name, animal=animal).sessions] == ["90300"]
    with pytest.raises(InputError, match="of animal 90301"):
        found(WHEEL.name, animal="90301")


@pytest.mark.usefixtures("folder")
def test_what_is_not_known_is_told_with_what_looks_like_it() -> None:
    for wanted, alike in (("90218-weel", WHEEL.name), ("90218/day2", "90218/day1")):
        with pytest.raises(InputError, match=f"Found: {wanted}.*{alike}"):
            found(wanted)
