"""What an account may do with the pipeline's tables."""

from __future__ import annotations

from typing import Any

import datajoint as dj

from imaging_pipeline.checks.finding import Finding, failed, notice, ok
from imaging_pipeline.schemas.tables import Tables, schema_name


def check_rights(tables: Tables) -> Finding:
    """Check each right on the tables by a statement that changes no row."""
    # A table of each schema, with a column: named here, since an account with few rights may not list them.
    samples = (
        (tables.mlims.Animal, "animal_id"),
        (tables.imaging.BaseFolder, "basefolder_id"),
        (tables.suite2p_jobs.Suite2Py, "run_num_rois"),
    )
    missing = [
        right
        for right in ("read", "insert", "update", "delete")
        if not all(_has_right(tables.connection, right, *sample) for sample in samples)
    ]
    if "read" in missing:
        return failed(
            "rights",
            f"the account {tables.config.user} may not read all tables",
            f"Grant it SELECT on the schemas {tables.config.prefix}*.",
        )
    # Before the rights to write: analysis needs none of them, but DataJoint needs the keys.
    if not _sees_keys(tables):
        return failed(
            "rights",
            f"the account {tables.config.user} may read, but not see keys, as DataJoint must",
            f"Grant it REFERENCES on all tables of the schemas {tables.config.prefix}*.",
        )
    if missing:
        return notice(
            "rights",
            f"the account {tables.config.user} may read, but not {', '.join(missing)}: enough for analysis,"
            " not to register folders or for a worker",
            "Where it is to do these, grant it INSERT, UPDATE and DELETE on the schemas"
            f" {tables.config.prefix}*.",
        )
    return ok("rights", f"the account {tables.config.user} may read, insert, update and delete")


def check_creating(tables: Tables) -> Finding:
    """Check whether the account may make the schemas, as far as the server tells without making one."""
    connection, user = tables.connection, tables.config.user
    if connection.adapter.backend == "postgresql":
        query = "SELECT has_database_privilege(current_database(), 'CREATE')"
        may = bool(connection.query(query).fetchone()[0])
    else:
        # information_schema quotes both parts of an account, 'user'@'host', while current_user() quotes none.
        account = "concat('''', replace(current_user(), '@', '''@'''), '''')"
        query = (
            "SELECT 1 FROM information_schema.user_privileges"
            f" WHERE grantee = {account} AND privilege_type = 'CREATE'"
            " UNION SELECT 1 FROM information_schema.schema_privileges"
            # MySQL stores the pattern of a grant, such as lab\_%, in place of a schema's name.
            f" WHERE grantee = {account} AND privilege_type = 'CREATE' AND %s LIKE table_schema"
        )
        may = connection.query(query, args=(schema_name(tables.config, "imaging"),)).fetchone() is not None
    if may:
        return ok("rights", f"the account {user} may make them")
    return notice(
        "rights",
        f"the account {user} was not itself granted to make schemas",
        "Run init-db with an account that may, unless this one has a role that does.",
    )


def _sees_keys(tables: Tables) -> bool:
    """Return True if the account sees keys: PostgreSQL hides them from one that may only SELECT."""
    query = (
        "SELECT count(*) FROM information_schema.table_constraints"
        " WHERE constraint_type = 'PRIMARY KEY' AND table_schema = %s"
    )
    row = tables.connection.query(query, args=(schema_name(tables.config, "imaging"),)).fetchone()
    return bool(row[0])


def _has_right(connection: Any, right: str, table: Any, column: str) -> bool:
    name = table.full_table_name
    # The server checks a right before it looks for rows, of which the condition leaves none.
    statement = {
        "read": f"SELECT 1 FROM {name} WHERE 1 = 0",
        "insert": f"INSERT INTO {name} SELECT * FROM {name} WHERE 1 = 0",
        "update": f"UPDATE {name} SET {column} = {column} WHERE 1 = 0",
        "delete": f"DELETE FROM {name} WHERE 1 = 0",
    }[right]
    try:
        connection.query(statement)
    except dj.errors.AccessError:
        return False
    return True
