"""Option sets for Suite2p: a person's file, stored under a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.errors import InputError, Responsible
from imaging_pipeline.names import settings_hash
from imaging_pipeline.readers.suite2p.metadata import NOT_OPTIONS, plain
from imaging_pipeline.schemas.checked_rows import checked_name, exclusive
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.segmentation.registry import SEGMENTATION_PACKAGES
from imaging_pipeline.suite2p_runner.options import translate

# Outputs lie in a folder of this name. So it must not be that of a folder of Suite2p, of a device of Windows,
# or of the runs of a program that has no option sets.
_NAME = re.compile(r"[^\W_]([\w .+-]*[\w+-])?")
_RESERVED = re.compile(r"suite2p|combined|plane\d+|con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)
_RUN_NAMES = {package.run_name for package in SEGMENTATION_PACKAGES}


@dataclass(frozen=True)
class AddedOptions:
    """An option set that was added, or existed already.

    Attributes
    ----------
    name
        What it is called.
    is_new
        Whether it did not exist before.
    ops_hash
        The hash of its content.
    alike
        Names of other sets with the same content.
    not_carried
        What of the set has no effect, and why.
    """

    name: str
    is_new: bool
    ops_hash: str
    alike: tuple[str, ...]
    not_carried: Mapping[str, str]


def add_options(tables: Tables, name: str, options: Mapping[str, Any]) -> AddedOptions:
    """Add a set of Suite2p options of either generation, as `load_options` returns it.

    Raises
    ------
    InputError
        Suite2p does not know an option, or the name cannot be that of a folder or belongs to another set.
    """
    row = _row(_checked_name(name), options)
    # Names that differ only in case are two keys to the database, so that only this prevents them.
    with exclusive(tables):
        stored = tables.imaging.Suite2pyOps().proj("ops_hash").to_dicts()
        hashes = {other["ops_name"]: other["ops_hash"] for other in stored}
        _check_name_is_free(row, hashes)
        is_new = row["ops_name"] not in hashes
        if is_new:
            tables.imaging.Suite2pyOps.insert1(row)
    alike = sorted(
        other for other, content in hashes.items() if content == row["ops_hash"] and other != row["ops_name"]
    )
    return AddedOptions(row["ops_name"], is_new, row["ops_hash"], tuple(alike), row["ops_not_carried"])


def _row(name: str, options: Mapping[str, Any]) -> Row:
    option_set = translate(options)
    settings = option_set.content
    return {
        "ops_name": name,
        "ops": plain({key: value for key, value in options.items() if key not in NOT_OPTIONS}),
        "ops_settings": settings,
        "ops_not_carried": dict(option_set.not_carried),
        "ops_hash": settings_hash(settings),
    }


def _checked_name(typed: str) -> str:
    name = checked_name(typed, "An option set", field="ops_name")
    is_reserved = _RESERVED.fullmatch(name) or name.lower() in _RUN_NAMES
    # 64 characters fit into the column.
    if len(name) > 64 or not _NAME.fullmatch(name) or is_reserved:
        raise InputError(
            "An option set cannot have this name, because Suite2p's output is called so",
            found=repr(name),
            allowed="at most 64 letters, digits, blanks and _ - + ."
            " (no 'suite2p', 'combined', 'plane0', 'matlab')",
            remedy="take another name.",
            responsible=Responsible.ADMINISTRATOR,
            field="ops_name",
        )
    return name


def _check_name_is_free(row: Row, hashes: Mapping[str, str]) -> None:
    name = row["ops_name"]
    for other, content in hashes.items():
        # On a share that ignores case both would have one folder.
        if other.casefold() == name.casefold() and (other != name or content != row["ops_hash"]):
            raise InputError(
                f"There is an option set {other}, "
                + ("with other content" if other == name else "which differs in case only"),
                found=name,
                remedy="take another name; a set in use is never changed.",
                responsible=Responsible.ADMINISTRATOR,
                field="ops_name",
            )
