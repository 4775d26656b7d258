"""Connecting to the database and declaring the schemas."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import datajoint as dj

from imaging_pipeline.config.config import Config, find_config
from imaging_pipeline.config.stores import PIPELINE_STORE
from imaging_pipeline.errors import ConfigError, SchemaError
from imaging_pipeline.schemas import imaging, mlims, suite2p_jobs, tables
from imaging_pipeline.schemas.administer.store_claims import claim_new_store
from imaging_pipeline.schemas.locks import named_lock
from imaging_pipeline.schemas.versions import SCHEMA_VERSION as SCHEMA_VERSION
from imaging_pipeline.schemas.versions import check_version, table_names
from imaging_pipeline.server import embedded
from imaging_pipeline.server.connection_errors import connection_error, database_errors, server_name
from imaging_pipeline.server.session_settings import configure_session

log = logging.getLogger("imaging_pipeline")

_SCHEMAS = tuple(zip(tables.SCHEMAS, (mlims, imaging, suite2p_jobs), strict=True))

# DataJoint hands `True` to PyMySQL as an empty dict, which goes on without TLS if there is none. With
# this dict it is required; certificates are not verified, as with `True`. PostgreSQL requires it either way.
_REQUIRED_TLS = {"verify_mode": False}

# DataJoint empties `declare_list` when it activates a schema; we may bind to another database later.
_CLASSES = {name: tuple(module.schema.declare_list) for name, module in _SCHEMAS}


def connect(config: Config | None = None) -> Any:
    """Connect, and bind the table classes in code to the connection.

    May be called again, also for another database. Nothing is declared: the lab's time zone is fixed when
    the database is initialised, and that is a person's decision.

    Parameters
    ----------
    config
        What to connect to; by default it is found from the working directory upward.

    Returns
    -------
    datajoint.Connection

    Raises
    ------
    ConfigError
        The configuration is wrong.
    DatabaseError
        There is no connection to the server, or a right is missing.
    SchemaError
        The tables are not there, or are those of another version.
    """
    config = config or find_config()
    connection = _open(config)
    with database_errors(config):
        # Bound first, since the version is read through a table class.
        _activate(connection, config, create=False)
        check_version(tables.default_tables())
        if missing_tables(connection, config):
            raise SchemaError(
                f"The tables of imaging-pipeline are not on {server_name(config)}",
                path=config.path,
                found=f"no schema {tables.schema_name(config, 'imaging')} with all its tables that"
                f" {config.user} may see",
                remedy="Run: imaging-pipeline init-db. Where that was done, give the account its rights on"
                f" the schemas {config.prefix}*.",
            )
    return connection


def init_db(config: Config | None = None) -> Any:
    """Declare all schemas, tables and job tables; may be repeated, also from many machines at once.

    Raises
    ------
    ConfigError
        The lab's time zone is not configured, or the configuration is wrong.
    DatabaseError
        There is no connection to the server, or a right is missing.
    SchemaError
        The tables are those of another version.
    """
    config = config or find_config()
    connection = _open(config)
    with database_errors(config):
        _activate(connection, config, create=False)
        check_version(tables.default_tables())
        with declaring(connection, config):
            declare(connection, config)
    return connection


def bind(config: Config) -> tables.Tables:
    """Connect, and bind the table classes in code to tables that may be those of another version.

    Raises
    ------
    DatabaseError
        There is no connection to the server, or a right is missing.
    """
    connection = _open(config)
    with database_errors(config):
        _activate(connection, config, create=False)
    return tables.default_tables()


def declaring(connection: Any, config: Config) -> AbstractContextManager[None]:
    """Return the lock of those who declare or change tables; for a block in which no other does."""
    # DataJoint's declarations fail where several processes make them at once.
    return named_lock(connection, f"{config.prefix}imaging_pipeline_init")


def open_connection(config: Config) -> Any:
    """Return a further connection, for one thread; `connect` must have been called in this process.

    On MariaDB, threads that share a connection get each other's rows without an error.

    Raises
    ------
    DatabaseError
        There is no connection to the server.
    SchemaError
        `connect` was not called yet.
    """
    settings = tables.default_tables().connection.conn_info
    try:
        connection = dj.Connection(
            settings["host"],
            settings["user"],
            settings["passwd"],
            settings["port"],
            settings["ssl_input"],
            database_name=settings["database_name"],
        )
    except Exception as error:  # each driver has its own classes
        raise connection_error(config, error) from error
    configure_session(connection)
    return connection


def open_tables(config: Config) -> tables.Tables:
    """Return the tables on a further connection, as `open_connection` makes it.

    Raises
    ------
    DatabaseError, SchemaError
        There is no connection to the server, or `connect` was not called yet.
    """
    connection = open_connection(config)
    modules = (
        dj.VirtualModule(name, tables.schema_name(config, name), connection=connection)
        for name in tables.SCHEMAS
    )
    return tables.Tables(connection, config, *modules)


def table_classes(module: Any) -> list[Any]:
    """Return the master table classes of a schema's module, in order of declaration."""
    return [cls for cls, _ in _CLASSES[module.__name__.rsplit(".", 1)[-1]]]


def automatic_tables() -> list[Any]:
    """Return every table class that is populated, in order of declaration."""
    return [
        cls for _, module in _SCHEMAS for cls in table_classes(module) if issubclass(cls, dj.AutoPopulate)
    ]


