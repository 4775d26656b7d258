"""What was read of a source, held against the animals that the tables hold."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from imaging_pipeline.colony.animal import Animal, AnimalKey, Values
from imaging_pipeline.colony.sources.columns import COLUMNS
from imaging_pipeline.colony.sources.record import RowProblem
from imaging_pipeline.colony.staging import Genotype, Staging, StoredRow
from imaging_pipeline.errors import Responsible, StoreError

KEY = AnimalKey("a", 1)
STORED: dict[str, str | None] = {
    **dict.fromkeys(COLUMNS),
    "animal_name": 'Bjørn\'s "1\\2" \t🐁',
    "strain": "Ai95",
    "litter": "L1",
}


@pytest.fixture
def staging() -> Iterator[Staging]:
    with Staging() as staging:
        yield staging


def account(key: AnimalKey = KEY, *, is_gone: bool = False, **genes: str) -> StoredRow:
    return StoredRow(*key, is_gone, json.dumps(list(STORED.values())), json.dumps(genes))


def differing(staging: Staging, *stored: StoredRow) -> list[Animal]:
    """Return the animals that differ from what is stored."""
    assert list(staging.drop_duplicates()) == []
    staging.add_stored(stored)
    return [animal for batch in staging.differing(10) for animal in batch]


@pytest.mark.parametrize(
    "values", [STORED, {"litter": "L1", "animal_name": STORED["animal_name"]}, {"color": None}, {}]
)
def test_an_animal_with_the_stored_values_is_left_out(staging: Staging, values: Values) -> None:
    staging.add_animals([("1", Animal(KEY, values))])
    assert differing(staging, account(Cre="het")) == []


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        (STORED | {"strain": "Ai148"}, account()),
        (STORED | {"strain": None}, account()),
        ({"color": "black"}, account()),
        (STORED, account(AnimalKey("a", 2))),
        (STORED, account(is_gone=True)),
        (STORED | {"genotype:Cre": "wt"}, account(Cre="het")),
        (STORED | {"genotype:Cre": None}, account(Cre="het")),
        (STORED | {"genotype:Cre": "wt"}, account()),
    ],
)
def test_an_animal_with_other_values_is_yielded_with_them(
    staging: Staging, values: Values, stored: StoredRow
) -> None:
    staging.add_animals([("1", Animal(KEY, values))])
    assert differing(staging, stored) == [Animal(KEY, values)]


def test_genotypes_in_rows_of_their_own_are_complete(staging: Staging) -> None:
    keys = [AnimalKey(name, 1) for name in "abc"]
    staging.add_animals((key.animal_id, Animal(key, STORED, has_all_genes=True)) for key in keys)
    staging.add_genotypes((each.animal_id, Genotype(each.animal_id, "Cre", "het")) for each in keys)
    stored = [account(keys[0], Cre="het"), account(keys[1]), account(keys[2], Cre="het", Flp="wt")]
    expected = STORED | {"genotype:Cre": "het"}
    assert differing(staging, *stored) == [Animal(key, expected, has_all_genes=True) for key in keys[1:]]


def test_a_gene_is_not_withdrawn_if_a_row_of_genotypes_is_skipped(staging: Staging) -> None:
    staging.add_animals([("1", Animal(KEY, STORED, has_all_genes=True))])
    staging.mark_incomplete([RowProblem("1", "a", "gene cannot be taken", "", "")])
    assert differing(staging, account(Cre="het")) == []


def test_a_full_disk_is_an_error_and_nothing_is_left_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def fill() -> None:
        with Staging() as staging:
            # SQLite finds no way to a disk of another namespace, and says the same of a full one.
            staging._file.execute("PRAGMA max_page_count = 30")
            staging.add_animals((str(i), Animal(AnimalKey(str(i), 0), STORED)) for i in range(2000))

    with pytest.raises(StoreError, match=rf"no room.*{tmp_path}.*disk is full.*Make room") as raised:
        fill()
    assert raised.value.responsible is Responsible.ADMINISTRATOR
    assert list(tmp_path.iterdir()) == []


def test_animals_come_in_batches_in_the_order_of_their_identifiers(staging: Staging) -> None:
    keys = [AnimalKey(name, 1) for name in "cabd"]
    staging.add_animals((key.animal_id, Animal(key, STORED)) for key in keys)
    staging.add_stored([account(AnimalKey("b", 1))])
    assert [[each.key.animal_id for each in batch] for batch in staging.differing(2)] == [["a", "c"], ["d"]]


def test_missing_animals_are_yielded_once(staging: Staging) -> None:
    staging.add_animals([("1", Animal(KEY, STORED))])
    staging.add_skipped([RowProblem("2", "b", "no", "", "")], 1)
    staging.add_stored(account(AnimalKey(name, 1), is_gone=name == "d") for name in "abcdef")
    assert staging.num_present() == 5
    assert list(staging.missing(1)) == [["c"], ["e"], ["f"]]
