"""Reading animals from CSV files, and comparing them with those stored."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from imaging_pipeline.colony.animal import Animal, AnimalKey
from imaging_pipeline.colony.animal_csv import RowProblem, read_animals
from imaging_pipeline.colony.changes import FieldChange, compare
from imaging_pipeline.errors import FormatError, InputError, NothingFoundError


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "animals.csv"
    path.write_bytes(text.encode(encoding))
    return path


def only_problem(path: Path) -> RowProblem:
    (problem,) = read_animals(path).problems
    return problem


def test_every_column_becomes_a_value_of_its_kind(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "animal_id,datasource_id,animal_name,animal_species,animal_sex,animal_dob,animal_notes,color,strain,"
        "background_strain,generation,litter,purpose,death_date,death_cause,genotype:Cre,genotype:GCaMP6\n"
        'a0f1,2,90218,rat,Female,2026-01-31,"calm, eats well",black,Ai95,C57BL/6J,F3,L12,imaging,2026-07-01,'
        "old,het,hom\n",
    )
    assert read_animals(path).animals == (
        Animal(
            "a0f1",
            2,
            "90218",
            "rat",
            "female",
            date(2026, 1, 31),
            "calm, eats well",
            "black",
            "Ai95",
            "C57BL/6J",
            "F3",
            "L12",
            "imaging",
            date(2026, 7, 1),
            "old",
            {"Cre": "het", "GCaMP6": "hom"},
        ),
    )


def test_an_empty_cell_says_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,datasource_id,animal_name,animal_dob,genotype:Cre\na0f1,,90218,,\n")
    (animal,) = read_animals(path).animals
    assert animal == Animal("a0f1", 0, "90218")
    assert animal.columns() == {"animal_name": "90218"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_what_excel_writes_anywhere_is_read(
    tmp_path: Path, delimiter: str, line_end: str, encoding: str
) -> None:
    lines = ["animal_id,animal_name,purpose", "a0f1,Bjørn 東京,tests", ",,", "a0f2,90219", ""]
    path = written(tmp_path, line_end.join(lines).replace(",", delimiter), encoding)
    assert read_animals(path).animals == (
        Animal("a0f1", 0, "Bjørn 東京", purpose="tests"),
        Animal("a0f2", 0, "90219"),
    )


def test_a_decomposed_letter_is_the_composed_one(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,animal_name\na0f1,Zoe\u0308\n")
    assert read_animals(path).animals[0].animal_name == "Zoë"


@pytest.mark.parametrize(
    ("column", "cell", "allowed"),
    [
        ("animal_dob", "2026-02-30", "a day that there is"),
        ("animal_dob", "14.03.2026", "year-month-day, such as 2026-03-14"),
        ("death_date", "20260314", "year-month-day, such as 2026-03-14"),
        ("animal_sex", "f", "male, female, unknown"),
        ("datasource_id", "-1", "a whole number from 0 to 2147483647"),
        ("datasource_id", "2147483648", "a whole number from 0 to 2147483647"),
        ("litter", "x" * 65, "at most 64 characters, these are 65"),
        ("genotype:Cre", "x" * 65, "at most 64 characters, these are 65"),
        ("animal_notes", "zero \0 byte", "text without zero bytes"),
    ],
)
def test_a_value_that_cannot_be_is_told_with_its_row(
    tmp_path: Path, column: str, cell: str, allowed: str
) -> None:
    path = written(tmp_path, f"animal_id,{column}\na0f1,\na0f2,{cell}\na0f3,\n")
    read = read_animals(path)
    assert read.problems == (RowProblem(3, f"{column} cannot be taken", cell, allowed),)
    assert [animal.animal_id for animal in read.animals] == ["a0f1", "a0f3"]


def test_a_row_without_an_identifier_is_skipped(tmp_path: Path) -> None:
    problem = only_problem(written(tmp_path, "animal_id,animal_name\n,90218\n"))
    assert (problem.row, problem.what) == (2, "The row has no animal_id")


def test_rows_with_one_identifier_are_all_skipped(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,datasource_id,animal_name\na,0,one\nb,0,two\na,,three\na,1,four\n")
    read = read_animals(path)
    assert [(problem.row, problem.found) for problem in read.problems] == [
        (2, "a in rows 2, 4"),
        (4, "a in rows 2, 4"),
    ]
    assert [animal.animal_name for animal in read.animals] == ["two", "four"]


def test_a_row_that_is_not_utf8_is_skipped_and_shown(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,animal_name\na0f1,Bjørn\na0f2,Anna\n", "cp1252")
    read = read_animals(path)
    assert [(problem.row, problem.found) for problem in read.problems] == [(2, r"Bj\xf8rn")]
    assert [animal.animal_id for animal in read.animals] == ["a0f2"]


def test_a_row_with_more_cells_than_the_header_is_skipped(tmp_path: Path) -> None:
    problem = only_problem(written(tmp_path, "animal_id,animal_notes\na0f1,calm, eats well\n"))
    assert (problem.row, problem.found) == (2, "3 cells")


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        (",,old", "A cause of death needs a date of death"),
        ("2026-03-14,2026-03-13,", "The animal died before it was born"),
    ],
)
def test_a_row_that_contradicts_itself_is_skipped(tmp_path: Path, cells: str, what: str) -> None:
    path = written(tmp_path, f"animal_id,animal_dob,death_date,death_cause\na0f1,{cells}\n")
    assert only_problem(path).what == what


def test_every_mistake_of_a_row_is_told_and_the_row_counted_once(tmp_path: Path) -> None:
    read = read_animals(written(tmp_path, "animal_id,animal_sex,animal_dob\n,m,yesterday\n"))
    assert len(read.problems) == 3
    assert read.num_skipped == 1


def test_rows_are_counted_as_a_spreadsheet_counts_them(tmp_path: Path) -> None:
    path = written(tmp_path, 'animal_id,animal_notes\na0f1,"two\nlines"\n\na0f2,fine\n,no identifier\n')
    assert only_problem(path).row == 5


def test_an_unknown_column_that_looks_like_none_is_refused_without_a_guess(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,zzzz\n90218,1\n")
    with pytest.raises(InputError, match=r"Found: zzzz\. Allowed: animal_id, "):
        read_animals(path)


def test_an_unknown_column_is_refused_with_those_that_look_like_it(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,animal_seks\na0f1,male\n")
    with pytest.raises(InputError, match=r"animal_seks \(like animal_sex"):
        read_animals(path)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", InputError, "no column animal_id"),
        (b"animal_name\n90218\n", InputError, "no column animal_id"),
        (b"animal_id,genotype:\na0f1,het\n", InputError, "columns that are not known"),
        (b"animal_id,animal_name,animal_name\na,b,c\n", InputError, "a column twice"),
        (b"animal_id,animal_name\n", NothingFoundError, "no animals"),
        ("animal_id,animal_name\na0f1,90218\n".encode("utf-16"), FormatError, "not UTF-8"),
        (b'animal_id,animal_name\na0f1,"90218\na0f2,90219\n', FormatError, "from row 2 on"),
    ],
)
def test_a_file_that_is_no_list_of_animals_is_refused(
    tmp_path: Path, content: bytes, error: type[Exception], message: str
) -> None:
    path = tmp_path / "animals.csv"
    path.write_bytes(content)
    with pytest.raises(error, match=rf"{message}.*animals\.csv.*What to do: .*The administrator's move"):
        read_animals(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError, match="not there"):
        read_animals(tmp_path / "animals.csv")


def test_only_what_the_source_says_and_says_otherwise_is_a_change() -> None:
    stored = {
        AnimalKey("a", 0): {"animal_name": "90218", "animal_notes": "calm", "strain": "Ai95"},
        AnimalKey("b", 0): {"animal_name": "90219"},
    }
    animals = [
        Animal("a", 0, "90218", strain="Ai148", genotypes={"Cre": "het"}),
        Animal("b", 0, "90219"),
        Animal("a", 1, "90218"),
    ]
    changes = compare(animals, stored)
    assert changes.added == (animals[2],)
    assert changes.changed == (
        FieldChange(AnimalKey("a", 0), "strain", "Ai95", "Ai148"),
        FieldChange(AnimalKey("a", 0), "genotype:Cre", None, "het"),
    )
    assert (changes.num_changed, changes.num_unchanged) == (1, 1)
