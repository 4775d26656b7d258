"""What is odd about a recording of an animal: when it was made, and what the colony system says."""

from __future__ import annotations

from collections.abc import Iterator

from imaging_pipeline.ingest.folder_changes import Changes, SessionVerdict
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import animals
from imaging_pipeline.schemas.tables import Tables


def animal_findings(tables: Tables, base_folder: Row, changes: Changes) -> tuple[str, ...]:
    """Tell of new sessions that are not of the animal's lifetime, and of an animal that is gone."""
    new = [each.session for each in changes.sessions if each.verdict is not SessionVerdict.KNOWN]
    if not new:
        return ()
    key = {name: base_folder[name] for name in ("animal_id", "datasource_id")}
    (life,) = animals.lives(tables, [key])
    return tuple(
        [
            *_not_of_lifetime(life, [(each.timeseries_name, each.start.date()) for each in new]),
            *_gone(life),
        ]
    )


def _not_of_lifetime(life: Row, recorded: list[tuple[str, object]]) -> Iterator[str]:
    for timeseries_name, day in recorded:
        if life["death_date"] and day > life["death_date"]:
            yield f"{_called(life)} died on {life['death_date']}, and {timeseries_name} is of {day}"
        if life["animal_dob"] and day < life["animal_dob"]:
            yield f"{_called(life)} was born on {life['animal_dob']}, and {timeseries_name} is of {day}"


def _gone(life: Row) -> Iterator[str]:
    if life["missed_since"]:
        day = life["missed_since"].date()
        yield f"{_called(life)} is not in the colony system any more since {day}"


def _called(life: Row) -> str:
    return f"animal: {life['animal_name']} ({life['animal_id']})"
