"""``dj_local_conf.json`` and the environment as one frozen and typed `Config`.

Nothing here connects. Environment variables win over the file. Where neither names a database server, the
configuration is that of the embedded server.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import platformdirs

from imaging_pipeline.config.keys import BY_NAME, CONFIG_VARIABLE
from imaging_pipeline.config.kinds import TIMEZONE, NotAllowedError, Secret
from imaging_pipeline.config.sources import Setting, settings_in_environment, settings_in_file
from imaging_pipeline.config.stores import Stores, file_store, revealed
from imaging_pipeline.errors import ConfigError

__all__ = ["CONFIG_NAME", "Config", "Secret", "embedded_config", "find_config", "load_config"]

CONFIG_NAME = "dj_local_conf.json"
DEFAULT_PREFIX = "lab_"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Config:
    """What this machine needs to work with the lab's database.

    Attributes
    ----------
    path
        The file that was read, or None.
    host
        The database server; None where it is the embedded one.
    port, user, password, backend
        How to connect; those of the embedded server come from `embedded.start`.
    database_name
        The PostgreSQL database; None for the server's default.
    use_tls
        Whether the connection is encrypted; None: if the server offers it.
    prefix
        What the names of the shared schemas begin with.
    stores
        DataJoint's block ``stores``, with a `Secret` for every credential.
    loglevel, safemode
        As in DataJoint.
    repositories
        Name of each repository → its folder on this machine, mounted or not.
    timezone
        The lab's time zone (IANA); None if it is not configured. Only ``init-db`` needs it.
    suite2p_scratch
        The folder for Suite2p's scratch; None for the system's temporary folder.
    mlims_source
        ``kind`` and settings of the source of animals, checked where they are used; None if there is none.
    mlims_password
        Its password.
    mlims_every_min
        Minutes between two comparisons with that source.
    embedded_folder
        The embedded server's folder; None if there is a host.
    sources
        Full name of each key → ``file …``, ``environment …`` or ``default``.
    suite2p_threads
        Threads of a run of Suite2p, from a worker's option; None for all cores. Not a key of the file.
    """

    path: Path | None
    host: str | None
    port: int
    user: str
    password: Secret
    backend: Literal["mysql", "postgresql"]
    database_name: str | None
    use_tls: bool | None
    prefix: str
    stores: Stores
    loglevel: str
    safemode: bool
    repositories: Mapping[str, Path]
    timezone: str | None
    suite2p_scratch: Path | None
    mlims_source: Mapping[str, object] | None
    mlims_password: Secret
    mlims_every_min: int
    embedded_folder: Path | None
    sources: Mapping[str, str]
    suite2p_threads: int | None = None

    @property
    def scratch(self) -> Path:
        """The folder for Suite2p's scratch: the configured one, else the system's temporary folder."""
        return self.suite2p_scratch or Path(tempfile.gettempdir())

    @property
    def notice(self) -> str:
        """The warning that the embedded server is used by default; empty if the server was configured."""
        if self.embedded_folder is None or self.sources["custom.embedded.folder"] != "default":
            return ""
        missing = f"{self.path} names no database.host" if self.path else f"No {CONFIG_NAME} was found"
        return f"{missing}: the embedded database server is used, in {self.embedded_folder}"

    def datajoint_stores(self) -> dict[str, object]:
        """Return the stores for ``dj.config["stores"]``, with credentials in plain text."""
        return revealed(self.stores)


def find_config(start: Path | None = None) -> Config:
    """Find and read the configuration of this machine.

    The file is the one that ``IMAGING_PIPELINE_CONFIG`` names, else the first ``dj_local_conf.json`` in
    ``start`` (by default the working directory) or a folder above it. Without a file only the environment
    counts. A warning is logged where the embedded server is used by default.

    Raises
    ------
    ConfigError
        The file or an environment variable is not as documented.
    """
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        path = Path(named).expanduser().absolute()
        # No other file is looked for: with a misspelt name one would work in the wrong database.
        if not path.is_file():
            raise ConfigError(
                f"The file that {CONFIG_VARIABLE} names is not there",
                path=path,
                remedy="correct or unset it.",
            )
        config = load_config(path)
    else:
        first = (start or Path.cwd()).resolve()
        candidates = (folder / CONFIG_NAME for folder in (first, *first.parents))
        file = next((path for path in candidates if path.is_file()), None)
        config = load_config(file) if file else _build(None, settings_in_environment(os.environ))
    if config.notice:
        _logger.warning(config.notice)
    return config


def load_config(path: Path) -> Config:
    """Read one configuration file; environment variables win over it.

    Raises
    ------
    ConfigError
        The file cannot be read, or it or an environment variable is not as documented.
    """
    path = path.absolute()
    settings = settings_in_file(path)
    # Variables come last, so that they win.
    return _build(path, settings | settings_in_environment(os.environ))


def embedded_config(folder: Path) -> Config:
    """Return the configuration of an embedded server in a folder; file and environment do not count.

    A demonstration or a test must never write to the lab's own database.
    """
    return _build(None, {"custom.embedded.folder": Setting(folder.absolute(), "argument")})


def default_embedded_folder() -> Path:
    """Return the folder of the embedded server where none is configured.

    PostgreSQL refuses to run as root, so root's server runs as another user, who must be able to enter every
    folder above its data. So it must not be in root's private home.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/imaging-pipeline")
    return platformdirs.user_data_path("imaging-pipeline", appauthor=False)


