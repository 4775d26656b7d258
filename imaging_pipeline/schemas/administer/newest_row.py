"""When something was last entered into the tables."""

from __future__ import annotations

from imaging_pipeline.schemas import server_clock
from imaging_pipeline.schemas.plain_rows import fetch, placeholders
from imaging_pipeline.schemas.tables import Tables, schema_name

# Entered when an older state of the database was taken into use, with nothing that it knows of arrays.
_LEFT_OUT = ("Lab", "Store", "Upgrade")


def seconds_since_newest_row(tables: Tables) -> float | None:
    """Return how long ago the newest row was entered that arrays may come with; None where there is none.

    Counted are requests, what workers made, jobs that ended, and what people changed.
    """
    connection, imaging = tables.connection, tables.imaging
    backend, quote = connection.adapter.backend, connection.adapter.quote_identifier
    ages = [server_clock.seconds_since_utc(backend, "MAX(change_time)")]
    sources = [imaging.Change.full_table_name]
    for schema, table, column in _time_columns(tables):
        ages.append(server_clock.seconds_since(backend, f"MAX({quote(column)})"))
        sources.append(connection.adapter.make_full_table_name(schema, table))
    selects = (f"SELECT {age} AS age_s FROM {source}" for age, source in zip(ages, sources, strict=True))
    # Nothing of an empty table counts.
    query = f"SELECT MIN(age_s) FROM ({' UNION ALL '.join(selects)}) AS ages WHERE age_s IS NOT NULL"
    ((newest,),) = fetch(connection, query)
    return None if newest is None else float(newest)


def _time_columns(tables: Tables) -> list[tuple[str, str, str]]:
    """Return schema, table and name of the columns that say when a row was entered or a job ended."""
    schemas = [schema_name(tables.config, name) for name in ("imaging", "suite2p_jobs")]
    left_out = [getattr(tables.imaging, name).table_name for name in _LEFT_OUT]
    query = (
        "SELECT table_schema, table_name, column_name FROM information_schema.columns"
        f" WHERE table_schema IN ({placeholders(schemas)})"
        f" AND table_name NOT IN ({placeholders(left_out)}) AND table_name NOT LIKE '#%%'"
        " AND (LOWER(column_default) LIKE 'current_timestamp%%' AND column_name <> 'scheduled_time'"
        " OR column_name = 'completed_time')"
    )
    return [(str(a), str(b), str(c)) for a, b, c in fetch(tables.connection, query, (*schemas, *left_out))]
