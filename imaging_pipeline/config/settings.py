"""What a file or the environment sets, checked by the table of keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging_pipeline.choices import near
from imaging_pipeline.config.keys import BY_NAME, KEYS, Key
from imaging_pipeline.config.kinds import NotAllowedError
from imaging_pipeline.errors import ConfigError

_SECRETIVE = ("pass", "pw", "secret", "token", "key", "credential")


@dataclass(frozen=True)
class Setting:
    """One value of the configuration and where it comes from (``file …`` or ``environment …``)."""

    value: Any
    source: str


def settings_in_file(document: Mapping[str, object], path: Path) -> dict[str, Setting]:
    """Check the content of a configuration file, key by key.

    Parameters
    ----------
    document
        The JSON object; ``{"database.host": …}`` and ``{"database": {"host": …}}`` are the same.
        A ``null`` is no value, as in the files that DataJoint 0.x saved.
    path
        Its file, for the messages.

    Returns
    -------
    dict
        From a key's full name to its parsed value.

    Raises
    ------
    ConfigError
        For an unknown key, one that is given twice, or a value that is not of its kind.
    """
    given: dict[str, object] = {}
    _flatten("", document, path, given)
    return {
        name: Setting(_parsed(BY_NAME[name], value, name, path), f"file {path}")
        for name, value in given.items()
        if value is not None
    }


def settings_in_environment(environment: Mapping[str, str]) -> dict[str, Setting]:
    """Check the environment variables that the table names; an empty one counts as not set."""
    settings = {}
    for key in KEYS:
        text = environment.get(key.variable or "", "")
        if not key.variable or not text:
            continue
        try:
            value = key.kind.from_text(text)
        except NotAllowedError as error:
            raise _wrong_value(key, text, key.variable, None, error) from None
        settings[key.name] = Setting(_parsed(key, value, key.variable, None), f"environment {key.variable}")
    return settings


def _flatten(start: str, block: Mapping[str, object], path: Path, given: dict[str, object]) -> None:
    """Collect the values of a block by their full names."""
    for name, value in block.items():
        full = start + name
        within = [known for known in BY_NAME if known.startswith(full + ".")]
        if full in BY_NAME:
            if full in given:
                raise ConfigError(
                    f'The key "{full}" is given twice, once flat and once in a block',
                    path=path,
                    allowed="each key once",
                    remedy="remove one of the two.",
                )
            given[full] = value
        elif within and isinstance(value, dict):
            _flatten(full + ".", value, path, given)
        elif within:
            raise ConfigError(
                f'The key "{full}" is a block',
                path=path,
                found=_shown(value, credentials=_looks_secret(full)),
                allowed=f"an object with {', '.join(known[len(full) + 1 :] for known in within)}",
                remedy="correct the value, or remove the key.",
            )
        else:
            raise _unknown_key(full, value, path)


def _unknown_key(full: str, value: object, path: Path) -> ConfigError:
    # A key of ours that is written outside its block, or within a wrong one, is the likeliest slip.
    tail = full.removeprefix("custom.")
    alike = [name for name in BY_NAME if name.removeprefix("custom.") == tail] or near(full, BY_NAME, count=1)
    nearest = f'The nearest known key is "{alike[0]}".' if alike else ""
    return ConfigError(
        f'Unknown key "{full}"',
        path=path,
        found=_shown(value, credentials=_looks_secret(full) or "database.password" in alike),
        allowed=", ".join(BY_NAME),
        remedy=f"correct the key or remove it. {nearest}".strip(),
    )


def _parsed(key: Key, value: object, named: str, path: Path | None) -> object:
    try:
        return key.kind.parse(value)
    except NotAllowedError as error:
        raise _wrong_value(key, value, named, path, error) from None


def _wrong_value(key: Key, value: object, named: str, path: Path | None, error: Exception) -> ConfigError:
    what, remedy = f'The value of "{key.name}" is wrong', "correct the value, or remove the key."
    if path is None:
        what, remedy = f'The environment variable {named} ("{key.name}") is wrong', "correct or unset it."
    return ConfigError(what, path=path, found=_shown(value, key.credentials), allowed=error, remedy=remedy)


def _looks_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRETIVE)


def _shown(value: object, credentials: bool) -> str:
    """Tell a value in a message, without what could be a credential."""
    if credentials:
        return "not shown, since it may be or hold a credential"
    if isinstance(value, dict):
        return f"an object with the keys {', '.join(value)}" if value else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return repr(value)
