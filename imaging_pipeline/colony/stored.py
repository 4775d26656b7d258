"""What the tables hold of animals, asked in few statements."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from imaging_pipeline.colony.animal import COLUMNS, GENOTYPE, AnimalKey
from imaging_pipeline.colony.comparison import StoredAnimal
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

NEVER_NULL = ("animal_notes", "death_cause")
"""Columns that hold an empty text where nothing is known."""

_ANIMALS_AT_ONCE = 5000
# What makes one text of many values: of several columns, and of the rows of a group.
_JSON = {
    "mysql": ("JSON_ARRAY({})", "JSON_OBJECTAGG(gene, genotype)"),
    "postgresql": ("json_build_array({})::text", "json_object_agg(gene, genotype)::text"),
}


class Account(NamedTuple):
    """An animal as the tables hold it, in few values: drivers take their time for each.

    Attributes
    ----------
    animal_id, datasource_id
        What identifies it.
    is_gone
        Whether the colony system told of it no longer.
    columns
        A JSON array of the values of ``COLUMNS``.
    genes
        A JSON object: gene → genotype.
    """

    animal_id: str
    datasource_id: int
    is_gone: bool
    columns: str
    genes: str


def stored_animals(tables: Tables, keys: Collection[AnimalKey]) -> dict[AnimalKey, StoredAnimal]:
    """Return what is known of some animals, of those that are there."""
    if not keys:
        return {}
    ids = tuple({key.animal_id for key in keys})
    question = f"{_question(tables)} WHERE animal_id IN ({plain_rows.marks(ids)})"
    rows = plain_rows.fetch(tables.connection, question, ids)
    return dict(_stored(Account(*row)) for row in rows)


def accounts(tables: Tables, datasource_id: int) -> Iterator[list[Account]]:
    """Return all animals of a colony system, a number of them at a time."""
    some = (
        f"(SELECT * FROM {tables.mlims.Animal.full_table_name} WHERE datasource_id = %s AND animal_id > %s"
        f" ORDER BY animal_id LIMIT {_ANIMALS_AT_ONCE}) AS animal"
    )
    question = f"{_question(tables, some)} ORDER BY animal_id"
    last = ""
    while rows := plain_rows.fetch(tables.connection, question, (datasource_id, last)):
        yield [Account(*row) for row in rows]
        last = rows[-1][0]


def _stored(account: Account) -> tuple[AnimalKey, StoredAnimal]:
    values = dict(zip(COLUMNS, (text or None for text in json.loads(account.columns)), strict=True))
    values.update((f"{GENOTYPE}{gene}", text) for gene, text in json.loads(account.genes).items())
    key = AnimalKey(account.animal_id, account.datasource_id)
    return key, StoredAnimal(values, bool(account.is_gone))


def _question(tables: Tables, animals: str | None = None) -> str:
    """Return the statement that asks for accounts, without its end.

    Each part is looked up by the animal's key: for joins of them all, PostgreSQL reads whole tables
    for a few animals as long as it has no statistics of them.
    """
    animal, genotype = tables.mlims.Animal, tables.mlims.Genotype
    array, together = _JSON[tables.connection.adapter.backend]
    part_of = {column: part for part, columns in PARTS.items() for column in columns}
    columns = ", ".join(
        f"(SELECT {_or_null(column)} {_of(getattr(animal, part_of[column]))})"
        if column in part_of
        else _or_null(column)
        for column in COLUMNS
    )
    return (
        f"SELECT animal_id, datasource_id, EXISTS (SELECT 1 {_of(animal.Gone)}), {array.format(columns)},"
        f" COALESCE((SELECT {together} {_of(genotype)}), '{{}}')"
        f" FROM {animals or f'{animal.full_table_name} AS animal'}"
    )


def _of(table: Any) -> str:
    same = " AND ".join(f"part.{column} = animal.{column}" for column in ("animal_id", "datasource_id"))
    return f"FROM {table.full_table_name} AS part WHERE {same}"


def _or_null(column: str) -> str:
    return f"NULLIF({column}, '')" if column in NEVER_NULL else column


def former_name_counts(tables: Tables, keys: Collection[AnimalKey]) -> dict[AnimalKey, int]:
    """Return how many former names some animals have, of those that have any."""
    former = tables.mlims.Animal.FormerName & [key._asdict() for key in keys]
    counts: dict[AnimalKey, int] = {}
    for row in former.proj().to_dicts():
        key = AnimalKey(row["animal_id"], row["datasource_id"])
        counts[key] = counts.get(key, 0) + 1
    return counts
