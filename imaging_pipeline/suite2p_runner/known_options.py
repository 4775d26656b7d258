"""The options that Suite2p knows, from the tables beside this module, so without Suite2p.

``settings_1x.json`` holds type and default of each option of Suite2p 1.x; a test compares it with the
installed Suite2p. ``ops_0x.json`` says where each flat option of 0.x went.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.errors import InputError
from imaging_pipeline.printable import printable, short_repr

# Lets the pipeline choose; see `run_settings`.
AUTO = "auto"
AUTO_ALLOWED = "registration.batch_size"


_NUMBERS = ("list", "tuple")
# Looking for names like an unknown one takes its time, and nobody reads more.
_MAX_LISTED = 10
_WORDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "dict": "a group of names and values",
    **dict.fromkeys(_NUMBERS, "a number, or a list of numbers"),
}


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
    return content


@cache
def settings_1x() -> Mapping[str, tuple[str, Any]]:
    """Type and default of each setting, by its dotted name such as ``registration.nonrigid``."""
    return dict(_flatten(_read("settings_1x.json")["settings"], ""))


@cache
def db_1x() -> Mapping[str, tuple[str, Any]]:
    """Type and default of the options that describe the recording, by name."""
    return dict(_flatten(_read("settings_1x.json")["db"], ""))


@cache
def ops_0x() -> Mapping[str, Any]:
    """Tables of 0.x: ``carried`` (flat key → dotted name), ``computed``, ``not_carried`` (reason → keys)."""
    return _read("ops_0x.json")


def _flatten(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, tuple[str, Any]]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", (value[0], value[1])


def default_settings() -> dict[str, Any]:
    """Return the defaults of Suite2p 1.x, nested."""
    defaults: dict[str, Any] = {}
    for name, (_type, default) in settings_1x().items():
        put(defaults, name, default)
    return defaults


def put(nested: dict[str, Any], name: str, value: Any) -> None:
    """Set the value at a dotted name."""
    *groups, key = name.split(".")
    for group in groups:
        nested = nested.setdefault(group, {})
    nested[key] = value


def flat(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and value of each setting; mappings that are values stay whole.

    An empty group says nothing of its settings; one that Suite2p does not have is yielded as a setting.
    """
    for key, value in nested.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and name not in settings_1x() and (value or name in groups_1x()):
            yield from flat(value, f"{name}.")
        else:
            yield name, value


@cache
def groups_1x() -> frozenset[str]:
    """Return the dotted names of the groups of settings, of any level."""
    names = (name.split(".")[:-1] for name in settings_1x())
    return frozenset(".".join(parts[: i + 1]) for parts in names for i in range(len(parts)))


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, (bool, int, float)) and math.isfinite(value)
    except OverflowError:  # a whole number that no float holds
        return False


def conform(name: str, value: Any, kind: str, *, written: str = "") -> Any:
    """Return ``value`` in the type that Suite2p expects: its window writes 1.0 where it means 1 or True.

    Parameters
    ----------
    name
        The option's dotted name.
    value, kind
        The value in the set, and the type that Suite2p expects.
    written
        The name of the option in the set, if it is another.

    Raises
    ------
    InputError
        The value is of another kind.
    """
    if value is None or (kind == "dict" and isinstance(value, Mapping)):
        return value
    if name == AUTO_ALLOWED and value == AUTO:
        return value
    number = _is_number(value)
    if kind == "bool" and number and value in (0, 1):
        return bool(value)
    if kind == "int" and number and value == int(value):
        return int(value)
    if kind == "float" and number:
        return float(value)
    if kind == "str" and isinstance(value, str):
        return value
    if kind in _NUMBERS and number:
        # One number stands for both directions, y and x.
        return [float(value)] * 2
    if kind in _NUMBERS and isinstance(value, (list, tuple)) and all(map(_is_number, value)):
        return list(value)
    raise InputError(
        f"The Suite2p option {written or name} has a value of the wrong kind",
        found=short_repr(value),
        allowed=f"{_WORDS[kind]} or '{AUTO}'" if name == AUTO_ALLOWED else _WORDS[kind],
        remedy="Correct the option set.",
    )


def unknown_options(unknown: Iterable[str], known: Iterable[str]) -> InputError:
    """Return the error of unknown options, with known ones that are similar to each."""
    names = {name.rpartition(".")[2]: name for name in known}
    keys = list(unknown)
    told = [
        with_alike(printable(key), [names[alike] for alike in near(key.rpartition(".")[2], names)])
        for key in keys[:_MAX_LISTED]
    ]
    more = [f"and {len(keys) - _MAX_LISTED} more"] if len(keys) > _MAX_LISTED else []
    return InputError(
        "Suite2p does not know some options of this set, and would ignore them",
        found="; ".join([*told, *more]),
        remedy="Correct or remove these keys.",
    )
