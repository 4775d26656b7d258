"""Whether the pipeline's tables are in a database, and are those of this version."""

from __future__ import annotations

from imaging_pipeline import database
from imaging_pipeline.checks.finding import Finding, failed, notice, ok
from imaging_pipeline.checks.rights import check_creating, check_rights
from imaging_pipeline.errors import OtherVersionError, SchemaError
from imaging_pipeline.schemas.plain_rows import placeholders
from imaging_pipeline.schemas.tables import SCHEMAS, Tables, schema_name


def check_declared(tables: Tables, schema_error: SchemaError | None) -> tuple[Finding, ...]:
    """Check the tables; nothing is declared or written.

    Parameters
    ----------
    tables
        Bound to the connection.
    schema_error
        What `database.connect` raised about the tables, if anything.
    """
    schemas = ", ".join(schema_name(tables.config, schema) for schema in SCHEMAS)
    if schema_error is None:
        version = ok("tables", f"{schemas}, version {database.SCHEMA_VERSION}")
        return (version, *_collation(tables), _time_zone(tables), check_rights(tables))
    # No further check: the tables of another version may lack columns that this version would query.
    if isinstance(schema_error, OtherVersionError):
        return (_other_version(tables, schema_error),)
    return (
        failed(
            "tables",
            f"not initialised: {schema_error.found}",
            "Where the lab has its tables already, correct custom.database.prefix or the account. Else run:"
            " imaging-pipeline init-db",
        ),
        check_creating(tables),
    )


def _other_version(tables: Tables, error: OtherVersionError) -> Finding:
    version = int(tables.imaging.Lab().fetch1("schema_version"))
    both = f"version {version}, while this imaging-pipeline has version {database.SCHEMA_VERSION}"
    if version == database.SCHEMA_VERSION:
        return failed("tables", f"{error.found}: an upgrade is not finished", error.remedy)
    if version > database.SCHEMA_VERSION:
        return failed(
            "tables", f"newer than this machine: {both}", "Update imaging-pipeline on this machine."
        )
    return failed("tables", f"older than this machine: {both}", error.remedy)


def _collation(tables: Tables) -> tuple[Finding, ...]:
    """Return a notice about schemas that somebody made with MySQL's defaults, before init-db could."""
    if tables.connection.adapter.backend != "mysql":
        return ()
    names = tuple(schema_name(tables.config, schema) for schema in SCHEMAS)
    rows = tables.connection.query(
        "SELECT schema_name, default_collation_name FROM information_schema.schemata"
        f" WHERE schema_name IN ({placeholders(names)}) AND default_collation_name <> 'utf8mb4_bin'",
        args=names,
    ).fetchall()
    if not rows:
        return ()
    collations = ", ".join(f"{name} is {collation}" for name, collation in sorted(rows))
    return (
        notice(
            "collation",
            f"{collations}, not utf8mb4_bin: names that differ in case only are one name there",
            "Give another custom.database.prefix and let init-db make the schemas, as long as nothing is"
            " registered.",
        ),
    )


def _time_zone(tables: Tables) -> Finding:
    # The database's zone counts on all machines; a default of this one is no contradiction.
    zone = tables.imaging.Lab().fetch1("timezone")
    config = tables.config
    found = f"recording times are those of {zone}"
    if config.sources["custom.timezone"] != "default" and config.timezone != zone:
        return notice(
            "time zone",
            f"{found}; the configuration says {config.timezone}, which has no effect",
            f"Set custom.timezone to {zone}, or leave it out: a database keeps its zone.",
        )
    return ok("time zone", found)
