"""What every kind of source of animals keeps to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.colony.animal import Animal, AnimalKey
from imaging_pipeline.colony.sources.contract import COMMON_SETTINGS
from imaging_pipeline.colony.sources.registry import SOURCES, configured_source
from imaging_pipeline.config.config import Config, Secret, embedded_config
from imaging_pipeline.errors import ColonyError, ConfigError, PipelineError, Responsible
from tests.makers.colony_sources import KINDS, PASSWORD, MysqlKind, read_all, source_of
from tests.makers.server_process import ServerProcess

BJØRN = "Bjørn 東京"
FULL = {
    "animal_id": "a0f1",
    "animal_name": BJØRN,
    "animal_species": "rat",
    "animal_sex": "Female",
    "animal_dob": "2026-01-31",
    "animal_notes": "calm, 'eats' \\ \"well\"",
    "color": "black",
    "strain": "Ai95",
    "background_strain": "C57BL/6J",
    "generation": "F3",
    "litter": "L12",
    "purpose": "imaging",
    "death_date": "2026-07-01",
    "death_cause": "old",
    "genotype:Cre": "het",
}
EMPTY = {name: None for name in FULL} | {"animal_id": "a0f2"}


@pytest.fixture(params=KINDS, ids=lambda kind: kind.kind)
def maker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Return a source of each kind to write to."""
    needs_server = request.param.kind == "mysql"
    return request.param(tmp_path, request.getfixturevalue("mariadb_server") if needs_server else None)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return embedded_config(tmp_path)


def test_every_kind_of_source_has_a_maker_for_the_contract() -> None:
    assert {kind.kind for kind in KINDS} == {source.kind for source in SOURCES}


