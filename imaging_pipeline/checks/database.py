"""Whether the database can be reached and is ready."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import datajoint as dj

from imaging_pipeline import database
from imaging_pipeline.checks.declared import check_declared
from imaging_pipeline.checks.finding import Finding, failed, from_error
from imaging_pipeline.checks.server import check_server
from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import PipelineError, SchemaError
from imaging_pipeline.schemas import tables as bound
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.server import embedded


@dataclass(frozen=True)
class CheckedDatabase:
    """The findings, and the tables where they are ready for further checks, else None."""

    findings: tuple[Finding, ...]
    tables: Tables | None


def check_database(config: Config) -> CheckedDatabase:
    """Connect, and check server and tables; an embedded server is started, but never made."""
    folder = config.embedded_folder
    if folder is not None:
        finding = _missing_server(folder)
        if finding is not None:
            return CheckedDatabase((finding,), None)
    schema_error = None
    try:
        database.connect(config)
    except SchemaError as error:
        schema_error = error
    except PipelineError as error:
        return CheckedDatabase((from_error("server", error),), None)
    except dj.errors.DataJointError as error:
        # The server was reached: a query that `connect` makes after that was refused.
        return CheckedDatabase((_failed_query(config, error),), None)
    return _check_connected(config, schema_error)


def _missing_server(folder: Path) -> Finding | None:
    try:
        if embedded.is_made(folder):
            return None
    except OSError as error:
        return failed(
            "server",
            f"the embedded server's folder {folder} cannot be looked into ({error.strerror})",
            "Give a folder of this account's own as custom.embedded.folder.",
        )
    return failed(
        "server",
        f"not initialised: there is no embedded server in {folder} yet",
        "Run: imaging-pipeline init-db",
    )


def _check_connected(config: Config, schema_error: SchemaError | None) -> CheckedDatabase:
    # `connect` binds the classes before it looks for the tables: so they are bound even where there are none.
    tables = bound.default_tables()
    findings: tuple[Finding, ...] = ()
    try:
        findings += check_server(tables.connection, config)
        findings += check_declared(tables, schema_error)
    except dj.errors.DataJointError as error:
        return CheckedDatabase((*findings, _failed_query(config, error)), None)
    return CheckedDatabase(findings, tables if schema_error is None else None)


def _failed_query(config: Config, error: Exception) -> Finding:
    return failed(
        "rights",
        f"the server does not answer a question of the account {config.user}: {error.args[0]}",
        f"Grant it SELECT on the schemas {config.prefix}*, and see whether the server is in order.",
    )
