"""Animals from a colony's database that is unlike ours, into ours, on both backends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from imaging_pipeline.colony.animal import AnimalKey
from imaging_pipeline.colony.comparison import AnimalChanges
from imaging_pipeline.colony.runs import HEARTBEAT_TIMEOUT_S, Counts, Run
from imaging_pipeline.colony.sources.columns import MAX_LENGTHS, SEXES
from imaging_pipeline.colony.sources.contract import Source
from imaging_pipeline.colony.sources.csv_file import CsvFile
from imaging_pipeline.colony.sources.registry import configured_source
from imaging_pipeline.colony.sync import Outcome, sync
from imaging_pipeline.config.config import Secret
from imaging_pipeline.errors import ColonyError, NothingFoundError, Responsible
from imaging_pipeline.schemas import mlims, tables
from tests.makers.colony import PASSWORD, Colony, Mouse, many_mice
from tests.makers.lab import Lab, row_counts
from tests.makers.server_process import ServerProcess

COLONY = 1
"""The colony's number: the lab's own animal has another one."""

Sync = Callable[..., Outcome]


@pytest.fixture
def colony(mariadb_server: ServerProcess) -> Colony:
    return Colony(mariadb_server)


@pytest.fixture
def source_with(lab: Lab, colony: Colony) -> Callable[..., Source]:
    """Return a function that makes a source of the colony with some settings."""

    def make(**settings: Any) -> Source:
        config = replace(
            lab.config,
            mlims_source=colony.settings(**{"datasource_id": COLONY, **settings}),
            mlims_password=Secret(PASSWORD),
        )
        source = configured_source(config)
        assert source is not None
        return source

    return make


@pytest.fixture
def run(source_with: Callable[..., Source]) -> Sync:
    """Return a function that brings the tables up to the colony."""
    return lambda **how: sync(tables.default_tables(), source_with(), **how)


def columns(number: int) -> dict[str, Any]:
    """Return all that the tables hold of an animal."""
    key = {"animal_id": str(number), "datasource_id": COLONY}
    animal = mlims.Animal
    stored = dict((animal & key).fetch1())
    for part in ("Strain", "BackgroundStrain", "Generation", "Litter", "Purpose", "Death"):
        for row in (getattr(animal, part) & key).to_dicts():
            stored |= row
    stored["genotypes"] = {row["gene"]: row["genotype"] for row in (mlims.Genotype & key).to_dicts()}
    return {name: value for name, value in stored.items() if name not in (*key, "animal_entry_time")}


def logged(run: int) -> list[tuple[Any, ...]]:
    """Return what a run changed, as it is kept."""
    rows = (mlims.Sync.Change & {"sync_id": run}).to_dicts(order_by="change_number")
    return [
        (row["changed_animal"], row["changed_field"], row["value_before"], row["value_after"]) for row in rows
    ]


def gone_since() -> dict[str, Any]:
    return {row["animal_id"]: row["missed_since"] for row in mlims.Animal.Gone().to_dicts()}


def content(lab: Lab) -> dict[str, int]:
    """Count the rows of every table but those of runs."""
    return {name: rows for name, rows in row_counts(lab).items() if "sync" not in name}


def test_everything_arrives_through_joins_codes_and_character_sets(run: Sync, colony: Colony) -> None:
    colony.add(
        Mouse(
            4711,
            ear_tag="Bjørn",
            sex=1,
            born="2024-01-09",
            species=2,
            line=2,
            coat="agouti",
            litter="L7",
            generation=3,
            project="grid cells",
            remark="frißt 'gut' \\ \"100 %\"",
            exit=("2025-06-01 13:30:00", "old"),
            typed=((1, "+/-"), (3, "-/-"), (2, "?")),
        ),
        Mouse(4712, species=None, line=None, coat=None, born=None, sex=9, exit=("0000-00-00", None)),
    )
    outcome = run()
    assert (outcome.counts.num_added, outcome.problems) == (2, ())
    assert columns(4711) == {
        "animal_name": "Bjørn",
        "animal_species": "rat",
        "animal_sex": "male",
        "animal_dob": date(2024, 1, 9),
        "animal_notes": "frißt 'gut' \\ \"100 %\"",
        "color": "agouti",
        "strain": "Ångström-Cre",
        "generation": "F3",
        "litter": "L7",
        "purpose": "grid cells",
        "death_date": date(2025, 6, 1),
        "death_cause": "old",
        "genotypes": {"Cre": "het", "β-actin": "wt"},
    }
    assert columns(4712) == {
        "animal_name": "4712",
        "animal_species": "mouse",
        "animal_sex": "unknown",
        "animal_dob": None,
        "animal_notes": "",
        "color": None,
        "genotypes": {},
    }


def test_a_colony_that_is_unchanged_changes_nothing(run: Sync, colony: Colony, lab: Lab) -> None:
    colony.add(*many_mice(300))
    first = run()
    before = content(lab)
    second = run()
    assert (first.counts.num_added, first.counts.num_changed) == (300, 0)
    assert second.counts == Counts(num_animals=300)
    assert content(lab) == before
    assert logged(0) == logged(1) == []


def test_texts_of_all_kinds_are_unchanged_and_what_people_changed_here_is_changed_back(
    run: Sync, colony: Colony
) -> None:
    colony.add(
        Mouse(1, ear_tag="Bjørn", remark="'a' \"b\" \\ / 100 %\n\tÅ", typed=((1, "+/-"), (3, "-/-"))),
        Mouse(2, line=None, coat=None, born=None),
        Mouse(3, line=2, exit=("2025-06-01", None)),
    )
    run()
    batches: list[AnimalChanges] = []
    assert run(on_changes=batches.append).counts == Counts(num_animals=3)
    assert batches == []
    mlims.Animal().update1({"animal_id": "2", "datasource_id": COLONY, "animal_notes": "limps"})
    mlims.Genotype().update1({"animal_id": "1", "datasource_id": COLONY, "gene": "Cre", "genotype": "hom"})
    assert run().counts.num_changed == 2
    assert logged(2) == [("1", "genotype:Cre", "hom", "het"), ("2", "animal_notes", "limps", None)]


def test_a_dry_run_reports_the_changes_of_a_run_and_writes_nothing(
    run: Sync, colony: Colony, lab: Lab
) -> None:
    colony.add(Mouse(1), Mouse(2), Mouse(3))
    run()
    colony.run("UPDATE tblAnimals SET Coat = 'white' WHERE AnimalNo = 1")
    colony.run("DELETE FROM tblAnimals WHERE AnimalNo = 2")
    colony.add(Mouse(4))
    batches: dict[bool, list[AnimalChanges]] = {True: [], False: []}
    before = row_counts(lab)
    tried = run(dry_run=True, on_changes=batches[True].append)
    assert row_counts(lab) == before
    done = run(on_changes=batches[False].append)
    assert batches[True] == batches[False]
    assert tried.counts == done.counts == Counts(4 - 1, 1, 1, 1)


def test_changes_are_recorded_field_by_field_with_their_run(run: Sync, colony: Colony) -> None:
    colony.add(
        Mouse(1, coat="black", litter="L1", exit=("2025-01-01", "old"), typed=((1, "+/-"), (2, "+/+")))
    )
    run()
    colony.run(
        "UPDATE tblAnimals SET Coat = 'white', Litter = NULL, Project = 'grid cells', SexCode = 9",
        "DELETE FROM tblExits",
        "DELETE FROM tblTyping WHERE AlleleID = 1",
        "UPDATE tblTyping SET Result = '-/-'",
        "INSERT INTO tblTyping VALUES (1, 3, '+/+')",
    )
    outcome = run()
    assert outcome.counts.num_changed == 1
    assert sorted(logged(1)) == [
        ("1", "animal_sex", "female", "unknown"),
        ("1", "color", "black", "white"),
        ("1", "death_cause", "old", None),
        ("1", "death_date", "2025-01-01", None),
        ("1", "genotype:Cre", "het", None),
        ("1", "genotype:GCaMP6", "hom", "wt"),
        ("1", "genotype:β-actin", None, "hom"),
        ("1", "litter", "L1", None),
        ("1", "purpose", None, "grid cells"),
    ]
    stored = columns(1)
    assert (stored["color"], stored["purpose"], stored["genotypes"]) == (
        "white",
        "grid cells",
        {"GCaMP6": "wt", "β-actin": "hom"},
    )
    assert "litter" not in stored
    assert "death_date" not in stored


def test_a_death_is_stored(run: Sync, colony: Colony) -> None:
    colony.add(Mouse(1))
    run()
    colony.run("INSERT INTO tblExits VALUES (1, '2025-06-01 10:00:00', NULL)")
    run()
    assert mlims.Animal.Death().fetch1("death_date") == date(2025, 6, 1)
    assert logged(1) == [("1", "death_date", None, "2025-06-01")]


def test_a_renamed_animal_keeps_its_identifier_and_its_former_names(run: Sync, colony: Colony) -> None:
    colony.add(Mouse(1, ear_tag="90218"), Mouse(2, ear_tag="90219"))
    run()
    for name in ("90218b", "90218", "90220"):
        colony.run(f"UPDATE tblAnimals SET EarTag = '{name}' WHERE AnimalNo = 1")
        run()
    assert columns(1)["animal_name"] == "90220"
    former = mlims.Animal.FormerName().to_dicts(order_by="name_number")
    assert [(row["animal_id"], row["name_number"], row["former_name"]) for row in former] == [
        ("1", 0, "90218"),
        ("1", 1, "90218b"),
        ("1", 2, "90218"),
    ]
    assert all(row["renamed_time"] is not None for row in former)


def test_a_missing_animal_is_marked_once_and_comes_back(run: Sync, colony: Colony, lab: Lab) -> None:
    colony.add(Mouse(1), Mouse(2), Mouse(3))
    run()
    colony.run("DELETE FROM tblAnimals WHERE AnimalNo = 2")
    assert run().counts.num_gone == 1
    (since,) = gone_since().items()
    assert since[0] == "2"
    assert run().counts == Counts(num_animals=2)
    assert list(gone_since().items()) == [since]
    assert columns(2)["animal_name"] == "2"
    colony.add(Mouse(2, coat="white"))
    back = run()
    assert (back.counts.num_returned, back.counts.num_changed, gone_since()) == (1, 1, {})
    assert logged(1) == [("2", "gone", None, "yes")]
    assert sorted(logged(3)) == [("2", "color", "black", "white"), ("2", "gone", "yes", None)]
    # The lab's own animal is of another colony.
    assert len(mlims.Animal()) == 4


def test_bad_rows_are_named_by_their_animal_and_all_others_are_used(
    run: Sync, colony: Colony, source_with: Callable[..., Source]
) -> None:
    colony.add(
        Mouse(1),
        Mouse(2, born="0000-00-00"),
        Mouse(3, sex=7),
        Mouse(4, ear_tag="one"),
        Mouse(4, ear_tag="other"),
        Mouse(5, exit=("2020-01-01", "before it was born")),
        Mouse(6, raw_note=b"Bj\xf8rn"),
        Mouse(7),
    )
    settings = source_with().animals
    noted = replace(settings, columns={**settings.columns, "animal_notes": "a.RawNote"})
    outcome = sync(tables.default_tables(), replace(source_with(), animals=noted))
    assert [(each.animal_id, each.what.partition(" cannot")[0]) for each in outcome.problems] == [
        ("2", "animal_dob"),
        ("3", "animal_sex"),
        ("5", "The animal died before it was born"),
        ("6", "animal_notes"),
        ("4", "Several rows have one animal_id"),
        ("4", "Several rows have one animal_id"),
    ]
    assert (outcome.counts.num_added, outcome.counts.num_rows_skipped) == (2, 6)
    kept = mlims.Sync.Problem().to_dicts(order_by="problem_number")
    assert [(row["problem_animal"], row["problem_found"]) for row in kept[:2]] == [
        ("2", "0000-00-00"),
        ("3", "7"),
    ]


def test_an_animal_whose_row_is_skipped_is_not_gone(run: Sync, colony: Colony) -> None:
    colony.add(Mouse(1), Mouse(2), Mouse(3))
    run()
    colony.run("UPDATE tblAnimals SET SexCode = 7 WHERE AnimalNo = 2")
    outcome = run()
    assert (outcome.counts.num_rows_skipped, outcome.counts.num_gone) == (1, 0)
    assert columns(2)["animal_sex"] == "female"
    colony.run("UPDATE tblAnimals SET SexCode = 2 WHERE AnimalNo = 2")
    assert run().counts == Counts(num_animals=3)
    assert len(mlims.Sync.Problem()) == 0


def test_a_row_without_an_identifier_may_be_any_animal_s(run: Sync, colony: Colony) -> None:
    colony.add(Mouse(1), Mouse(2), Mouse(3))
    run()
    colony.run("UPDATE tblAnimals SET AnimalNo = NULL WHERE AnimalNo = 2")
    outcome = run()
    assert (outcome.none_is_gone, outcome.counts.num_gone, outcome.counts.num_rows_skipped) == (True, 0, 1)
    assert gone_since() == {}


def test_contradicting_rows_of_genotypes_leave_what_is_stored(run: Sync, colony: Colony) -> None:
    colony.add(Mouse(1, typed=((1, "+/-"), (2, "+/+"))), Mouse(2, typed=((1, "-/-"),)))
    run()
    colony.run(
        "INSERT INTO tblTyping VALUES (1, 1, '-/-'), (2, 2, '+/+')",
        "DELETE FROM tblTyping WHERE Result = '+/+'",
    )
    outcome = run()
    assert [(each.animal_id, each.what) for each in outcome.problems] == [
        ("1", "Rows contradict each other on Cre")
    ]
    assert columns(1)["genotypes"] == {"Cre": "het", "GCaMP6": "hom"}


def test_a_source_with_fewer_than_half_of_the_animals_changes_nothing_unless_forced(
    run: Sync, colony: Colony, lab: Lab
) -> None:
    colony.add(*(Mouse(i) for i in range(5)))
    run()
    colony.run("DELETE FROM tblAnimals WHERE AnimalNo > 1", "UPDATE tblAnimals SET Coat = 'white'")
    before = content(lab)
    with pytest.raises(
        ColonyError, match=r"more than half.*Found: 2 animals. Allowed: at least 3: 5 are"
    ) as raised:
        run()
    assert raised.value.responsible is Responsible.ADMINISTRATOR
    assert content(lab) == before
    assert mlims.Sync().to_dicts(order_by="sync_id")[1]["sync_error"] == str(raised.value)
    forced = run(force=True)
    assert (forced.counts.num_gone, forced.counts.num_changed) == (3, 2)
    assert sorted(gone_since()) == ["2", "3", "4"]
    # It is the new size of the colony.
    assert run().counts == Counts(num_animals=2)


def test_half_of_the_animals_are_enough(run: Sync, colony: Colony) -> None:
    colony.add(*(Mouse(i) for i in range(4)))
    run()
    colony.run("DELETE FROM tblAnimals WHERE AnimalNo > 1")
    assert run().counts.num_gone == 2


def test_a_colony_without_animals_is_an_error(run: Sync, colony: Colony) -> None:
    with pytest.raises(NothingFoundError, match=r"no animals .mysql colony at .*administrator's move"):
        run()


def test_a_source_that_does_not_answer_is_recorded_as_an_error_of_its_run(
    source_with: Callable[..., Source], colony: Colony, lab: Lab
) -> None:
    before = content(lab)
    source = source_with(port=1, timeout_s=2)
    with pytest.raises(ColonyError, match=r"does not answer.*mysql colony at .*It is tried again") as raised:
        sync(tables.default_tables(), source)
    assert PASSWORD not in str(raised.value)
    assert content(lab) == before
    row = mlims.Sync().fetch1()
    assert (row["sync_error"], row["sync_source"]) == (str(raised.value), source.name)
    assert row["sync_duration_s"] is not None


def test_a_source_that_breaks_off_in_the_middle_changes_nothing(
    run: Sync, source_with: Callable[..., Source], colony: Colony, lab: Lab
) -> None:
    remark = "x" * 1000
    colony.add(*(Mouse(i, remark=remark) for i in range(20_000)))
    source = source_with()
    before = content(lab)
    is_killed = []

    def kill_the_reader() -> None:
        if not is_killed:
            is_killed.append(True)
            colony.kill_readers()

    original = Run.renew_if_due
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "renew_if_due", lambda self: (kill_the_reader(), original(self)))
        with pytest.raises(ColonyError, match=r"does not answer, or not to its end") as raised:
            sync(tables.default_tables(), source)
    assert raised.value.responsible is Responsible.RETRY
    assert content(lab) == before


def test_a_source_that_is_silent_for_too_long_is_an_error(
    source_with: Callable[..., Source], colony: Colony
) -> None:
    colony.add(Mouse(1))
    source = source_with(timeout_s=1)
    slow = replace(source.animals, columns={**source.animals.columns, "animal_notes": "SLEEP(30)"})
    begun = time.monotonic()
    with pytest.raises(ColonyError, match=r"does not answer, or not to its end.*timed out"):
        sync(tables.default_tables(), replace(source, animals=slow))
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"animal_name": "a.EarTagg"}, "Unknown column 'a.EarTagg'"),
        ({"animal_name": "a.EarTag FROM"}, "SQL syntax"),
    ],
)
def test_a_mapping_that_the_database_refuses_is_an_error(
    source_with: Callable[..., Source], changed: dict[str, str], message: str
) -> None:
    source = source_with()
    wrong = replace(source.animals, columns={**source.animals.columns, **changed})
    with pytest.raises(ColonyError, match=f"{message}.*Correct from and columns.*administrator's move"):
        sync(tables.default_tables(), replace(source, animals=wrong))


def test_a_run_prevents_another_one(run: Sync, source_with: Callable[..., Source], colony: Colony) -> None:
    colony.add(Mouse(1))
    going_on = Run(tables.default_tables(), source_with(), is_whole=True)
    with pytest.raises(ColonyError, match=r"Another comparison.*one of mysql colony.*begun on .*tried again"):
        run()
    # To look disturbs nobody.
    assert run(dry_run=True).counts.num_added == 1
    going_on.fail(Counts(), RuntimeError("it gave up"))
    assert run().counts.num_added == 1


def test_a_killed_run_does_not_prevent_another_and_writes_no_more(
    run: Sync, source_with: Callable[..., Source], colony: Colony, lab: Lab
) -> None:
    colony.add(Mouse(1))
    killed = Run(tables.default_tables(), source_with(), is_whole=True)
    ago = lab.connection.adapter.interval_expr(HEARTBEAT_TIMEOUT_S + 1, "second")
    lab.connection.query(f"UPDATE {mlims.Sync.full_table_name} SET sync_alive = CURRENT_TIMESTAMP(6) - {ago}")
    assert run().counts.num_added == 1
    rows = mlims.Sync().to_dicts(order_by="sync_id")
    assert ["ended without a word" in row["sync_error"] for row in rows] == [True, False]
    with pytest.raises(ColonyError, match="Another comparison with the colony has begun"):
        killed.renew()


def test_a_file_that_is_imported_by_hand_changes_no_other_animals(
    run: Sync, colony: Colony, tmp_path: Any
) -> None:
    colony.add(Mouse(1), Mouse(2), Mouse(3))
    run()
    file = tmp_path / "animals.csv"
    file.write_text(f"animal_id,datasource_id,color\n1,{COLONY},white\nx,0,black\n")
    outcome = sync(tables.default_tables(), CsvFile(file), is_whole=False)
    assert outcome.counts == Counts(2, num_added=1, num_changed=1)
    assert gone_since() == {}
    assert columns(1)["color"] == "white"
    row = (mlims.Sync & {"sync_id": 1}).fetch1()
    assert (bool(row["sync_is_whole"]), row["sync_source"]) == (False, f"csv {file}")


def test_every_run_is_a_row(run: Sync, colony: Colony) -> None:
    colony.add(Mouse(1), Mouse(2))
    run()
    colony.run(
        "UPDATE tblAnimals SET Coat = 'white' WHERE AnimalNo = 1", "DELETE FROM tblAnimals WHERE AnimalNo = 2"
    )
    run()
    (first, second) = mlims.Sync().to_dicts(order_by="sync_id")
    assert first["sync_source"].startswith("mysql colony at 127.0.0.1:")
    assert (first["num_animals"], first["num_added"], first["num_changed"], first["num_gone"]) == (2, 2, 0, 0)
    assert (second["num_animals"], second["num_added"], second["num_changed"], second["num_gone"]) == (
        1,
        0,
        1,
        1,
    )
    assert first["sync_started"] < second["sync_started"]
    assert 0 < second["sync_duration_s"] < 60
    assert (second["sync_error"], second["sync_datasource"]) == ("", COLONY)


def test_batches_are_written_one_after_the_other(
    run: Sync, colony: Colony, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imaging_pipeline.colony.sync._ANIMALS_PER_BATCH", 7)
    monkeypatch.setattr("imaging_pipeline.colony.reading._ROWS_PER_BATCH", 5)
    colony.add(*many_mice(50))
    batches: list[AnimalChanges] = []
    assert run(on_changes=batches.append).counts.num_added == 50
    assert [len(changes.added) for changes in batches] == [7] * 7 + [1]
    colony.run("UPDATE tblAnimals SET Coat = 'pink'", "DELETE FROM tblAnimals WHERE AnimalNo % 3 = 0")
    outcome = run()
    assert (outcome.counts.num_changed, outcome.counts.num_gone) == (34, 16)
    assert len(mlims.Animal & {"color": "pink"}) == 34
    assert len(logged(1)) == 50
    keys = {AnimalKey(row["animal_id"], row["datasource_id"]) for row in mlims.Animal.Gone().to_dicts()}
    assert keys == {AnimalKey(str(i), COLONY) for i in range(3, 51, 3)}


def test_the_reader_of_animals_knows_the_lengths_of_the_tables_columns(lab: Lab) -> None:
    animal = mlims.Animal
    parts = (
        animal.Strain,
        animal.BackgroundStrain,
        animal.Generation,
        animal.Litter,
        animal.Purpose,
        animal.Death,
    )
    columns = {
        column.name: column.original_type or column.type
        for table in (mlims.Gene, mlims.Genotype, *parts, animal)
        for column in table.heading.attributes.values()
    }
    declared = {name: kind for name, kind in columns.items() if kind.startswith("varchar")}
    assert {name: f"varchar({room})" for name, room in MAX_LENGTHS.items()} == {
        name: kind for name, kind in declared.items() if name != "gene_description"
    }
    assert columns["animal_sex"] == f"enum({', '.join(map(repr, SEXES))})"
