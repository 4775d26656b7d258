"""Full names of tables, as people know them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from imaging_pipeline.schemas.tables import Tables

# A person's own schemas begin with this and the name of the person.
_PRIVATE = "user_{}_"


def schema_of(full_table_name: str) -> str:
    """Return the schema of a table."""
    return full_table_name.split(".")[0].strip('`"')


def our_schemas(tables: Tables) -> set[str]:
    """Return the names of the pipeline's own schemas."""
    return {f"{tables.config.prefix}{name}" for name in ("mlims", "imaging", "suite2p_jobs")}


def job_table(full_table_name: str) -> str:
    """Return the full name of a table's job table; ``table.jobs`` would ask the server for its columns."""
    schema_name, _, name = full_table_name.rpartition(".")
    quote = name[0]
    return f"{schema_name}.{quote}~~{name.strip(quote).lstrip('_')}{quote}"


def shown(full_table_name: str) -> str:
    """Return ``lab_imaging.Cell.Rois``, or ``lab_imaging.~~Cell`` for a job table, for the server's name."""
    plain = full_table_name.partition(".")[2].strip('`"')
    jobs = "~~" if plain.startswith("~~") else ""
    classes = (
        "".join(word.capitalize() for word in part.split("_")) for part in plain.lstrip("_#~").split("__")
    )
    return f"{schema_of(full_table_name)}.{jobs}{'.'.join(classes)}"


def owners(tables: Tables, full_table_names: Iterable[str]) -> dict[str, str | None]:
    """Return the owner of each schema that is none of ours; None where that cannot be told.

    PostgreSQL knows it. On MySQL, and where one account owns all schemas as on an embedded server, the name
    of a private schema says it.
    """
    ours = our_schemas(tables)
    private = sorted({schema_of(name) for name in full_table_names} - ours)
    if not private:
        return {}
    users = [str(name) for name in tables.imaging.User().to_arrays("username")]
    roles = _roles(tables, [*private, *ours])
    shared = {roles.get(name) for name in ours}
    return {
        name: _owner_by_name(name, users) if roles.get(name) in shared else roles[name] for name in private
    }


def _roles(tables: Tables, schemas: Sequence[str]) -> dict[str, str]:
    """Return the account that owns each schema, where the server knows such."""
    if tables.connection.adapter.backend != "postgresql":
        return {}
    marks = ", ".join(["%s"] * len(schemas))
    query = f"SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname IN ({marks})"
    return dict(tables.connection.query(query, args=tuple(schemas)).fetchall())


def _owner_by_name(schema_name: str, usernames: Iterable[str]) -> str | None:
    """Return the user with the longest name that a schema's name begins with: one may begin with another."""
    matching = [name for name in usernames if schema_name.startswith(_PRIVATE.format(name))]
    return max(matching, key=len, default=None)
