"""``dj_local_conf.json`` and the environment, as one frozen and typed `Config`.

Nothing here connects. Environment variables win over the file; where neither names a database
server, the configuration is that of the embedded server.
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
    """What this machine needs to know to work with the lab's database.

    Attributes
    ----------
    path
        The file that was read, or None.
    host
        The database server; None where it is the embedded one.
    port, user, password, backend
        How to reach it; those of the embedded server come from `embedded.start`.
    database_name
        The PostgreSQL database; None is the server's own choice.
    use_tls
        Whether the connection is encrypted; None is yes where the server offers it.
    prefix
        What the names of the shared schemas begin with.
    stores
        DataJoint's block, with a `Secret` for every credential.
    loglevel, safemode
        As in DataJoint.
    repositories
        From a repository's name to where this machine would find it, mounted or not.
    timezone
        The lab's wall time (IANA); None where nobody said, which only ``init-db`` minds.
    suite2p_scratch
        The folder for Suite2p's scratch; None is the system's temporary folder.
    mlims_source
        ``kind`` and settings of the source of animals, checked where it is used; None where there is none.
    mlims_password
        Its password.
    mlims_every_min
        Minutes between two comparisons with it.
    embedded_folder
        The embedded server's folder; None where there is a host.
    sources
        From each key's full name to ``file …``, ``environment …`` or ``default``.
    suite2p_threads
        Of a run of Suite2p, as a worker was told; None is all cores. No key of the file.
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
        """The folder for Suite2p's scratch, given or the system's temporary folder."""
        return self.suite2p_scratch or Path(tempfile.gettempdir())

    @property
    def notice(self) -> str:
        """What a person must know about a server that nobody chose; empty where one was chosen."""
        if self.embedded_folder is None or self.sources["custom.embedded.folder"] != "default":
            return ""
        missing = f"{self.path} names no database.host" if self.path else f"No {CONFIG_NAME} was found"
        return f"{missing}: the embedded database server is used, in {self.embedded_folder}"

    def datajoint_stores(self) -> dict[str, object]:
        """Return the stores as ``dj.config["stores"]`` wants them, credentials in plain text."""
        return revealed(self.stores)


def find_config(start: Path | None = None) -> Config:
    """Find the configuration of this machine.

    The file is the one that ``IMAGING_PIPELINE_CONFIG`` names, else the first ``dj_local_conf.json``
    in ``start`` (the working directory) or a folder above it. Without a file the environment alone
    counts. The notice about an embedded server that nobody chose is logged as a warning.

    Raises
    ------
    ConfigError
        For a file or variable that is not what the documentation says.
    """
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        path = Path(named).expanduser().absolute()
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
        found = next((path for path in candidates if path.is_file()), None)
        config = load_config(found) if found else _build(None, settings_in_environment(os.environ))
    if config.notice:
        _logger.warning(config.notice)
    return config


def load_config(path: Path) -> Config:
    """Read one configuration file; environment variables win over it.

    Raises
    ------
    ConfigError
        For a file that cannot be read or is not what the documentation says.
    """
    path = path.absolute()
    settings = settings_in_file(path)
    return _build(path, settings | settings_in_environment(os.environ))


def embedded_config(folder: Path) -> Config:
    """Return the configuration of an embedded server in a folder, whatever file or environment say.

    A demonstration or a test must never end up in the lab's own database.
    """
    return _build(None, {"custom.embedded.folder": Setting(folder.absolute(), "argument")})


def default_embedded_folder() -> Path:
    """Return the folder of the embedded server where none is configured.

    PostgreSQL refuses to run as root, so for root the server runs as another user, which must be
    able to enter every folder above its data: that is never to be a private home.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/imaging-pipeline")
    return platformdirs.user_data_path("imaging-pipeline", appauthor=False)


def _build(path: Path | None, settings: Mapping[str, Setting]) -> Config:
    """Fill in the defaults, which differ between a server and the embedded one."""
    given = {BY_NAME[name].field: setting.value for name, setting in settings.items()}
    if "host" in given:
        _require(("database.user", "stores"), path, settings)
        defaults = _server_defaults(given)
        given["embedded_folder"] = None
    else:
        _refuse_server_settings(path, settings)
        defaults = _embedded_defaults(given)
    sources = {name: settings[name].source if name in settings else "default" for name in BY_NAME}
    return Config(path=path, sources=sources, **(_DEFAULTS | defaults | given))


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


def _server_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    backend = given.get("backend", "mysql")
    return {"backend": backend, "port": 5432 if backend == "postgresql" else 3306}


def _embedded_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    folder = given.get("embedded_folder") or default_embedded_folder()
    return {
        "host": None,
        "port": 5432,
        "user": "postgres",
        "backend": "postgresql",
        "use_tls": False,
        "stores": file_store(folder / "store"),
        "timezone": _timezone_here(),
        "embedded_folder": folder,
    }


def _timezone_here() -> str:
    """Return this machine's zone: ``TZ``, else where ``/etc/localtime`` leads, else UTC."""
    linked = Path("/etc/localtime").resolve().as_posix().rpartition("zoneinfo/")[2]
    for name in (os.environ.get("TZ", ""), linked):
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


def _refuse_server_settings(path: Path | None, settings: Mapping[str, Setting]) -> None:
    """Refuse an account without a server: it was meant for one whose name was forgotten."""
    for name, setting in settings.items():
        if name.startswith("database."):
            raise ConfigError(
                f'"{name}" is given ({setting.source}), but no "database.host"',
                path=path,
                remedy=f'give "database.host" (DJ_HOST), or remove "{name}" to use the embedded server.',
            )
