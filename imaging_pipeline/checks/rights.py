"""What an account may do with the pipeline's tables."""

from __future__ import annotations

from typing import Any

import datajoint as dj

from imaging_pipeline.checks.finding import Finding, failed, notice, ok
from imaging_pipeline.schemas.tables import Tables, schema_name


def check_rights(tables: Tables) -> Finding:
    """Try each right on the tables by a statement that touches no row."""
    # A table of each schema, with a column: an account that may do little does not see which there are.
    samples = (
        (tables.mlims.Animal, "animal_id"),
        (tables.imaging.BaseFolder, "basefolder_id"),
        (tables.suite2p_jobs.Suite2Py, "run_num_rois"),
    )
    lacking = [
        right
        for right in ("read", "insert", "update", "delete")
        if not all(_may(tables.connection, right, *sample) for sample in samples)
    ]
    if "read" in lacking:
        return failed(
            "rights",
            f"the account {tables.config.user} may not read all tables",
            f"Grant it SELECT on the schemas {tables.config.prefix}*.",
        )
    if not _sees_keys(tables):
        return failed(
            "rights",
            f"the account {tables.config.user} may read, but not see keys, as DataJoint must",
            f"Grant it REFERENCES on all tables of the schemas {tables.config.prefix}*.",
        )
    if lacking:
        return notice(
            "rights",
            f"the account {tables.config.user} may read, but not {', '.join(lacking)}: enough for analysis,"
            " not to register folders or for a worker",
            "Where it is to do these, grant it INSERT, UPDATE and DELETE on the schemas"
            f" {tables.config.prefix}*.",
        )
    return ok("rights", f"the account {tables.config.user} may read, insert, update and delete")


def check_creating(tables: Tables) -> Finding:
    """Return True if the account could make the schemas, where that can be asked without making one."""
    connection, user = tables.connection, tables.config.user
    if connection.adapter.backend == "postgresql":
        query = "SELECT has_database_privilege(current_database(), 'CREATE')"
        may = bool(connection.query(query).fetchone()[0])
    else:
        account = "concat('''', replace(current_user(), '@', '''@'''), '''')"
        query = (
            "SELECT 1 FROM information_schema.user_privileges"
            f" WHERE grantee = {account} AND privilege_type = 'CREATE'"
            " UNION SELECT 1 FROM information_schema.schema_privileges"
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
    """Return True if the server tells the account of keys: PostgreSQL does not where it may SELECT only."""
    query = (
        "SELECT count(*) FROM information_schema.table_constraints"
        " WHERE constraint_type = 'PRIMARY KEY' AND table_schema = %s"
    )
    row = tables.connection.query(query, args=(schema_name(tables.config, "imaging"),)).fetchone()
    return bool(row[0])


def _may(connection: Any, right: str, table: Any, column: str) -> bool:
    name = table.full_table_name
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
