"""Names of tables and schemas: the server's, people's, and to whom a schema belongs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from imaging_pipeline.schemas.plain_rows import placeholders
from imaging_pipeline.schemas.tables import SCHEMAS, Tables, schema_name

# A person's own schemas begin with this and the name of the person.
_PRIVATE = "user_{}_"


def schema_of(full_table_name: str) -> str:
    """Return the schema of a table."""
    return full_table_name.split(".")[0].strip('`"')


def our_schemas(tables: Tables) -> set[str]:
    """Return the names of the pipeline's own schemas."""
    return {schema_name(tables.config, schema) for schema in SCHEMAS}


def job_table(full_table_name: str) -> str:
    """Return the full name of a table's job table; ``table.jobs`` would query its columns from the server."""
    schema_name, _, name = full_table_name.rpartition(".")
    quote = name[0]
    # As DataJoint names it: without the underscores that mark imported and computed tables.
    return f"{schema_name}.{quote}~~{name.strip(quote).lstrip('_')}{quote}"


def readable_name(full_table_name: str) -> str:
    """Return ``lab_imaging.Cell.Rois``, or ``lab_imaging.~~Cell`` for a job table."""
    plain = full_table_name.partition(".")[2].strip('`"')
    jobs = "~~" if plain.startswith("~~") else ""
    # Names begin with the tier: # lookup, _ imported, __ computed, ~ DataJoint's own. Parts follow after __.
    classes = (
        "".join(word.capitalize() for word in part.split("_")) for part in plain.lstrip("_#~").split("__")
    )
    return f"{schema_of(full_table_name)}.{jobs}{'.'.join(classes)}"


def owners(tables: Tables, full_table_names: Iterable[str]) -> dict[str, str | None]:
    """Return the owner of each schema that is not the pipeline's; None where it is not known.

    PostgreSQL knows the owner. On MySQL, and where one account owns all schemas as on an embedded server,
    the name of a private schema says it.
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
    """Return the account that owns each schema; empty on MySQL, where schemas have no owner."""
    if tables.connection.adapter.backend != "postgresql":
        return {}
    query = (
        "SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace"
        f" WHERE nspname IN ({placeholders(schemas)})"
    )
    return dict(tables.connection.query(query, args=tuple(schemas)).fetchall())


def _owner_by_name(schema_name: str, usernames: Iterable[str]) -> str | None:
    """Return the user with the longest matching name, since one username may begin with another."""
    matching = [name for name in usernames if schema_name.startswith(_PRIVATE.format(name))]
    return max(matching, key=len, default=None)
