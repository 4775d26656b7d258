"""Which animal is meant by a name or an identifier, and what is known of when it lived."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from imaging_pipeline.choices import near
from imaging_pipeline.errors import InputError, NotYetHereError, PipelineError, Responsible
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.inserting import not_known
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import counted

_LIFE = ("animal_id", "datasource_id", "animal_name", "animal_dob")

# How many characters at either end of a name are taken to be right, and how many names are compared at most.
_NUM_ALIKE = 2
_NUM_COMPARED = 5000

# As animals are told everywhere: one may be called by the identifier of another one.
_BOTH = re.compile(r"(?P<animal_name>.+) \((?P<animal_id>[^()]+)\)")

TYPED = ("animal", "animal_name", "animal_id", "datasource_id")
"""What a person may say of an animal; ``animal`` is a name or an identifier."""


def typed(row: Mapping[str, Any]) -> Row:
    """Return what a request says of its animal."""
    said = {name: row[name] for name in TYPED if row.get(name) is not None}
    if "datasource_id" in said:
        said["datasource_id"] = int(said["datasource_id"])
    # A number is a name, too.
    return {name: value if name == "datasource_id" else str(value).strip() for name, value in said.items()}


def matching(tables: Tables, said: Mapping[str, Any]) -> list[Row]:
    """Return the keys of the animals that may be meant."""
    wanted = [{column: value} for column, value in _wanted(said)]
    if both := _BOTH.fullmatch(said.get("animal", "")):
        wanted.append(both.groupdict())
    candidates = tables.mlims.Animal & wanted
    if "datasource_id" in said:
        candidates &= {"datasource_id": said["datasource_id"]}
    keys: list[Row] = candidates.proj().to_dicts()
    return keys


def refusal(tables: Tables, said: Mapping[str, Any]) -> PipelineError:
    """Return why no one animal is meant.

    Returns
    -------
    PipelineError
        `NotYetHereError` where it may still come; `InputError` where several are meant, where one was
        called so once, or where there is no colony system that it could come from.
    """
    value = next(value for _, value in _wanted(said))
    keys = matching(tables, said)
    if keys:
        return _several(tables, value, keys)
    former = tables.mlims.Animal.FormerName & {"former_name": value}
    if "animal_id" not in said and former:
        return _renamed(tables, value, former.proj("renamed_time").to_dicts())
    alike = near(value, _alike(tables, value))
    sync = last_sync(tables)
    if sync is None and tables.config.mlims_source is None:
        names = alike or _some(tables)
        return not_known("animal", value, names, responsible=Responsible.EXPERIMENTER, field="animal")
    return NotYetHereError(
        f"The animal {value!r} is not here yet",
        found=told_of(sync) + (f"; like {', '.join(alike)}?" if alike else ""),
        remedy="Where it is new in the colony, nothing: the request waits for it, and is carried out when it"
        " is here. Where the name is wrong, request the folder again with the right one, which takes the"
        " place of this request, or withdraw it: imaging-pipeline withdraw NUMBER.",
    )


def last_sync(tables: Tables) -> Row | None:
    """Return the row of the last comparison with the whole colony that went well."""
    done = tables.mlims.Sync & {"sync_is_whole": True, "sync_error": ""} & "sync_duration_s IS NOT NULL"
    rows: list[Row] = done.to_dicts(order_by="sync_id DESC", limit=1)
    return rows[0] if rows else None


def told_of(sync: Row | None) -> str:
    """Return when the colony was compared with last, and with what."""
    if sync is None:
        return "the colony system was not compared with yet"
    return (
        f"the colony system was compared with last on {sync['sync_started']:%Y-%m-%d at %H:%M}"
        f" ({sync['sync_source']}: {counted(sync['num_animals'], 'animal')})"
    )


def lives(tables: Tables, keys: Sequence[Row]) -> list[Row]:
    """Return animals with their names, and when they were born, died and were missed."""
    animal = tables.mlims.Animal
    parts = " ".join(
        f"LEFT JOIN {part.full_table_name} AS {alias} ON {alias}.animal_id = animal.animal_id"
        f" AND {alias}.datasource_id = animal.datasource_id"
        for alias, part in (("death", animal.Death), ("gone", animal.Gone))
    )
    marks = ", ".join(["(%s, %s)"] * len(keys))
    question = (
        f"SELECT {', '.join(f'animal.{column}' for column in _LIFE)}, death_date, missed_since"
        f" FROM {animal.full_table_name} AS animal {parts}"
        f" WHERE (animal.animal_id, animal.datasource_id) IN ({marks})"
        " ORDER BY animal.animal_id, animal.datasource_id"
    )
    values = [value for key in keys for value in (key["animal_id"], key["datasource_id"])]
    columns = (*_LIFE, "death_date", "missed_since")
    rows = plain_rows.fetch(tables.connection, question, values)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _wanted(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the columns that may hold what was said."""
    if "animal" in said:
        return [("animal_id", said["animal"]), ("animal_name", said["animal"])]
    return [(column, said[column]) for column in ("animal_id", "animal_name") if column in said]


def _several(tables: Tables, value: str, keys: Sequence[Row]) -> InputError:
    rows = lives(tables, keys)
    return InputError(
        f"The animal {value!r} is not one but {len(rows)}",
        found="; ".join(map(_life, rows)),
        remedy="Give the animal_id of the one that you mean, or its name and animal_id as in"
        f" '{rows[0]['animal_name']} ({rows[0]['animal_id']})'; in a notebook also its datasource_id.",
        field="animal",
    )


def _life(row: Row) -> str:
    facts = [f"{row['animal_name']}: animal_id {row['animal_id']}, datasource_id {row['datasource_id']}"]
    facts.append(f"born {row['animal_dob'] or 'on an unknown day'}")
    if row["death_date"]:
        facts.append(f"died {row['death_date']}")
    if row["missed_since"]:
        facts.append(f"not in the colony system since {row['missed_since']:%Y-%m-%d}")
    return ", ".join(facts)


def _renamed(tables: Tables, value: str, former: Iterable[Row]) -> InputError:
    told = []
    for row in former:
        key = {name: row[name] for name in ("animal_id", "datasource_id")}
        name = (tables.mlims.Animal & key).fetch1("animal_name")
        told.append(f"{row['animal_id']}, which was renamed to {name} on {row['renamed_time']:%Y-%m-%d}")
    return InputError(
        f"No animal is called {value!r} any more",
        found="; ".join(told),
        remedy="Give the name that it has now, or its animal_id.",
        field="animal",
    )


def _alike(tables: Tables, value: str) -> list[str]:
    """Return names and identifiers that begin or end as a text does; a colony has too many to compare all."""
    animal = tables.mlims.Animal.full_table_name
    question = " UNION ".join(
        f"(SELECT {column} FROM {animal} WHERE LEFT({column}, %s) = %s OR RIGHT({column}, %s) = %s"
        f" LIMIT {_NUM_COMPARED})"
        for column in ("animal_id", "animal_name")
    )
    ends = (_NUM_ALIKE, value[:_NUM_ALIKE], _NUM_ALIKE, value[-_NUM_ALIKE:])
    return [str(name) for (name,) in plain_rows.fetch(tables.connection, question, (*ends, *ends))]


def _some(tables: Tables) -> list[str]:
    """Return the first names that there are."""
    return [str(name) for name in tables.mlims.Animal().to_arrays("animal_name", limit=10)]
