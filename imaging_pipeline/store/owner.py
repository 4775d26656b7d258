"""The file in a store that says which database its arrays are of.

Several databases may share a store: each has folders of its own, named after its schemas, and such a file.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from imaging_pipeline import strict_json
from imaging_pipeline.errors import StoreError

FOLDER = "owners"

_TYPES = {"identity": str, "state": int, "written": str, "written_by": str, "database": str}


@dataclass(frozen=True)
class Owner:
    """The database that arrays of a store are of.

    Attributes
    ----------
    identity
        Drawn at random when the database took the store; its table ``Store`` has the same.
    state
        How often the identity was renewed; that in the database is never lower.
    written
        When, UTC.
    written_by
        Account and machine of the program that wrote this.
    database
        Where the database was, for people.
    """

    identity: str
    state: int
    written: str
    written_by: str
    database: str


def owner_file(root: Path, schema: str) -> Path:
    """Return the file that says whose the arrays of a schema are."""
    return root / FOLDER / f"{schema}.json"


def read_owner(root: Path, schema: str) -> Owner | None:
    """Return whose the arrays of a schema are; None where no file says so.

    Raises
    ------
    StoreError
        The file is damaged.
    """
    path = owner_file(root, schema)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        values = strict_json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict) or {name: type(value) for name, value in values.items()} != _TYPES:
        raise StoreError(
            "The file that says whose the arrays of a store are is damaged",
            path=path,
            found=text,
            allowed=f"an object with {', '.join(_TYPES)}",
            remedy="Remove it. Then, if the arrays are those of this database, run: imaging-pipeline store"
            " claim",
        )
    return Owner(**values)


def write_owner(root: Path, schema: str, owner: Owner) -> None:
    """Write whose the arrays of a schema are, all of it or nothing."""
    path = owner_file(root, schema)
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_name(f".{uuid.uuid4().hex}")
    try:
        with unfinished.open("x", encoding="utf-8") as file:
            json.dump(asdict(owner), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
