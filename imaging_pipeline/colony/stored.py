"""What the tables hold of animals, asked in few statements."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from imaging_pipeline.colony.animal import COLUMNS, GENOTYPE, AnimalKey
from imaging_pipeline.colony.changes import StoredAnimal
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.tables import Tables

MASTER = ("animal_name", "animal_species", "animal_sex", "animal_dob", "animal_notes", "color")
PARTS: Mapping[str, tuple[str, ...]] = {
    "Strain": ("strain",),
    "BackgroundStrain": ("background_strain",),
    "Generation": ("generation",),
    "Litter": ("litter",),
    "Purpose": ("purpose",),
    "Death": ("death_date", "death_cause"),
}
"""Part → its columns; without a value of the first there is no row."""

_IDS_AT_ONCE = 5000
# What makes one value of many: of several columns, and of the rows of a group.
_JSON = {
    "mysql": ("JSON_ARRAY", "JSON_OBJECTAGG"),
    "postgresql": ("json_build_array", "json_object_agg"),
}


def stored_animals(tables: Tables, keys: Collection[AnimalKey]) -> dict[AnimalKey, StoredAnimal]:
    """Give what is known of some animals, of those that are there."""
    if not keys:
        return {}
    ids = tuple({key.animal_id for key in keys})
    connection = tables.connection
    values: dict[AnimalKey, dict[str, str | None]] = {}
    gone: set[AnimalKey] = set()
    animals = plain_rows.fetch(connection, _animals(tables, ids), ids)
    for animal_id, datasource_id, is_gone, columns in animals:
        key = AnimalKey(animal_id, datasource_id)
        values[key] = {
            column: text or None for column, text in zip(COLUMNS, plain_rows.from_json(columns), strict=True)
        }
        if is_gone:
            gone.add(key)
    for animal_id, datasource_id, genes in plain_rows.fetch(connection, _genotypes(tables, ids), ids):
        known = values[AnimalKey(animal_id, datasource_id)]
        for gene, genotype in plain_rows.from_json(genes).items():
            known[f"{GENOTYPE}{gene}"] = genotype
    return {key: StoredAnimal(known, key in gone) for key, known in values.items()}


def _animals(tables: Tables, ids: Sequence[str]) -> str:
    """Give the statement that asks for animals, all columns of one as one value.

    MySQL's driver takes its time for every value.
    """
    animal = tables.mlims.Animal
    parts = " ".join(
        f"LEFT JOIN {getattr(animal, part).full_table_name} AS part_{part}"
        f" ON part_{part}.animal_id = animal.animal_id AND part_{part}.datasource_id = animal.datasource_id"
        for part in (*PARTS, "Gone")
    )
    array, _ = _JSON[tables.connection.adapter.backend]
    return (
        "SELECT animal.animal_id, animal.datasource_id, missed_since IS NOT NULL,"
        f" {array}({', '.join(COLUMNS)}) FROM {animal.full_table_name} AS animal {parts}"
        f" WHERE animal.animal_id IN ({plain_rows.marks(ids)})"
    )


def _genotypes(tables: Tables, ids: Sequence[str]) -> str:
    _, together = _JSON[tables.connection.adapter.backend]
    return (
        f"SELECT animal_id, datasource_id, {together}(gene, genotype)"
        f" FROM {tables.mlims.Genotype.full_table_name}"
        f" WHERE animal_id IN ({plain_rows.marks(ids)}) GROUP BY animal_id, datasource_id"
    )


def num_present(tables: Tables, datasource_id: int) -> int:
    """Give how many animals of a colony system are there and not gone."""
    mlims = tables.mlims
    return len(mlims.Animal & {"datasource_id": datasource_id}) - len(
        mlims.Animal.Gone & {"datasource_id": datasource_id}
    )


def present_ids(tables: Tables, datasource_id: int) -> Iterator[str]:
    """Give the identifiers of these animals, a number of them at a time."""
    animal = tables.mlims.Animal
    gone = f"SELECT animal_id FROM {animal.Gone.full_table_name} WHERE datasource_id = %s"
    query = (
        f"SELECT animal_id FROM {animal.full_table_name} WHERE datasource_id = %s AND animal_id > %s"
        f" AND animal_id NOT IN ({gone})"
        f" ORDER BY animal_id LIMIT {_IDS_AT_ONCE}"
    )
    last = ""
    while True:
        rows = plain_rows.fetch(tables.connection, query, (datasource_id, last, datasource_id))
        if not rows:
            return
        yield from (animal_id for (animal_id,) in rows)
        last = rows[-1][0]


def former_name_counts(tables: Tables, keys: Collection[AnimalKey]) -> dict[AnimalKey, int]:
    """Give how many former names some animals have, of those that have any."""
    former = tables.mlims.Animal.FormerName & [key._asdict() for key in keys]
    counts: dict[AnimalKey, int] = {}
    for row in former.proj().to_dicts():
        key = AnimalKey(row["animal_id"], row["datasource_id"])
        counts[key] = counts.get(key, 0) + 1
    return counts
