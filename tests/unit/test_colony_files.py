"""Animals in files, as people and colony systems write them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.colony.animal import Animal, AnimalKey
from imaging_pipeline.colony.sources.csv_file import CsvFile
from imaging_pipeline.colony.sources.json_lines import JsonLines
from imaging_pipeline.colony.sources.record import RowProblem
from imaging_pipeline.errors import (
    FormatError,
    InputError,
    NothingFoundError,
    PipelineError,
    Responsible,
    StillCopyingError,
)
from tests.makers.colony_sources import read_all


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "animals.csv"
    path.write_bytes(text.encode(encoding))
    return path


def animals_of(path: Path, **how: Any) -> list[Animal]:
    return read_all(CsvFile(path, **how))[0]


def problems_of(path: Path) -> list[RowProblem]:
    return read_all(CsvFile(path))[1].recorded


def only_problem(path: Path) -> RowProblem:
    (problem,) = problems_of(path)
    return problem


def animal(animal_id: str, datasource_id: int = 0, **values: str | None) -> Animal:
    return Animal(AnimalKey(animal_id, datasource_id), values)


def written_lines(folder: Path, *lines: object) -> Path:
    path = folder / "animals.jsonl"
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


def test_every_column_becomes_a_value(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "animal_id,datasource_id,animal_name,animal_species,animal_sex,animal_dob,animal_notes,color,strain,"
        "background_strain,generation,litter,purpose,death_date,death_cause,genotype:Cre,genotype: GCaMP6\n"
        'a0f1,2,90218,rat,Female,2026-01-31,"calm, eats well",black,Ai95,C57BL/6J,F3,L12,imaging,2026-07-01,'
        "old,het,hom\n",
    )
    assert animals_of(path) == [
        Animal(
            AnimalKey("a0f1", 2),
            {
                "animal_name": "90218",
                "animal_species": "rat",
                "animal_sex": "female",
                "animal_dob": "2026-01-31",
                "animal_notes": "calm, eats well",
                "color": "black",
                "strain": "Ai95",
                "background_strain": "C57BL/6J",
                "generation": "F3",
                "litter": "L12",
                "purpose": "imaging",
                "death_date": "2026-07-01",
                "death_cause": "old",
                "genotype:Cre": "het",
                "genotype:GCaMP6": "hom",
            },
        )
    ]


def test_an_empty_cell_is_no_value_and_a_missing_column_changes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,datasource_id,animal_name,animal_dob,color\na0f1,,90218,,\n")
    assert animals_of(path) == [animal("a0f1", animal_name="90218", animal_dob=None, color=None)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_what_excel_writes_anywhere_is_read(
    tmp_path: Path, delimiter: str, line_end: str, encoding: str
) -> None:
    lines = ["animal_id,animal_name,purpose", "a0f1,Bjørn 東京,tests", ",,", "a0f2,90219", ""]
    path = written(tmp_path, line_end.join(lines).replace(",", delimiter), encoding)
    assert animals_of(path) == [
        animal("a0f1", animal_name="Bjørn 東京", purpose="tests"),
        animal("a0f2", animal_name="90219", purpose=None),
    ]


def test_a_file_of_another_encoding_is_read_if_that_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,animal_name\na0f1,Bjørn\n", "cp1252")
    assert animals_of(path, encoding="cp1252") == [animal("a0f1", animal_name="Bjørn")]


def test_a_decomposed_letter_is_the_composed_one(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,animal_name\na0f1,Zoe\u0308\n")
    assert animals_of(path) == [animal("a0f1", animal_name="Zoë")]


def test_of_a_day_with_a_time_the_day_counts(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,animal_dob\na,2026-03-14 00:00:00\nb,2026-03-15T23:59:59.5\n")
    assert [each.values["animal_dob"] for each in animals_of(path)] == ["2026-03-14", "2026-03-15"]


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
def test_an_invalid_value_is_a_problem_with_its_row(
    tmp_path: Path, column: str, cell: str, allowed: str
) -> None:
    path = written(tmp_path, f"animal_id,{column}\na0f1,\na0f2,{cell}\na0f3,\n")
    found = cell.replace("\0", "\\0")
    assert problems_of(path) == [RowProblem("3", "a0f2", f"{column} cannot be taken", found, allowed)]
    assert [each.key.animal_id for each in animals_of(path)] == ["a0f1", "a0f3"]


def test_rows_with_one_identifier_of_one_colony_are_all_skipped(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,datasource_id,animal_name\na,0,one\nb,0,two\na,,three\na,1,four\n")
    assert [(problem.row, problem.found) for problem in problems_of(path)] == [
        ("2", "a in rows 2, 4"),
        ("4", "a in rows 2, 4"),
    ]
    assert [each.values["animal_name"] for each in animals_of(path)] == ["four", "two"]


def test_a_row_with_more_cells_than_the_header_is_skipped(tmp_path: Path) -> None:
    problem = only_problem(written(tmp_path, "animal_id,animal_notes\na0f1,calm, eats well\n"))
    assert (problem.row, problem.animal_id, problem.found) == ("2", "a0f1", "3 cells")


def test_a_row_without_an_identifier_is_named_by_its_other_values(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,animal_name,litter,color\n,90999,L7,\n")
    assert only_problem(path).found == "nothing beside animal_name 90999, litter L7"


def test_an_invalid_date_of_death_is_one_problem(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,death_date,death_cause\na0f1,2026-02-30,old\n")
    assert only_problem(path).what == "death_date cannot be taken"


def test_every_mistake_of_a_row_is_a_problem_and_the_row_counted_once(tmp_path: Path) -> None:
    _, problems = read_all(CsvFile(written(tmp_path, "animal_id,animal_sex,animal_dob\n,m,yesterday\n")))
    assert len(problems.recorded) == 3
    assert problems.num_rows == 1


def test_rows_are_counted_as_a_spreadsheet_counts_them(tmp_path: Path) -> None:
    path = written(tmp_path, 'animal_id,animal_notes\na0f1,"two\nlines"\n\na0f2,fine\n,no identifier\n')
    assert only_problem(path).row == "5"


def test_an_unknown_column_that_looks_like_none_is_refused_without_a_guess(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,zzzz\n90218,1\n")
    with pytest.raises(InputError, match=r"Found: zzzz\. Allowed: animal_id, "):
        animals_of(path)


def test_an_unknown_column_is_refused_with_those_that_look_like_it(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id,animal_seks\na0f1,male\n")
    with pytest.raises(InputError, match=r"animal_seks \(like animal_sex"):
        animals_of(path)


def test_columns_beside_the_mapped_ones_are_ignored(tmp_path: Path) -> None:
    path = written(tmp_path, "Room,No,Tag\n3,a0f1,90218\n")
    columns = {"animal_id": "No", "animal_name": "Tag"}
    assert animals_of(path, columns=columns) == [animal("a0f1", animal_name="90218")]


def test_a_mapped_column_that_is_missing_is_an_error_with_those_that_look_like_it(tmp_path: Path) -> None:
    path = written(tmp_path, "AnimalNo,Tag\na0f1,90218\n")
    with pytest.raises(InputError, match=r"lacks columns .*'AnimalNr'.*like AnimalNo.*Allowed: Anim"):
        animals_of(path, columns={"animal_id": "AnimalNr"})


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", InputError, "no column animal_id"),
        (b"animal_name\n90218\n", InputError, "no column animal_id"),
        (b"animal_id,genotype:\na0f1,het\n", InputError, "columns that are not known"),
        (b"animal_id,animal_name,animal_name\na,b,c\n", InputError, "a column twice"),
        (b"animal_id,genotype:Cre,genotype: Cre\na,b,c\n", InputError, "a column twice"),
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
        animals_of(path)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError, match="not there"):
        animals_of(tmp_path / "animals.csv")


def test_a_file_that_was_written_just_now_may_be_written_still(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id\na0f1\n")
    with pytest.raises(StillCopyingError, match="still being written.*Wait a minute") as raised:
        animals_of(path, must_be_settled=True)
    assert raised.value.responsible is Responsible.RETRY
    two_minutes_ago = time.time() - 120
    os.utime(path, (two_minutes_ago, two_minutes_ago))
    assert animals_of(path, must_be_settled=True) == [animal("a0f1")]


@pytest.mark.parametrize("end", ["a0f2,902", "a0f2,90219", 'a0f2,"90219"'])
def test_a_file_that_was_not_written_to_its_end_is_refused_as_a_source(tmp_path: Path, end: str) -> None:
    path = written(tmp_path, f"animal_id,animal_name\na0f1,90218\n{end}")
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    with pytest.raises(FormatError, match=rf"ends within a line.*Found: {end}.*The administrator's move"):
        animals_of(path, must_be_settled=True)
    # By hand people import what they wrote themselves.
    assert len(animals_of(path)) == 2


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "animal_id\na0f1\n")

    def read_and_write() -> None:
        with CsvFile(path).snapshot() as snapshot:
            list(snapshot.animals)
            path.write_text("animal_id\na0f1\na0f2\n")

    with pytest.raises(PipelineError, match="changed while it was read") as raised:
        read_and_write()
    assert raised.value.responsible is Responsible.RETRY


def test_json_lines_may_have_numbers_nulls_and_genotypes_of_their_own(tmp_path: Path) -> None:
    path = written_lines(
        tmp_path,
        {"animal_id": 4711, "litter": 12.5, "color": None, "genotypes": {"Cre": "het", " Flp": None}},
        "",
        {"animal_id": "b", "genotype:Cre": "wt"},
    )
    assert read_all(JsonLines(path))[0] == [
        Animal(
            AnimalKey("4711", 0),
            {"litter": "12.5", "color": None, "genotype:Cre": "het", "genotype:Flp": None},
        ),
        Animal(AnimalKey("b", 0), {"genotype:Cre": "wt"}),
    ]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{animal_id}", "The row is no JSON"),
        ('{"animal_id": "a", "animal_id": "b"}', "The row is no JSON"),
        ("[1]", "The row is no JSON object"),
        ({"animal_id": "a", "litter": [1]}, "litter cannot be taken"),
        ({"animal_id": "a", "litter": True}, "litter cannot be taken"),
        ({"animal_id": "\ud800"}, "animal_id cannot be taken"),
        ({"animal_name": "a"}, "The row has no animal_id"),
    ],
)
def test_an_invalid_line_is_a_problem_with_its_number(tmp_path: Path, line: object, what: str) -> None:
    path = written_lines(tmp_path, {"animal_id": "x"}, line, {"animal_id": "y"})
    animals, problems = read_all(JsonLines(path))
    assert [each.key.animal_id for each in animals] == ["x", "y"]
    assert [(problem.row, problem.what) for problem in problems.recorded] == [("2", what)]


def test_numbers_of_json_lines_are_whole_where_they_can_be(tmp_path: Path) -> None:
    lines = [
        '{"animal_id": 4711.0, "datasource_id": 2.0, "animal_name": 90218.0, "purpose": 3.0}',
        '{"animal_id": 1.25e5, "datasource_id": null, "animal_name": null, "purpose": null}',
    ]
    assert read_all(JsonLines(written_lines(tmp_path, *lines)))[0] == [
        animal("125000", animal_name="125000", purpose=None),
        animal("4711", 2, animal_name="90218", purpose="3"),
    ]


@pytest.mark.parametrize(
    ("value", "shown"), [("1e400", "Infinity"), ("NaN", "NaN"), ("12.5", "12.5"), ("9007199254740993.0", "9")]
)
def test_a_number_of_json_lines_that_identifies_nobody_is_a_problem(
    tmp_path: Path, value: str, shown: str
) -> None:
    path = written_lines(tmp_path, {"animal_id": "x"}, f'{{"animal_id": {value}}}')
    animals, problems = read_all(JsonLines(path))
    assert [each.key.animal_id for each in animals] == ["x"]
    (problem,) = problems.recorded
    assert (problem.row, problem.what) == ("2", "animal_id cannot be taken")
    assert problem.found.startswith(shown)


def test_a_number_that_no_float_holds_is_a_problem_in_any_column(tmp_path: Path) -> None:
    path = written_lines(tmp_path, '{"animal_id": "a", "genotypes": {"Cre": -1e400}}')
    (problem,) = read_all(JsonLines(path))[1].recorded
    assert (problem.animal_id, problem.what) == ("a", "genotype:Cre cannot be taken")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_lines_are_split_as_letters_and_not_as_bytes(tmp_path: Path, encoding: str) -> None:
    # In UTF-16, one byte of "Ċ" and of "ਊ" is that of a line's end.
    path = tmp_path / "animals.jsonl"
    path.write_bytes('{"animal_id": "Ċ"}\n\n{"animal_id": "ਊ"}\n'.encode(encoding))
    animals, problems = read_all(JsonLines(path, encoding=encoding))
    assert ([each.key.animal_id for each in animals], problems.recorded) == (["Ċ", "ਊ"], [])


@pytest.mark.parametrize("kind", [CsvFile, JsonLines])
def test_a_file_that_breaks_off_within_a_letter_is_refused(
    tmp_path: Path, kind: type[CsvFile | JsonLines]
) -> None:
    path = tmp_path / "animals"
    path.write_bytes('{"animal_id": "a"}\n'.encode("utf-16")[:-1])
    with pytest.raises(FormatError, match=r"no text in utf-16.*The administrator's move"):
        read_all(kind(path, encoding="utf-16"))


def test_json_lines_that_end_within_a_line_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "animals.jsonl"
    path.write_text('{"animal_id": "a"}\n{"animal_id": "b"')
    with pytest.raises(FormatError, match="ends within line 2.*The administrator's move"):
        read_all(JsonLines(path))


def test_a_key_of_json_lines_that_is_not_known_is_refused_with_those_that_look_like_it(
    tmp_path: Path,
) -> None:
    path = written_lines(tmp_path, {"animal_id": "a", "animal_seks": "male"})
    with pytest.raises(InputError, match=r"'animal_seks'.*like animal_sex"):
        read_all(JsonLines(path))
