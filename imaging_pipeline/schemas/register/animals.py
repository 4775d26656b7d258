"""Which animal a name or an identifier means, and what is known of its life."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from imaging_pipeline.choices import near
from imaging_pipeline.errors import InputError, NotYetHereError, PipelineError, Responsible
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.checked_rows import not_existing
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.whole_numbers import without_point
from imaging_pipeline.wording import counted

_LIFE = ("animal_id", "datasource_id", "animal_name", "animal_dob")

# Names that share so many characters at either end are compared with a misspelt one, up to a number of names.
_NUM_ALIKE = 2
_NUM_COMPARED = 5000

# As animals are shown everywhere: the name of one may be the identifier of another one.
_NAME_AND_ID = re.compile(r"(?P<animal_name>.+) \((?P<animal_id>[^()]+)\)")

TYPED = ("animal", "animal_name", "animal_id", "datasource_id")
"""Columns by which a request may name its animal; ``animal`` is a name or an identifier."""


def typed(row: Mapping[str, Any]) -> Row:
    """Return the columns by which a request names its animal.

    Raises
    ------
    InputError
        ``datasource_id`` is no whole number.
    """
    # Names that consist of digits may be typed as numbers, also as those of a data frame with gaps.
    columns = {name: without_point(str(row[name]).strip()) for name in TYPED if row.get(name) is not None}
    number = columns.get("datasource_id")
    if number is None:
        return columns
    if not (number.isascii() and number.isdigit()):
        raise InputError(
            "The number of a colony system is no whole number",
            found=number,
            allowed="a whole number from 0",
            remedy="correct datasource_id.",
            field="datasource_id",
        )
    return columns | {"datasource_id": int(number)}


def matching(tables: Tables, typed: Mapping[str, Any]) -> list[Row]:
    """Return the keys of the animals that may be meant."""
    restrictions = [{column: value} for column, value in _columns(typed)]
    if both := _NAME_AND_ID.fullmatch(typed.get("animal", "")):
        restrictions.append(both.groupdict())
    candidates = tables.mlims.Animal & restrictions
    if "datasource_id" in typed:
        candidates &= {"datasource_id": typed["datasource_id"]}
    keys: list[Row] = candidates.proj().to_dicts()
    return keys


def missing_animal(tables: Tables, typed: Mapping[str, Any]) -> PipelineError:
    """Return the error for a request that does not mean exactly one animal.

    Returns
    -------
    PipelineError
        `NotYetHereError` where the animal may still come; `InputError` where several are meant, where one
        had this name formerly, or where there is no colony system that it could come from.
    """
    value = next(value for _, value in _columns(typed))
    keys = matching(tables, typed)
    if keys:
        return _several(tables, value, keys)
    former = tables.mlims.Animal.FormerName & {"former_name": value}
    if "animal_id" not in typed and former:
        return _renamed(tables, value, former.proj("renamed_time").to_dicts())
    alike = near(value, _alike(tables, value))
    sync = last_sync(tables)
    if sync is None and tables.config.mlims_source is None:
        return not_existing("animal", value, alike or _some(tables), responsible=Responsible.EXPERIMENTER)
    return NotYetHereError(
        f"The animal {value!r} is not here yet",
        found=_last_sync_text(sync) + (f"; like {', '.join(alike)}?" if alike else ""),
        remedy="Where it is new in the colony, nothing: the request waits for it, and is carried out when it"
        " is here. Where the name is wrong, request the folder again with the right one, which takes the"
        " place of this request, or withdraw it: imaging-pipeline withdraw NUMBER.",
        field="animal",
    )


def last_sync(tables: Tables) -> Row | None:
    """Return the row of the last complete comparison with the colony system."""
    # The duration is null while a comparison runs. The flag is restricted by a dictionary, because PostgreSQL
    # does not compare a bool with 1.
    done = tables.mlims.Sync & {"sync_is_whole": True, "sync_error": ""} & "sync_duration_s IS NOT NULL"
    rows: list[Row] = done.to_dicts(order_by="sync_id DESC", limit=1)
    return rows[0] if rows else None


def _last_sync_text(sync: Row | None) -> str:
    """Return when the colony system was last compared with, and what it had."""
    if sync is None:
        return "the colony system was not compared with yet"
    return (
        f"the colony system was compared with last on {sync['sync_started']:%Y-%m-%d at %H:%M}"
        f" ({sync['sync_source']}: {counted(sync['num_animals'], 'animal')})"
    )


def lives(tables: Tables, keys: Sequence[Row]) -> list[Row]:
    """Return animals with their names, and the days on which they were born, died and went missing."""
    animal = tables.mlims.Animal
    parts = " ".join(
        f"LEFT JOIN {part.full_table_name} AS {alias} ON {alias}.animal_id = animal.animal_id"
        f" AND {alias}.datasource_id = animal.datasource_id"
        for alias, part in (("death", animal.Death), ("gone", animal.Gone))
    )
    marks = ", ".join(["(%s, %s)"] * len(keys))
    statement = (
        f"SELECT {', '.join(f'animal.{column}' for column in _LIFE)}, death_date, missed_since"
        f" FROM {animal.full_table_name} AS animal {parts}"
        f" WHERE (animal.animal_id, animal.datasource_id) IN ({marks})"
        " ORDER BY animal.animal_id, animal.datasource_id"
    )
    values = [value for key in keys for value in (key["animal_id"], key["datasource_id"])]
    columns = (*_LIFE, "death_date", "missed_since")
    rows = plain_rows.fetch(tables.connection, statement, values)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _columns(typed: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each column that may hold the typed name, with that name."""
    if "animal" in typed:
        return [("animal_id", typed["animal"]), ("animal_name", typed["animal"])]
    return [(column, typed[column]) for column in ("animal_id", "animal_name") if column in typed]


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
    animals = []
    for row in former:
        key = {name: row[name] for name in ("animal_id", "datasource_id")}
        name = (tables.mlims.Animal & key).fetch1("animal_name")
        animals.append(f"{row['animal_id']}, which was renamed to {name} on {row['renamed_time']:%Y-%m-%d}")
    return InputError(
        f"No animal is called {value!r} any more",
        found="; ".join(animals),
        remedy="Give the name that it has now, or its animal_id.",
        field="animal",
    )


def _alike(tables: Tables, value: str) -> list[str]:
    """Return names and identifiers that begin or end like a text; a colony has too many to compare all."""
    animal = tables.mlims.Animal.full_table_name
    statement = " UNION ".join(
        f"(SELECT {column} FROM {animal} WHERE LEFT({column}, %s) = %s OR RIGHT({column}, %s) = %s"
        f" LIMIT {_NUM_COMPARED})"
        for column in ("animal_id", "animal_name")
    )
    ends = (_NUM_ALIKE, value[:_NUM_ALIKE], _NUM_ALIKE, value[-_NUM_ALIKE:])
    return [str(name) for (name,) in plain_rows.fetch(tables.connection, statement, (*ends, *ends))]


def _some(tables: Tables) -> list[str]:
    """Return a few names of animals, as examples."""
    return [str(name) for name in tables.mlims.Animal().to_arrays("animal_name", limit=10)]
