"""Which values of the configuration count, and where each comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imaging_pipeline.checks.finding import Finding, notice, ok
from imaging_pipeline.config.config import CONFIG_NAME, Config
from imaging_pipeline.config.keys import BY_NAME, KEYS
from imaging_pipeline.config.kinds import Secret

# Keys without effect for the embedded server, which brings its own values of these.
_OF_A_SERVER = ("database.port", "database.user", "database.password", "database.name", "database.use_tls")
_IN_EMBEDDED_ONLY = "custom.embedded.folder"
_IN_POSTGRESQL_ONLY = "database.name"


@dataclass(frozen=True)
class Value:
    """One key that counts, with its value.

    Attributes
    ----------
    key
        Its full name.
    text
        Its value, with a line for each entry of an object; of a secret only whether it is set.
    source
        ``file``, ``default``, ``argument``, or the environment variable.
    """

    key: str
    text: str
    source: str


def check_origin(config: Config) -> Finding:
    """Check which file was read, and what is used where there is none."""
    if config.path is not None:
        return ok("read from", str(config.path))
    if config.embedded_folder is None:
        return ok("read from", "the environment alone: there is no file")
    return notice(
        "read from",
        f"no {CONFIG_NAME} was found here or in a folder above: the embedded server in"
        f" {config.embedded_folder} is used",
        f"For the lab's own database write a {CONFIG_NAME}, as docs/configuration.md says.",
    )


def values_in_force(config: Config) -> tuple[Value, ...]:
    """Return the keys that count in this configuration, in the order of the documentation."""
    return tuple(
        Value(key.name, _text(key.name, config), _source(config.sources[key.name]))
        for key in KEYS
        if _counts(key.name, config)
    )


def _counts(name: str, config: Config) -> bool:
    if config.embedded_folder is not None:
        return name not in _OF_A_SERVER
    return name != _IN_EMBEDDED_ONLY and (name != _IN_POSTGRESQL_ONLY or config.backend == "postgresql")


def _source(source: str) -> str:
    """Shorten ``file …``, which is the same for all keys, and ``environment …`` to the variable."""
    kind, _, name = source.partition(" ")
    return name if kind == "environment" else kind


def _text(name: str, config: Config) -> str:
    # Unlike other fields, it is None where the default folder is used.
    if name == "custom.suite2p.scratch":
        return str(config.scratch)
    value = getattr(config, BY_NAME[name].field)
    # Defaults are worded for the documentation: in its markup, and with a remark behind a semicolon.
    if value is None:
        return BY_NAME[name].default.replace("`", "").partition(";")[0]
    if isinstance(value, Secret):
        return _whether_set(value)
    if isinstance(value, bool):
        return str(value).lower()
    if name == "stores":
        return "\n".join(_store(store, spec) for store, spec in value.items())
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {_short(entry)}" for name, entry in value.items()) or "none"
    return str(value) or "an empty text"


def _store(name: str, spec: str | Mapping[str, object]) -> str:
    if isinstance(spec, str):
        return f"{name}: {spec}"
    facts = [
        f"{key} {_whether_set(value) if isinstance(value, Secret) else value}"
        for key, value in spec.items()
        if key != "protocol"
    ]
    return f"{name}: {spec['protocol']}, {', '.join(facts)}"


def _short(value: object) -> str:
    return "given" if isinstance(value, (Mapping, list)) else str(value)


def _whether_set(secret: Secret) -> str:
    return "set" if secret else "not set"
