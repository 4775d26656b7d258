"""The parts of a setup, as a person gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from imaging_pipeline import strict_json
from imaging_pipeline.errors import FormatError, InputError, Responsible
from imaging_pipeline.schemas.inserting import checked_row, refuse_unknown
from imaging_pipeline.schemas.plain_rows import Row

PARTS = ("Sync", "Tracking1D", "Tracking2D", "Treadmill", "Scanimage", "Labview")
# One row a line; the other parts are there once.
_LISTED = "Sync"
# MariaDB takes JSON of 32 levels, MySQL of 100; what is kept of a change has it within others.
_DEEPEST = 20
# The input of `administration.add_setup` that holds them.
_FIELD = "parts"


def read_parts(content: bytes) -> Mapping[str, Any]:
    """Read parts from JSON: name of a part → its columns.

    Raises
    ------
    FormatError
        It is no JSON object, or one with more levels than databases take.
    """
    try:
        parts = strict_json.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        raise _no_parts(error) from error
    if not isinstance(parts, Mapping):
        raise _no_parts(type(parts).__name__)
    if not _lies_within(parts, _DEEPEST):
        raise _no_parts(f"lists and groups more than {_DEEPEST} deep in each other")
    return parts


def part_rows(setup: Any, key: Row, parts: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Return the rows of each part.

    Parameters
    ----------
    setup
        The table class.
    key
        Of the setup.
    parts
        Name of a part → its columns; for ``Sync`` a list of these, one for each line.

    Raises
    ------
    InputError
        A part or column is unknown, or a value is not one for its column.
    """
    refuse_unknown(parts, PARTS, what="A setup", field=_FIELD)
    rows = {
        part: [
            checked_row(getattr(setup, part), columns, what=f"The part {part}", key=key, field=_FIELD)
            for columns in _as_list(part, given)
        ]
        for part, given in parts.items()
    }
    _check_lines(rows.get(_LISTED, []))
    return {part: found for part, found in rows.items() if found}


def is_there(part: Any, key: Row, rows: Sequence[Row]) -> bool:
    """Whether a part of a setup is there already; only the columns given are compared.

    Raises
    ------
    InputError
        It is there with other values.
    """
    stored = (part & key).to_dicts(order_by=part.primary_key)
    given = sorted(rows, key=lambda row: [row[name] for name in part.primary_key])
    if stored and (len(stored) != len(given) or any(map(_differs, stored, given))):
        raise InputError(
            f"The part {part.__name__} of this setup is there already with other values",
            found="; ".join(str({name: row[name] for name in row if name not in key}) for row in stored),
            remedy="give a calibration that changed a date of its own.",
            responsible=Responsible.ADMINISTRATOR,
            field=_FIELD,
        )
    return bool(stored)


def _as_list(part: str, given: Any) -> list[Mapping[str, Any]]:
    is_list = isinstance(given, Sequence) and not isinstance(given, str)
    rows = list(given) if is_list and part == _LISTED else [given]
    if not all(isinstance(row, Mapping) for row in rows):
        wanted = "a group of names and values"
        raise InputError(
            f"The part {part} is not one",
            found=repr(given),
            allowed=f"a list, of which each is {wanted}" if part == _LISTED else wanted,
            remedy="Write the part as it is allowed.",
            responsible=Responsible.ADMINISTRATOR,
            field=_FIELD,
        )
    return rows


def _check_lines(lines: Sequence[Row]) -> None:
    names = [line["sync_name"] for line in lines]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            "The part Sync has a line twice",
            found=", ".join(twice),
            remedy="Give each line a name of its own.",
            responsible=Responsible.ADMINISTRATOR,
            field=_FIELD,
        )
    masters = [line["sync_name"] for line in lines if line.get("master")]
    if len(masters) > 1:
        raise InputError(
            "The part Sync has several masters",
            found=", ".join(masters),
            allowed="one line with master true",
            remedy="Make one line the master.",
            responsible=Responsible.ADMINISTRATOR,
            field=_FIELD,
        )
    negative = [line["sync_name"] for line in lines if line.get("tolerance", 0) < 0]
    if negative:
        raise InputError(
            "The part Sync has a tolerance below 0",
            found=", ".join(negative),
            allowed="0 or more seconds",
            remedy="Give a tolerance of 0 or more.",
            responsible=Responsible.ADMINISTRATOR,
            field=_FIELD,
        )


def _differs(stored: Row, given: Row) -> bool:
    return any(stored[name] != value for name, value in given.items())


def _lies_within(value: Any, levels: int) -> bool:
    """Return True if lists and groups lie in each other over no more than some levels."""
    if not isinstance(value, (Mapping, list)):
        return True
    within = value.values() if isinstance(value, Mapping) else value
    return levels > 0 and all(_lies_within(each, levels - 1) for each in within)


def _no_parts(found: object) -> FormatError:
    return FormatError(
        "The parts of a setup are no JSON object that can be taken",
        found=found,
        allowed='{"Sync": […], …}',
        remedy="Correct the text.",
        responsible=Responsible.ADMINISTRATOR,
        field=_FIELD,
    )