def _build(path: Path | None, settings: Mapping[str, Setting]) -> Config:
    """Add the defaults, which differ between a server and the embedded one."""
    values = {BY_NAME[name].field: setting.value for name, setting in settings.items()}
    if "host" in values:
        _require(("database.user", "stores"), path, settings)
        defaults = _server_defaults(values)
        # It may be in a file that several machines share.
        values["embedded_folder"] = None
    else:
        _check_no_server_settings(path, settings)
        defaults = _embedded_defaults(values)
    sources = {name: settings[name].source if name in settings else "default" for name in BY_NAME}
    return Config(path=path, sources=sources, **(_DEFAULTS | defaults | values))


_DEFAULTS: dict[str, Any] = {
    "password": Secret(""),
    "database_name": None,
    "use_tls": None,
    "prefix": DEFAULT_PREFIX,
    "loglevel": "INFO",
    "safemode": True,
    "repositories": {},
    "timezone": None,
    "suite2p_scratch": None,
    "mlims_source": None,
    "mlims_password": Secret(""),
    "mlims_every_min": 30,
}


def _server_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    backend = values.get("backend", "mysql")
    return {"backend": backend, "port": 5432 if backend == "postgresql" else 3306}


def _embedded_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    folder = values.get("embedded_folder") or default_embedded_folder()
    return {
        "host": None,
        "port": 5432,
        "user": "postgres",
        "backend": "postgresql",
        # Its socket cannot be reached from another machine.
        "use_tls": False,
        "stores": file_store(folder / "store"),
        "timezone": _timezone_here(),
        "embedded_folder": folder,
    }


def _timezone_here() -> str:
    """Return this machine's time zone: ``TZ``, else the target of ``/etc/localtime``, else UTC."""
    linked = Path("/etc/localtime").resolve().as_posix().rpartition("zoneinfo/")[2]
    for name in (os.environ.get("TZ", ""), linked):
        # TZ may be a rule such as CET-1CEST, and localtime a copy instead of a link.
        with suppress(NotAllowedError):
            return str(TIMEZONE.parse(name.removeprefix(":")))
    return "UTC"


def _require(names: tuple[str, ...], path: Path | None, settings: Mapping[str, Setting]) -> None:
    for name in names:
        if name not in settings:
            raise ConfigError(
                f'"database.host" is given ({settings["database.host"].source}), but not "{name}"',
                path=path,
                remedy=f"give it here or as {BY_NAME[name].variable}, for example {_EXAMPLES[name]}.",
            )


_EXAMPLES = {
    "database.user": '"database.user": "anna"',
    "stores": '"stores": {"default": "main", "main": {"protocol": "file", "location": "/data/store"}}',
}


def _check_no_server_settings(path: Path | None, settings: Mapping[str, Setting]) -> None:
    """Raise `ConfigError` for an account without a host: its name was forgotten."""
    for name, setting in settings.items():
        if name.startswith("database."):
            raise ConfigError(
                f'"{name}" is given ({setting.source}), but no "database.host"',
                path=path,
                remedy=f'give "database.host" (DJ_HOST), or remove "{name}" to use the embedded server.',
            )
