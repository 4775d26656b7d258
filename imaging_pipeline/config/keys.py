"""All keys of the configuration: the documentation's table is made of them."""

from __future__ import annotations

from dataclasses import dataclass

from imaging_pipeline.config import kinds
from imaging_pipeline.config.kinds import Kind
from imaging_pipeline.config.stores import parse_stores

CONFIG_VARIABLE = "IMAGING_PIPELINE_CONFIG"


@dataclass(frozen=True)
class Key:
    """One key of the configuration.

    Attributes
    ----------
    name
        As it is written flat in the file; ``custom.`` means in the block ``custom``.
    field
        The attribute of `Config` that holds it.
    kind
        Which values are allowed.
    meaning, default
        The texts of the documentation.
    variable
        The environment variable that wins over the file, or None.
    credentials
        Whether the value is or may contain a credential, and so must not be shown.
    """

    name: str
    field: str
    kind: Kind
    meaning: str
    default: str
    variable: str | None = None
    credentials: bool = False


_BACKENDS = kinds.one_of("mysql", "postgresql")
_LOGLEVELS = kinds.one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_STORES = kinds.object_kind("object: name → store", parse_stores)

KEYS = (
    # Host and port count as credentials: a person may have put a whole URL there, with a password.
    Key(
        "database.host",
        "host",
        kinds.HOST,
        "Name or address of the database server.",
        "the embedded server",
        "DJ_HOST",
        credentials=True,
    ),
    Key(
        "database.port",
        "port",
        kinds.PORT,
        "Its port.",
        "3306, or 5432 for `postgresql`",
        "DJ_PORT",
        credentials=True,
    ),
    Key("database.user", "user", kinds.TEXT, "The account; needed where a host is given.", "none", "DJ_USER"),
    Key(
        "database.password",
        "password",
        kinds.PASSWORD,
        "Its password; never shown.",
        "an empty one",
        "DJ_PASS",
        credentials=True,
    ),
    Key("database.backend", "backend", _BACKENDS, "The kind of server.", "`mysql`", "DJ_BACKEND"),
    Key(
        "database.name",
        "database_name",
        kinds.TEXT,
        "The PostgreSQL database.",
        "the server's `postgres`",
        "DJ_DATABASE_NAME",
    ),
    Key(
        "database.use_tls",
        "use_tls",
        kinds.TRUTH,
        "Whether the connection is encrypted.",
        "where offered",
        "DJ_USE_TLS",
    ),
    Key(
        "stores",
        "stores",
        _STORES,
        "Where arrays are kept; needed where a host is given.",
        "`main`",
        "DJ_STORES",
        credentials=True,
    ),
    Key(
        "loglevel", "loglevel", _LOGLEVELS, "The mildest messages that are logged.", "`INFO`", "DJ_LOG_LEVEL"
    ),
    Key("safemode", "safemode", kinds.TRUTH, "Whether DataJoint asks before it deletes.", "`true`"),
    Key(
        "custom.database.prefix",
        "prefix",
        kinds.PREFIX,
        "What the names of the shared schemas begin with.",
        "`lab_`",
        "IMAGING_PIPELINE_PREFIX",
    ),
    Key(
        "custom.repositories",
        "repositories",
        kinds.REPOSITORIES,
        "Where this machine finds each repository.",
        "none",
    ),
    Key(
        "custom.timezone",
        "timezone",
        kinds.TIMEZONE,
        "The lab's wall time; kept in the database when it is initialised.",
        "none; embedded: this machine's",
        "IMAGING_PIPELINE_TIMEZONE",
    ),
    Key(
        "custom.suite2p.scratch",
        "suite2p_scratch",
        kinds.FOLDER,
        "A fast local disk for Suite2p's work.",
        "the system's temporary folder",
        "IMAGING_PIPELINE_SCRATCH",
    ),
    Key(
        "custom.mlims.source",
        "mlims_source",
        kinds.SOURCE,
        "Where [animals come from](colony.md).",
        "none: animals are imported from files",
        "IMAGING_PIPELINE_MLIMS_SOURCE",
        credentials=True,
    ),
    Key(
        "custom.mlims.password",
        "mlims_password",
        kinds.PASSWORD,
        "The password of that source; never shown.",
        "an empty one",
        "IMAGING_PIPELINE_MLIMS_PASSWORD",
        credentials=True,
    ),
    Key(
        "custom.mlims.every_min",
        "mlims_every_min",
        kinds.MINUTES,
        "How often workers compare with it.",
        "30",
        "IMAGING_PIPELINE_MLIMS_EVERY_MIN",
    ),
    Key(
        "custom.embedded.folder",
        "embedded_folder",
        kinds.FOLDER,
        "Where the embedded server and its store are; used only where no host is given.",
        "the user's data folder",
    ),
)

BY_NAME = {key.name: key for key in KEYS}
