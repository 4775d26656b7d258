"""What a source says of animals, held against what the tables hold."""

from __future__ import annotations

from imaging_pipeline.colony.animal import Animal, AnimalKey
from imaging_pipeline.colony.comparison import FieldChange, StoredAnimal, compare

KEY = AnimalKey("a", 0)
STORED = StoredAnimal(
    {"animal_name": "90218", "animal_notes": None, "strain": "Ai95", "genotype:Cre": "het", "litter": "L1"}
)


def changed(animal: Animal, stored: StoredAnimal = STORED) -> set[tuple[str, str | None, str | None]]:
    return {(each.field, each.before, each.after) for each in compare([animal], {KEY: stored}).changed}


def test_columns_of_a_source_have_its_values_and_all_others_stay() -> None:
    animal = Animal(KEY, {"animal_name": "90218", "strain": "Ai148", "litter": None, "genotype:Flp": "wt"})
    assert changed(animal) == {
        ("strain", "Ai95", "Ai148"),
        ("litter", "L1", None),
        ("genotype:Flp", None, "wt"),
    }


def test_a_gene_is_withdrawn_only_where_the_source_has_all_of_them() -> None:
    assert changed(Animal(KEY, {}, has_all_genes=True)) == {("genotype:Cre", "het", None)}
    assert changed(Animal(KEY, {}, has_all_genes=False)) == set()


def test_an_animal_that_was_gone_comes_back() -> None:
    changes = compare([Animal(KEY, {})], {KEY: StoredAnimal(STORED.values, is_gone=True)})
    assert changes.changed == (FieldChange(KEY, "gone", "yes", None),)
    assert (changes.num_returned, changes.num_changed) == (1, 0)


def test_animals_are_counted_by_what_becomes_of_them() -> None:
    keys = [AnimalKey(animal_id, 0) for animal_id in "abc"]
    animals = [Animal(key, {"animal_name": "x", "strain": "y"}) for key in keys]
    stored = {keys[0]: StoredAnimal({"animal_name": "x", "strain": "y"}), keys[1]: StoredAnimal({})}
    changes = compare(animals, stored)
    assert changes.added == (animals[2],)
    assert changes.num_changed == 1