class TestEverySource:
    """The contract; a new kind of source passes it as it stands."""

    def test_it_reads_every_value(self, maker: Any, config: Config) -> None:
        maker.write([FULL, EMPTY])
        animals, problems = read_all(source_of(config, maker.settings()))
        assert problems.recorded == []
        values = {name: value for name, value in FULL.items() if name != "animal_id"}
        assert animals == [
            Animal(AnimalKey("a0f1", 0), values | {"animal_sex": "female"}),
            Animal(
                AnimalKey("a0f2", 0),
                dict.fromkeys(values)
                | {"animal_name": "a0f2", "animal_species": "mouse", "animal_sex": "unknown"},
            ),
        ]

    def test_its_names_values_and_days_are_translated(self, maker: Any, config: Config) -> None:
        rows = [
            {"animal_id": "1", "animal_sex": "2", "animal_dob": "31.01.2026", "genotype:Cre": "+/-"},
            {"animal_id": "2", "animal_sex": "9", "animal_dob": "never", "genotype:Cre": "?"},
        ]
        maker.write(rows, named=maker.theirs)
        settings = maker.settings() | {
            "datasource_id": 7,
            "date_format": "%d.%m.%Y",
            "values": {
                "animal_sex": {"2": "female", "9": None},
                "animal_dob": {"never": None},
                "genotype": {"+/-": "het", "?": None},
            },
        }
        if maker.kind != "mysql":
            settings["columns"] = {column: maker.theirs(column) for column in rows[0]}
        animals, problems = read_all(source_of(config, settings))
        assert problems.recorded == []
        known = {"animal_sex": "female", "animal_dob": "2026-01-31", "genotype:Cre": "het"}
        assert animals == [
            Animal(AnimalKey("1", 7), known),
            Animal(AnimalKey("2", 7), dict.fromkeys(known) | {"animal_sex": "unknown"}),
        ]

    @pytest.mark.parametrize(
        ("bad", "what", "found", "allowed"),
        [
            ({"animal_id": None}, "The row has no animal_id", "nothing", "identifier"),
            ({"animal_id": "x" * 37}, "animal_id cannot be taken", "xxx", "at most 36"),
            (
                {"animal_id": "4711.5"},
                "animal_id cannot be taken",
                "4711.5",
                "no number with a decimal point",
            ),
            ({"animal_id": "4711,0"}, "animal_id cannot be taken", "4711,0", "point or comma"),
            ({"animal_id": "4,711"}, "animal_id cannot be taken", "4,711", "point or comma"),
            ({"animal_id": "1,20E+05"}, "animal_id cannot be taken", "1,20E+05", "an exponent"),
            ({"animal_name": "1,20E+05"}, "animal_name cannot be taken", "1,20E+05", "no exponent"),
            ({"animal_id": "1.20E+05"}, "animal_id cannot be taken", "1.20E+05", "or an exponent"),
            ({"animal_id": "9007199254740993.0"}, "animal_id cannot be taken", "993.0", "an identifier"),
            ({"animal_id": "nan"}, "animal_id cannot be taken", "nan", "an identifier"),
            ({"animal_name": "1.20E+05"}, "animal_name cannot be taken", "1.20E+05", "no exponent"),
            ({"animal_dob": "2026-02-30"}, "animal_dob cannot be taken", "2026-02-30", "a day that there is"),
            ({"animal_dob": "0000-00-00"}, "animal_dob cannot be taken", "0000-00-00", "a day that there is"),
            ({"animal_sex": "m?"}, "animal_sex cannot be taken", "m?", "male, female, unknown"),
            ({"animal_name": b"Bj\xf8rn"}, "animal_name cannot be taken", r"Bj\xf8rn", "text in UTF-8"),
            ({"death_cause": "old"}, "A cause of death needs a date of death", "old", "both"),
            ({"death_date": "2025-01-01"}, "The animal died before it was born", "2025", "2026-01-01 or"),
        ],
    )
    def test_a_bad_row_is_a_problem_and_all_others_are_read(
        self, maker: Any, config: Config, bad: dict[str, Any], what: str, found: str, allowed: str
    ) -> None:
        good = {
            "animal_id": "a",
            "animal_name": "one",
            "animal_sex": "male",
            "animal_dob": "2026-01-01",
            "death_date": None,
            "death_cause": None,
        }
        maker.write([good, good | {"animal_id": "b"} | bad, good | {"animal_id": "c"}])
        animals, problems = read_all(source_of(config, maker.settings()))
        assert [animal.key.animal_id for animal in animals] == ["a", "c"]
        (problem,) = problems.recorded
        assert problem.what == what
        assert found in problem.found
        assert allowed in problem.allowed
        assert problem.row == ("3" if maker.kind == "csv" else "2")
        assert problem.animal_id == ("" if "animal_id" in bad else "b")
        assert problems.has_unnamed == ("animal_id" in bad)

    def test_whole_numbers_of_a_column_with_gaps_are_whole(self, maker: Any, config: Config) -> None:
        maker.write(
            [
                {"animal_id": "4711.0", "animal_name": "90218.0", "animal_sex": "1.0", "litter": "12.00"},
                {"animal_id": "12e4", "animal_name": "7.5", "animal_sex": "2", "litter": None},
            ],
        )
        settings = maker.settings() | {"values": {"animal_sex": {"1": "male", "2.0": "female"}}}
        animals, problems = read_all(source_of(config, settings))
        assert problems.recorded == []
        assert animals == [
            Animal(AnimalKey("12e4", 0), {"animal_name": "7.5", "animal_sex": "female", "litter": None}),
            Animal(AnimalKey("4711", 0), {"animal_name": "90218", "animal_sex": "male", "litter": "12"}),
        ]

    def test_animals_with_one_identifier_are_all_problems(self, maker: Any, config: Config) -> None:
        ids = ("a", "b", "a", "c", "a")
        maker.write([{"animal_id": each, "animal_name": str(i)} for i, each in enumerate(ids)])
        animals, problems = read_all(source_of(config, maker.settings()))
        assert [animal.key.animal_id for animal in animals] == ["b", "c"]
        first = 2 if maker.kind == "csv" else 1
        rows = [str(first + i) for i in (0, 2, 4)]
        assert [problem.row for problem in problems.recorded] == rows
        assert {problem.found for problem in problems.recorded} == {f"a in rows {', '.join(rows)}"}
        assert problems.num_rows == 3

    def test_it_is_not_changed(self, maker: Any, config: Config) -> None:
        maker.write([FULL, EMPTY])
        before = maker.content()
        read_all(source_of(config, maker.settings()))
        assert maker.content() == before

    def test_its_records_are_yielded_while_it_is_read(self, maker: Any, config: Config) -> None:
        maker.write([FULL, EMPTY])
        with source_of(config, maker.settings()).snapshot() as snapshot:
            assert next(snapshot.animals).cells["animal_id"] in ("a0f1", b"a0f1")

    def test_a_source_that_does_not_answer_is_an_error_that_names_it(
        self, maker: Any, config: Config
    ) -> None:
        maker.write([FULL])
        maker.take_away()
        source = source_of(config, maker.settings())
        with pytest.raises(PipelineError) as raised:
            read_all(source)
        assert source.name.partition(" ")[2] in str(raised.value)
        assert raised.value.responsible in (Responsible.ADMINISTRATOR, Responsible.RETRY)

    def test_a_source_that_breaks_off_is_an_error(self, maker: Any, config: Config) -> None:
        maker.write([FULL, EMPTY | {"animal_notes": "the last"}])
        maker.break_off()
        with pytest.raises(PipelineError):
            read_all(source_of(config, maker.settings()))

    def test_its_password_is_never_shown(self, maker: Any, config: Config) -> None:
        maker.write([FULL])
        maker.take_away()
        source = source_of(config, maker.settings())
        with pytest.raises(PipelineError) as raised:
            read_all(source)
        assert PASSWORD not in f"{source!r} {source.name} {raised.value}"

    def test_an_unknown_setting_is_refused(self, maker: Any, config: Config) -> None:
        for name, near in (("date_fromat", "date_format"), ("zzz", "zzz")):
            with pytest.raises(ConfigError, match=f"takes no {name}.*{near}.*Allowed: kind, "):
                source_of(config, maker.settings() | {name: "x"})

    def test_a_missing_required_setting_is_an_error(self, maker: Any, config: Config) -> None:
        needed = [name for name in maker.settings() if name not in ("kind", "port", "timeout_s")]
        for name in needed:
            rest = {key: value for key, value in maker.settings().items() if key != name}
            with pytest.raises(ConfigError, match=f"lacks {name}"):
                source_of(config, rest)

    @pytest.mark.parametrize(
        ("name", "value", "allowed"),
        [
            ("datasource_id", -1, "a whole number from 0"),
            ("date_format", "%d", "a format with day, month and year"),
            ("date_format", "year-month-day", "a format with day, month and year"),
            ("values", {"animal_seks": {"1": "male"}}, "not 'animal_seks' .like animal_sex"),
            ("values", {"animal_sex": "male"}, "an object"),
        ],
    )
    def test_a_setting_that_is_wrong_is_refused(
        self, maker: Any, config: Config, name: str, value: object, allowed: str
    ) -> None:
        with pytest.raises(ConfigError, match=f"value of {name} .*is wrong.*{allowed}"):
            source_of(config, maker.settings() | {name: value})


