"""Kinds of values of the configuration: what is allowed, and how it is written in the environment."""

from __future__ import annotations

import json
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging_pipeline import strict_json
from imaging_pipeline.choices import near


class NotAllowedError(ValueError):
    """A value is not of its kind; the message says what is allowed."""


class Secret:
    """A text that no log, message or ``repr`` shows, such as a password.

    It is no dataclass and has no ``__dict__``, so that ``dataclasses.asdict``, ``vars`` and ``json`` do not
    find the text either. It is pickled with its text, since a job process needs that to connect.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(not shown)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)


def _as_is(text: str) -> object:
    return text


@dataclass(frozen=True)
class Kind:
    """A kind of value.

    Attributes
    ----------
    name
        What is allowed, for the documentation.
    parse
        Turns a value of JSON into the value that is used; raises `NotAllowedError`.
    from_text
        Turns the text of an environment variable into the value that JSON would have.
    """

    name: str
    parse: Callable[[object], Any]
    from_text: Callable[[str], object] = _as_is


def a_text(value: object) -> str:
    r"""Accept a text that is not blank and has no control characters.

    A control character is nearly always part of a Windows path in which JSON read ``\t`` or ``\n`` as an
    escape.
    """
    if not isinstance(value, str) or not value.strip():
        raise NotAllowedError("a text that is not empty")
    if any(ord(character) < 32 for character in value):
        raise NotAllowedError("a text without control characters (in JSON a backslash is written twice)")
    return value.strip()


def _a_host(value: object) -> str:
    """Accept a name, an address or the folder of a socket, but no URL, which may contain a password."""
    host = a_text(value)
    if "@" in host or "://" in host or (" " in host) or ("/" in host and not host.startswith("/")):
        raise NotAllowedError("the name or address of the server alone")
    return host


def _a_password(value: object) -> Secret:
    if not isinstance(value, str):
        raise NotAllowedError("a text")
    return Secret(value)


def _a_port(value: object) -> int:
    # A bool is an int to Python.
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        raise NotAllowedError("a whole number from 1 to 65535")
    return value


def _number_from_text(text: str) -> object:
    # Other texts stay texts, for `parse` to refuse. Without the check int() would also take " 1_0 ".
    return int(text) if text.isascii() and text.isdigit() else text


def _a_truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise NotAllowedError("true or false")
    return value


def _truth_from_text(text: str) -> object:
    spelled = {"true": True, "1": True, "yes": True, "on": True}
    spelled |= {"false": False, "0": False, "no": False, "off": False}
    return spelled.get(text.lower(), text)


def one_of(*values: str) -> Kind:
    """Return the kind of a value that is one of a few texts."""
    listed = ", ".join(f"`{value}`" for value in values)

    def parse(value: object) -> str:
        if value not in values:
            raise NotAllowedError(f"one of {', '.join(values)}")
        return str(value)

    return Kind(f"one of {listed}", parse)


def _a_prefix(value: object) -> str:
    """Accept what both MySQL and PostgreSQL allow at the start of an unquoted schema name."""
    if not isinstance(value, str) or not re.fullmatch(r"([a-z][a-z0-9_]{0,31})?", value):
        raise NotAllowedError(
            "up to 32 lower-case letters, digits and _, the first a letter; or an empty text"
        )
    if value.startswith("pg_"):
        raise NotAllowedError("a prefix other than pg_, which PostgreSQL keeps for itself")
    return value


def a_folder(value: object) -> Path:
    """Accept an absolute folder of this machine, existing or not; ``~`` is the home folder.

    A relative one would depend on the directory that a worker is started in.
    """
    folder = Path(a_text(value)).expanduser()
    if not folder.is_absolute():
        raise NotAllowedError("an absolute path of this machine")
    return folder


def an_object(value: object) -> Mapping[str, object]:
    """Accept a JSON object."""
    if not isinstance(value, dict):
        raise NotAllowedError("an object: {…}")
    return value


def _repositories(value: object) -> Mapping[str, Path]:
    folders: dict[str, Path] = {}
    for name, folder in an_object(value).items():
        try:
            folders[a_text(name)] = a_folder(folder)
        except NotAllowedError as error:
            raise NotAllowedError(f"for {name!r}: {error}") from None
    return folders


def _object_from_text(text: str) -> object:
    try:
        return strict_json.loads(text)
    except strict_json.DuplicateKeyError as error:
        raise NotAllowedError(str(error)) from None
    except json.JSONDecodeError:
        return text


def _a_timezone(value: object) -> str:
    name = a_text(value)
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        alike = near(name, zoneinfo.available_timezones())
        nearest = f" (the nearest: {', '.join(alike)})" if alike else ""
        raise NotAllowedError(f"an IANA name such as Europe/Oslo{nearest}") from None
    return name


def _a_source(value: object) -> Mapping[str, object]:
    """Accept an object with a kind; each kind of source checks its other settings itself."""
    source = dict(an_object(value))
    if "kind" not in source:
        raise NotAllowedError('an object with "kind" and what that kind takes')
    # The object is shown by config check, and passwords are not.
    if any("pass" in name.lower() for name in source):
        raise NotAllowedError("an object without a password, which is custom.mlims.password")
    return source | {"kind": a_text(source["kind"])}


def _minutes(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1440:
        raise NotAllowedError("a whole number of minutes from 1 to 1440")
    return value


TEXT = Kind("text", a_text)
HOST = Kind("name or address", _a_host)
PASSWORD = Kind("text", _a_password)
PORT = Kind("whole number, 1–65535", _a_port, _number_from_text)
TRUTH = Kind("`true` or `false`", _a_truth, _truth_from_text)
PREFIX = Kind("lower-case letters, digits, `_`; may be empty", _a_prefix)
FOLDER = Kind("absolute folder", a_folder)
REPOSITORIES = Kind("object: name → absolute folder", _repositories, _object_from_text)
TIMEZONE = Kind("IANA name", _a_timezone)
SOURCE = Kind("object: kind and settings", _a_source, _object_from_text)
MINUTES = Kind("minutes, 1–1440", _minutes, _number_from_text)


def object_kind(name: str, parse: Callable[[object], Any]) -> Kind:
    """Return the kind of a value that is a JSON object, and a JSON text in the environment."""
    return Kind(name, parse, _object_from_text)
