"""The animal of a session is its MetaSession's, whatever is done, and joins tables of animals by itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.colony.sources.csv_file import CsvFile
from imaging_pipeline.colony.sync import sync
from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas import imaging, mlims, tables
from imaging_pipeline.schemas.register import retire
from tests.makers.folders import OPEN_FIELD, WHEEL, write_folder
from tests.makers.lab import Lab, register
from tests.makers.recordings import OBJECT, import_all

OTHERS = ("90219", "90220", "90221")
OTHER_ANIMAL = {"animal_id": "id90219", "datasource_id": 0}


@pytest.fixture
def folder(lab: Lab) -> Path:
    return write_folder(lab.share / "90218" / "day1", OPEN_FIELD)


def add_others() -> None:
    mlims.Animal.insert(
        {"animal_id": f"id{name}", "datasource_id": 0, "animal_name": name} for name in OTHERS
    )


def animals(table: Any) -> list[tuple[str, str, int]]:
    """Return the animal of each MetaSession that a table has rows of."""
    columns = table.to_arrays("metasession_name", "animal_id", "datasource_id")
    return sorted(set(zip(*(column.tolist() for column in columns), strict=True)))


def assert_equal_animals(number: int) -> None:
    """Raise if a session has another animal than its MetaSession, or not so many sessions are there."""
    assert len(imaging.Session()) == len(imaging.Session * imaging.MetaSession) == number
    assert animals(imaging.Session()) == animals(imaging.MetaSession & imaging.Session.proj())


def compared(lab: Lab, tmp_path: Path, *lines: str) -> None:
    """Compare the animals with a colony that tells of these."""
    file = tmp_path / "colony.csv"
    file.write_text("\n".join(("animal_id,animal_name", *lines)) + "\n", encoding="utf-8")
    sync(tables.default_tables(), CsvFile(file, datasource_id=0), force=True)


def test_cells_join_the_one_animal_that_they_are_of(lab: Lab) -> None:
    add_others()
    import_all(lab, OBJECT)
    cells = mlims.Animal * imaging.Session * imaging.Cell.Rois
    assert len(cells) == len(imaging.Cell.Rois()) > 0
    assert set(cells.to_arrays("animal_name")) == {"90218"}


@pytest.mark.parametrize("combined", [True, False])
def test_a_session_has_the_animal_of_its_metasession(lab: Lab, folder: Path, combined: bool) -> None:
    add_others()
    other = write_folder(lab.share / "90219" / "day1", replace(WHEEL, name="90219-wheel"))
    register(lab, folder, combined=combined)
    register(lab, other, combined=combined, animal="90219")
    assert_equal_animals(2)
    assert {animal for _, animal, _ in animals(imaging.Session())} == {"a0f1", "id90219"}


@pytest.mark.parametrize("combined", [True, False])
def test_it_stays_so_when_a_session_is_found_later_or_the_folder_is_moved(
    lab: Lab, folder: Path, combined: bool
) -> None:
    register(lab, folder, combined=combined)
    write_folder(folder, WHEEL)
    register(lab, folder, combined=combined)
    assert_equal_animals(2)
    moved = lab.share / "archive" / "day1"
    shutil.move(folder, moved)
    register(lab, moved, combined=combined)
    assert_equal_animals(2)


def test_it_stays_so_when_the_colony_renames_the_animal_or_no_longer_tells_of_it(
    lab: Lab, folder: Path, tmp_path: Path
) -> None:
    register(lab, folder, combined=True)
    before = animals(imaging.Session())
    for lines, name in ((["a0f1,90218-new"], "90218-new"), (["b1,7"], "90218-new"), (["a0f1,7"], "7")):
        compared(lab, tmp_path, *lines)
        register(lab, folder, combined=True, animal="a0f1")
        assert_equal_animals(1)
        assert animals(imaging.Session()) == before
        assert set((imaging.Session * mlims.Animal).to_arrays("animal_name")) == {name}


def test_a_folder_of_another_animal_is_retired_and_registered_again(lab: Lab, folder: Path) -> None:
    add_others()
    register(lab, folder, combined=True)
    register(lab, folder, combined=True, animal="90219")
    assert {animal for _, animal, _ in animals(imaging.Session())} == {"a0f1"}
    retire.retire(tables.default_tables(), lab.windows_path(folder), username="anna", reason="other mouse")
    register(lab, folder, combined=True, animal="90219")
    assert_equal_animals(1)
    assert {animal for _, animal, _ in animals(imaging.Session())} == {"id90219"}


def session_key(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("metasession_name", "session_name")}


@pytest.mark.parametrize(
    "write",
    [
        lambda row: imaging.MetaSession.update1(
            {"metasession_name": row["metasession_name"], **OTHER_ANIMAL}
        ),
        lambda row: imaging.Session.update1({**session_key(row), **OTHER_ANIMAL}),
        lambda row: imaging.Session.insert1({**row, "session_name": "another", **OTHER_ANIMAL}),
        lambda row: imaging.Session.insert([{**row, "session_name": "another", **OTHER_ANIMAL}]),
    ],
    ids=["MetaSession.update1", "Session.update1", "Session.insert1", "Session.insert"],
)
def test_nobody_can_write_another_animal_to_one_of_the_two(
    lab: Lab, folder: Path, write: Callable[[dict[str, Any]], None]
) -> None:
    add_others()
    register(lab, folder, combined=True)
    before = imaging.Session().to_dicts(), imaging.MetaSession().to_dicts()
    with pytest.raises(InputError, match=r"id90219.*retire"):
        write(before[0][0])
    assert (imaging.Session().to_dicts(), imaging.MetaSession().to_dicts()) == before


def test_a_person_may_write_what_is_not_the_animal(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True)
    imaging.User.insert1({"username": "carl", "first_name": "Carl"})
    row = imaging.MetaSession().fetch1()
    imaging.MetaSession.update1({"metasession_name": row["metasession_name"], "username": "carl"})
    session = imaging.Session().fetch1()
    imaging.Session.insert1({**session, "session_name": "another", "session_order": 1})
    assert imaging.MetaSession().fetch1("username") == "carl"
    assert_equal_animals(2)