def test_an_unknown_kind_is_refused_with_the_known_ones(config: Config) -> None:
    with pytest.raises(ConfigError, match=r"Found: mysq \(like mysql.*Allowed: mysql, csv, jsonl"):
        configured_source(replace(config, mlims_source={"kind": "mysq"}, mlims_password=Secret("")))


def test_without_a_source_there_is_none(config: Config) -> None:
    assert configured_source(config) is None


def test_settings_of_every_kind_have_one_meaning() -> None:
    names = [each.name for each in COMMON_SETTINGS]
    assert all(each.name not in names for source in SOURCES for each in source.own_settings)


@pytest.fixture
def database(tmp_path: Path, mariadb_server: ServerProcess) -> MysqlKind:
    made = MysqlKind(tmp_path, mariadb_server)
    made.write([{"animal_id": "a"}, {"animal_id": "b"}])
    return made


def test_a_database_cannot_be_written_in_the_session_that_reads_it(
    database: MysqlKind, config: Config
) -> None:
    database.run(
        "CREATE FUNCTION meddle() RETURNS text MODIFIES SQL DATA BEGIN DELETE FROM animals; RETURN 'a'; END"
    )
    settings = database.settings()
    settings["animals"] = {"from": "animals", "columns": {"animal_id": "meddle()"}}
    with pytest.raises(ColonyError, match="READ ONLY transaction"):
        read_all(source_of(config, settings))
    assert len(database.content()) == 2


def test_rows_are_counted_through_all_batches(database: MysqlKind, config: Config) -> None:
    """A problem names the row that it is about, however many rows came before."""
    numbers = (
        "(WITH RECURSIVE counted AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM counted WHERE n < 900)"
        " SELECT n FROM counted) AS numbers ORDER BY n"
    )
    animals = {"from": numbers, "columns": {"animal_id": "IF(n IN (300, 700), NULL, n)"}}
    _, problems = read_all(source_of(config, database.settings() | {"animals": animals}))
    assert [each.row for each in problems.recorded] == ["300", "700"]


def test_where_tls_is_required_an_unencrypted_connection_is_refused(
    database: MysqlKind, config: Config
) -> None:
    settings = database.settings()
    assert len(read_all(source_of(config, settings))[0]) == 2
    with pytest.raises(ColonyError, match="(?i)ssl"):
        read_all(source_of(config, settings | {"use_tls": True}))


def test_a_database_is_read_as_it_was_at_one_moment(database: MysqlKind, config: Config) -> None:
    columns = {"animal_id": "`their animal_id`", "gene": "'Cre'", "genotype": "'het'"}
    settings = database.settings() | {"genotypes": {"from": "animals", "columns": columns}}
    with source_of(config, settings).snapshot() as snapshot:
        animals = list(snapshot.animals)
        database.run("DELETE FROM animals")
        assert snapshot.genotypes is not None
        assert len(list(snapshot.genotypes)) == len(animals) == 2
