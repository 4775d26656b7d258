"""The text of ``dj_local_conf.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from imaging_pipeline import strict_json
from imaging_pipeline.errors import ConfigError


def read_json(path: Path) -> Mapping[str, object]:
    """Read a configuration file, of which nothing is checked but that it is an object.

    Raises
    ------
    ConfigError
        Where it cannot be read, or is no JSON; its content is not told, since it may hold a password.
    """
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
    except strict_json.GivenTwiceError as error:
        raise ConfigError(
            "A key is given twice", path=path, allowed=error, remedy="remove one of the two."
        ) from None
    except (RecursionError, ValueError):
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