def _open(config: Config) -> Any:
    """Configure DataJoint, and make its one connection of this process."""
    settings = dj.config
    settings.loglevel = config.loglevel
    settings.safemode = config.safemode
    settings.stores = config.datajoint_stores()
    # What the job rows say of finished jobs is shown to people.
    settings.jobs.keep_completed = True
    settings.database.backend = config.backend
    settings.database.use_tls = config.use_tls
    settings.database.name = config.database_name
    if config.embedded_folder is not None:
        server = embedded.start(config.embedded_folder)
        _make_store(config, config.embedded_folder)
        # The server asks for no password, but DataJoint refuses None.
        host, port, user, password = server.host, server.port, server.user, "unused"
        settings.database.use_tls = False
    else:
        host, port, user, password = str(config.host), config.port, config.user, config.password.reveal()
    settings.database.host, settings.database.port = host, port
    settings.database.user, settings.database.password = user, password
    logging.getLogger("datajoint").addFilter(_is_not_about_tls)
    try:
        # Without `reset` DataJoint returns the connection that it has, perhaps to another server.
        connection = dj.conn(reset=True, use_tls=_REQUIRED_TLS if settings.database.use_tls else None)
    except Exception as error:  # each driver has its own classes
        raise connection_error(config, error) from error
    configure_session(connection)
    return connection


def _make_store(config: Config, embedded_folder: Path) -> None:
    """Make the store in the embedded server's folder; elsewhere a share may have to be mounted first."""
    store = config.datajoint_stores()[PIPELINE_STORE]
    if isinstance(store, dict) and store["protocol"] == "file":
        location = Path(store["location"])
        if location.is_relative_to(embedded_folder):
            location.mkdir(parents=True, exist_ok=True)


def _is_not_about_tls(record: logging.LogRecord) -> bool:
    """Return False for DataJoint's warning that it tries without TLS, which ``use_tls`` allows."""
    return not str(record.msg).startswith("SSL connection failed")


def _activate(connection: Any, config: Config, *, create: bool) -> None:
    for name, module in _SCHEMAS:
        database = tables.schema_name(config, name)
        schema = module.schema
        # DataJoint refuses to activate a schema for a second database otherwise.
        schema.database = None
        schema.connection = connection
        schema.declare_list = list(_CLASSES[name])
        if create or _schema_exists(connection, database):
            schema.activate(database, connection=connection, create_schema=create, create_tables=create)
    tables.bind(tables.Tables(connection, config, mlims, imaging, suite2p_jobs))


def _schema_exists(connection: Any, database: str) -> bool:
    query = "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s"
    return connection.query(query, args=(database,)).fetchone() is not None


def missing_tables(connection: Any, config: Config) -> list[str]:
    """Return the tables that are not declared, such as ``imaging.Tif.SI``, in order of declaration."""
    missing = []
    for name, module in _SCHEMAS:
        stored = table_names(connection, tables.schema_name(config, name))
        for cls in table_classes(module):
            expected = {each.table_name: each.__qualname__ for each in (cls, *parts(cls))}
            if issubclass(cls, dj.AutoPopulate):
                # DataJoint's name for the job table of a populated one.
                expected[f"~~{cls.table_name.lstrip('_')}"] = f"{cls.__qualname__}.jobs"
            missing += [f"{name}.{each}" for stands, each in expected.items() if stands not in stored]
    return missing


def parts(cls: Any) -> list[Any]:
    """Return the part tables of a master table class."""
    return [part for part in vars(cls).values() if isinstance(part, type) and issubclass(part, dj.Part)]


def declare(connection: Any, config: Config) -> None:
    """Declare what is missing, within `declaring`, and add the rows that this version brings.

    Raises
    ------
    ConfigError
        The lab's time zone is neither stored nor configured.
    """
    _activate(connection, config, create=True)
    _declare_jobs()
    _add_lookup_rows()
    if not imaging.Lab():
        if config.timezone is None:
            raise ConfigError(
                "The lab's time zone is not configured, and it is fixed when the database is initialised",
                path=config.path,
                remedy='Give custom.timezone, for example "Europe/Oslo", and run init-db again.',
            )
        imaging.Lab.insert1({"lab_id": 0, "timezone": config.timezone, "schema_version": SCHEMA_VERSION})
    if not_ours := claim_new_store(tables.default_tables()):
        # No error: only a sweep needs it.
        log.warning("This database does not sweep the store %r. %s", PIPELINE_STORE, not_ours)
    names = ", ".join(tables.schema_name(config, name) for name in tables.SCHEMAS)
    log.info("The schemas %s are declared.", names)


def _declare_jobs() -> None:
    """Declare the job tables, which DataJoint does when they are first used."""
    logger = logging.getLogger("datajoint")
    level = logger.level
    # It warns of column types that it chose itself.
    logger.setLevel(logging.ERROR)
    try:
        for cls in automatic_tables():
            cls().jobs  # noqa: B018
    finally:
        logger.setLevel(level)


def _add_lookup_rows() -> None:
    """Add the rows that this version brings; DataJoint adds none where a lab has as many of its own."""
    for _, module in _SCHEMAS:
        for cls in table_classes(module):
            if cls.__dict__.get("contents"):
                cls().insert(cls.contents, skip_duplicates=True)
