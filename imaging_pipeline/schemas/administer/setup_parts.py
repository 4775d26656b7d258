"""The parts of a setup, as people type them: errors are about the field ``parts``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from imaging_pipeline import strict_json
from imaging_pipeline.errors import FormatError, InputError, Responsible
from imaging_pipeline.schemas.checked_rows import checked_row, refuse_unknown
from imaging_pipeline.schemas.plain_rows import Row

PARTS = ("Sync", "Tracking1D", "Tracking2D", "Treadmill", "Scanimage", "Labview")
# A list of rows; of each other part there is one.
_LISTED = "Sync"
_FIELD = "parts"
# MariaDB takes JSON of 32 levels, MySQL of 100; the log of changes puts it into further levels.
_MAX_LEVELS = 20
_TOO_DEEP = f"lists and groups more than {_MAX_LEVELS} deep in each other"


def read_parts(content: bytes) -> Mapping[str, Any]:
    """Read parts from JSON: name of a part → its columns.

    Raises
    ------
    FormatError
        It is no JSON object, or one with more levels than databases take.
    """
    try:
        # Editors on Windows may put a byte order mark before the text.
        parts = strict_json.loads(content.decode("utf-8-sig"))
    except strict_json.NestedTooDeeplyError as error:
        raise _no_parts(_TOO_DEEP) from error
    except ValueError as error:
        raise _no_parts(error) from error
    if not isinstance(parts, Mapping):
        raise _no_parts(type(parts).__name__)
    if not _fits(parts, _MAX_LEVELS):
        raise _no_parts(_TOO_DEEP)
    return parts


def part_rows(setup: Any, key: Row, parts: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Return the rows of each part.

    Parameters
    ----------
    setup
        The table class.
    key
        The setup's primary key.
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
            for columns in _as_list(part, content)
        ]
        for part, content in parts.items()
    }
    _check_lines(rows.get(_LISTED, []))
    return {part: listed for part, listed in rows.items() if listed}


def exists(part: Any, key: Row, rows: Sequence[Row]) -> bool:
    """Return True if a setup has this part already; only the columns of ``rows`` are compared.

    Raises
    ------
    InputError
        The setup has the part with other values.
    """
    stored = (part & key).to_dicts(order_by=part.primary_key)
    new = sorted(rows, key=lambda row: [row[name] for name in part.primary_key])
    if stored and (len(stored) != len(new) or any(map(_differs, stored, new))):
        raise InputError(
            f"The part {part.__name__} of this setup is there already with other values",
            found="; ".join(str({name: row[name] for name in row if name not in key}) for row in stored),
            remedy="give a calibration that changed a date of its own.",
            responsible=Responsible.ADMINISTRATOR,
            field=_FIELD,
        )
    return bool(stored)


def _as_list(part: str, content: Any) -> list[Mapping[str, Any]]:
    is_list = isinstance(content, Sequence) and not isinstance(content, str)
    rows = list(content) if is_list and part == _LISTED else [content]
    if not all(isinstance(row, Mapping) for row in rows):
        group = "a group of names and values"
        raise InputError(
            f"The part {part} is not one",
            found=repr(content),
            allowed=f"a list, of which each is {group}" if part == _LISTED else group,
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


def _differs(stored: Row, new: Row) -> bool:
    return any(stored[name] != value for name, value in new.items())


def _fits(value: Any, levels: int) -> bool:
    """Return True if lists and groups are nested over no more than some levels."""
    if not isinstance(value, (Mapping, list)):
        return True
    within = value.values() if isinstance(value, Mapping) else value
    return levels > 0 and all(_fits(inner, levels - 1) for inner in within)


def _no_parts(found: object) -> FormatError:
    return FormatError(
        "The parts of a setup are no JSON object that can be taken",
        found=found,
        allowed='{"Sync": […], …}',
        remedy="Correct the text.",
        responsible=Responsible.ADMINISTRATOR,
        field=_FIELD,
    )
