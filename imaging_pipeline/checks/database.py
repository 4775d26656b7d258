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
    """What was found, and the tables where they are ready for further questions, else None."""

    findings: tuple[Finding, ...]
    tables: Tables | None


def check_database(config: Config) -> CheckedDatabase:
    """Connect and look at server and tables; an embedded server is started, but none is made."""
    folder = config.embedded_folder
    if folder is not None:
        finding = _why_not_made(folder)
        if finding is not None:
            return CheckedDatabase((finding,), None)
    refusal = None
    try:
        database.connect(config)
    except SchemaError as error:
        refusal = error
    except PipelineError as error:
        return CheckedDatabase((from_error("server", error),), None)
    except dj.errors.DataJointError as error:
        return CheckedDatabase((_not_let(config, error),), None)
    return _look(config, refusal)


def _why_not_made(folder: Path) -> Finding | None:
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


def _look(config: Config, refusal: SchemaError | None) -> CheckedDatabase:
    # Bound also where `connect` found no tables: it binds before it looks for them.
    tables = bound.default_tables()
    findings: tuple[Finding, ...] = ()
    try:
        findings += check_server(tables.connection, config)
        findings += check_declared(tables, refusal)
    except dj.errors.DataJointError as error:
        return CheckedDatabase((*findings, _not_let(config, error)), None)
    return CheckedDatabase(findings, tables if refusal is None else None)


def _not_let(config: Config, error: Exception) -> Finding:
    return failed(
        "rights",
        f"the server does not answer a question of the account {config.user}: {error.args[0]}",
        f"Grant it SELECT on the schemas {config.prefix}*, and see whether the server is in order.",
    )
