"""The settings of ``dj_local_conf.json`` and of the environment, checked by the table of keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging_pipeline import strict_json
from imaging_pipeline.choices import near
from imaging_pipeline.config.keys import BY_NAME, KEYS, Key
from imaging_pipeline.config.kinds import NotAllowedError
from imaging_pipeline.errors import ConfigError

# In the name of an unknown key they tell that its value may be a credential.
_SECRET_WORDS = ("pass", "pw", "secret", "token", "key", "credential")


@dataclass(frozen=True)
class Setting:
    """A value of the configuration and its source: ``file …`` or ``environment …``."""

    value: Any
    source: str


def settings_in_file(path: Path) -> dict[str, Setting]:
    """Read a configuration file and check it, key by key.

    ``{"database.host": …}`` and ``{"database": {"host": …}}`` are the same. A ``null`` is no value, as in
    the files that DataJoint 0.x saved.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    dict
        From a key's full name to its parsed value.

    Raises
    ------
    ConfigError
        The file cannot be read or is no JSON object; a key is unknown or given twice; or a value is not of
        its kind.
    """
    values: dict[str, object] = {}
    _flatten("", _read_json(path), path, values)
    return {
        name: Setting(_parsed(BY_NAME[name], value, name, path), f"file {path}")
        for name, value in values.items()
        if value is not None
    }


def settings_in_environment(environment: Mapping[str, str]) -> dict[str, Setting]:
    """Read the environment variables of all keys and check them; an empty one counts as not set.

    Raises
    ------
    ConfigError
        A value is not of its kind.
    """
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


def _read_json(path: Path) -> Mapping[str, object]:
    """Read a JSON object. Errors do not show its content, since it may hold a password."""
    try:
        # Windows editors put a byte-order mark first.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_read("is not UTF-8", path, f"byte {error.start}", "save it as UTF-8.") from None
    except OSError as error:
        raise _not_read("cannot be read", path, error.strerror, "let this account read it.") from None
    try:
        document = strict_json.loads(text)
    except json.JSONDecodeError as error:
        # Not chained: the error holds the whole text, with the password.
        raise _not_json(error.msg, error.lineno, error.colno, path) from None
    except strict_json.DuplicateKeyError as error:
        raise ConfigError(
            "A key is given twice", path=path, allowed=error, remedy="remove one of the two."
        ) from None
    except (RecursionError, ValueError):
        # Python refuses whole numbers of more than 4300 digits with a plain ValueError.
        raise ConfigError(
            "A value is nested too deep, or a number too long, to be read",
            path=path,
            remedy="correct the file.",
        ) from None
    if not isinstance(document, dict):
        raise _not_read("is no JSON object", path, f"{text.strip()[:1]}…", "write the keys between { and }.")
    return document


def _not_read(what: str, path: Path, found: object, remedy: str) -> ConfigError:
    return ConfigError(f"The configuration {what}", path=path, found=found, remedy=remedy)


def _not_json(message: str, line: int, column: int, path: Path) -> ConfigError:
    remedy = "correct the file at this place."
    if "escape" in message:
        remedy = "write each backslash twice, or / instead."
    return ConfigError(f"Not JSON at line {line}, column {column}: {message}", path=path, remedy=remedy)


def _flatten(start: str, block: Mapping[str, object], path: Path, values: dict[str, object]) -> None:
    """Collect the values of a block under their full names."""
    for name, value in block.items():
        full = start + name
        # The keys for which this name may be a block.
        within = [key for key in BY_NAME if key.startswith(full + ".")]
        if full in BY_NAME:
            if full in values:
                raise ConfigError(
                    f'The key "{full}" is given twice, once flat and once in a block',
                    path=path,
                    allowed="each key once",
                    remedy="remove one of the two.",
                )
            values[full] = value
        elif within and isinstance(value, dict):
            _flatten(full + ".", value, path, values)
        elif within:
            raise ConfigError(
                f'The key "{full}" is a block',
                path=path,
                found=_shown(value, credentials=_looks_secret(full)),
                allowed=f"an object with {', '.join(key[len(full) + 1 :] for key in within)}",
                remedy="correct the value, or remove the key.",
            )
        else:
            raise _unknown_key(full, value, path)


def _unknown_key(full: str, value: object, path: Path) -> ConfigError:
    # The likeliest mistake is a right key outside its block, or in a wrong block.
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


def _parsed(key: Key, value: object, name: str, path: Path | None) -> object:
    try:
        return key.kind.parse(value)
    except NotAllowedError as error:
        raise _wrong_value(key, value, name, path, error) from None


def _wrong_value(key: Key, value: object, name: str, path: Path | None, error: Exception) -> ConfigError:
    what, remedy = f'The value of "{key.name}" is wrong', "correct the value, or remove the key."
    if path is None:
        what, remedy = f'The environment variable {name} ("{key.name}") is wrong', "correct or unset it."
    return ConfigError(what, path=path, found=_shown(value, key.credentials), allowed=error, remedy=remedy)


def _looks_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)


def _shown(value: object, credentials: bool) -> str:
    """Return a value for a message, without what could be a credential."""
    if credentials:
        return "not shown, since it may be or hold a credential"
    # Not the values: below an unknown key there may be anything.
    if isinstance(value, dict):
        return f"an object with the keys {', '.join(value)}" if value else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return repr(value)
