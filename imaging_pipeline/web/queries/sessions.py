"""Sessions, the newest first, and all that is known of one of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import NothingFoundError
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class DatasetFiles:
    """A dataset of a session with its files in order.

    Attributes
    ----------
    name, datasettype, bundle
        Its row of ``Dataset``.
    files
        Path, size in bytes and acquisition of each.
    """

    name: str
    datasettype: str
    bundle: str
    files: tuple[tuple[str, int, int], ...]

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(size for _, size, _ in self.files)


@dataclass(frozen=True)
class Stack:
    """What the microscope wrote of a session.

    Attributes
    ----------
    row
        Of ``Tif``, with what ``Tif.SI`` or ``Mesc`` says beside.
    height, width
        px, of its preview.
    """

    row: Row
    height: int
    width: int


@dataclass(frozen=True)
class Noted:
    """What people noted of a session: of the MetaSession the texts, of the session types and apparatus."""

    notes: tuple[tuple[datetime, str], ...]
    types: frozenset[str]
    apparatus: frozenset[str]


def session(tables: Tables, session_name: str) -> Row:
    """Return a session with its MetaSession and animal.

    Raises
    ------
    NothingFoundError
        There is none of this name.
    """
    imaging = tables.imaging
    # Restricted before it is joined: MySQL would join all sessions first.
    here = imaging.Session & {"session_name": session_name}
    rows = (here * imaging.MetaSession * tables.mlims.Animal.proj("animal_name")).to_dicts()
    if not rows:
        raise NothingFoundError(
            "There is no such session",
            found=session_name,
            remedy="Look for it in the list: it may have been retired, or registered anew.",
        )
    row: Row = rows[0]
    return row


def key_of(row: Row) -> Row:
    """Return the primary key of a session: by its name alone, servers would look through whole tables."""
    return {name: row[name] for name in ("metasession_name", "session_name")}


def siblings(tables: Tables, row: Row) -> list[Row]:
    """Return all sessions of a session's MetaSession, in their order."""
    found = tables.imaging.Session & {"metasession_name": row["metasession_name"]}
    siblings: list[Row] = found.to_dicts(order_by="session_order")
    return siblings


def datasets(tables: Tables, row: Row) -> list[DatasetFiles]:
    """Return the datasets of a session with their files."""
    imaging = tables.imaging
    of_session = imaging.Session.Data & key_of(row)
    files: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for each in (imaging.PhysicalFile & of_session.proj()).to_dicts(order_by=("dataset_name", "file_order")):
        part = f" {each['file_part']}" if each["file_part"] else ""
        files[each["dataset_name"]].append(
            (f"{each['file_path']}{part}", each["size_bytes"], each["acquisition"])
        )
    rows = (imaging.Dataset & of_session.proj()).to_dicts(order_by=("datasettype", "bundle"))
    return [
        DatasetFiles(
            each["dataset_name"], each["datasettype"], each["bundle"], tuple(files[each["dataset_name"]])
        )
        for each in rows
    ]


def stacks(tables: Tables, row: Row) -> list[Stack]:
    """Return what was imported of a session's stacks."""
    imaging, here = tables.imaging, key_of(row)
    details = {each["dataset_name"]: each for each in (imaging.Tif.SI & here).proj(*_SCANIMAGE).to_dicts()}
    found = []
    for each in (imaging.Tif & here).to_dicts():
        height, width = each["mean_image"].shape
        found.append(Stack({**details.get(each["dataset_name"], {}), **each}, height, width))
    return found


_SCANIMAGE = (
    "version",
    "framerate",
    "num_channels",
    "num_scanning_depths",
    "zoom",
    "power",
    "width_scanimage_micro",
    "height_scanimage_micro",
)


def preview(tables: Tables, session_name: str, dataset_name: str) -> NDArray[np.float32]:
    """Return the mean image of a stack: float32 (height, width).

    Raises
    ------
    NothingFoundError
        There is no such stack.
    """
    key = {"session_name": session_name, "dataset_name": dataset_name}
    rows = (tables.imaging.Tif & (tables.imaging.Session.Data & key).keys()).proj("mean_image").to_dicts()
    if not rows:
        raise NothingFoundError(
            "There is no such stack",
            found=f"{session_name}, {dataset_name}",
            remedy="Open the session again.",
        )
    return np.asarray(rows[0]["mean_image"].load(), np.float32)


def runs(tables: Tables, row: Row) -> list[Row]:
    """Return the runs of Suite2p on a session's MetaSession, and the option set that each was made with."""
    key = {"metasession_name": row["metasession_name"]}
    found: list[Row] = (tables.suite2p_jobs.Suite2Py & key).to_dicts()
    return found


def asked_options(tables: Tables, row: Row) -> str | None:
    """Return the name of the option set that is asked for."""
    rows = (tables.imaging.MetaSession.Suite2pyOps & {"metasession_name": row["metasession_name"]}).to_dicts()
    return rows[0]["ops_name"] if rows else None


def noted(tables: Tables, row: Row) -> Noted:
    """Return what people noted."""
    imaging = tables.imaging
    of_metasession = {"metasession_name": row["metasession_name"]}
    of_session = key_of(row)
    notes = (imaging.MetaSession.Note & of_metasession).to_dicts(order_by="entry_time_note")
    return Noted(
        tuple((each["entry_time_note"], each["note"]) for each in notes),
        frozenset(map(str, (imaging.Session.SessionType & of_session).to_arrays("sessiontype"))),
        frozenset(map(str, (imaging.Session.Apparatus & of_session).to_arrays("apparatus"))),
    )


def hardware(tables: Tables, row: Row) -> dict[str, Any]:
    """Return setup, its calibration and the microscope head, where they are known."""
    key = {"metasession_name": row["metasession_name"]}
    setups = (tables.imaging.MetaSession.Setup & key).to_dicts()
    scopes = (tables.imaging.MetaSession.Scope & key).to_dicts()
    return {**(setups[0] if setups else {}), **(scopes[0] if scopes else {})}
