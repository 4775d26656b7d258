"""What the pages of sessions show of one session."""

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

# Columns that the page shows: without the whole header, and the times of all frames.
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


@dataclass(frozen=True)
class DatasetFile:
    """A file of a dataset.

    Attributes
    ----------
    path
        Below the repository, with the part of the file where datasets share it, such as a group within it.
    size_bytes
        Of the whole file.
    pages_taken
        The pages that are taken of a damaged tif; None: it is whole.
    """

    path: str
    size_bytes: int
    pages_taken: int | None


@dataclass(frozen=True)
class DatasetFiles:
    """A dataset of a session with its files in order.

    Attributes
    ----------
    name, datasettype, bundle
        Its row of ``Dataset``.
    files
        Its files.
    """

    name: str
    datasettype: str
    bundle: str
    files: tuple[DatasetFile, ...]

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True)
class Stack:
    """A stack of a session, as the microscope recorded it.

    Attributes
    ----------
    row
        Of ``Tif``, with columns of ``Tif.SI`` where it has such a row.
    height, width
        px, of its preview.
    num_acquisitions, num_lost_frames
        As ScanImage numbered them; 0 where the stack is none of its own.
    """

    row: Row
    height: int
    width: int
    num_acquisitions: int = 0
    num_lost_frames: int = 0


@dataclass(frozen=True)
class Annotations:
    """What people noted: texts of the MetaSession, session types and apparatus of the session."""

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
    restricted = imaging.Session & {"session_name": session_name}
    rows = (restricted * imaging.MetaSession * tables.mlims.Animal.proj("animal_name")).to_dicts()
    if not rows:
        raise NothingFoundError(
            "There is no such session",
            found=session_name,
            remedy="Look for it in the list: it may have been retired, or registered anew.",
        )
    row: Row = rows[0]
    return row


def key_of(row: Row) -> Row:
    """Return the primary key of a session; for its name alone, servers would scan whole tables."""
    return {name: row[name] for name in ("metasession_name", "session_name")}


def siblings(tables: Tables, row: Row) -> list[Row]:
    """Return all sessions of a session's MetaSession, in their order."""
    of_metasession = tables.imaging.Session & {"metasession_name": row["metasession_name"]}
    siblings: list[Row] = of_metasession.to_dicts(order_by="session_order")
    return siblings


def datasets(tables: Tables, row: Row) -> list[DatasetFiles]:
    """Return the datasets of a session with their files."""
    imaging = tables.imaging
    of_session = imaging.Session.Data & key_of(row)
    files: dict[str, list[DatasetFile]] = defaultdict(list)
    for file in (imaging.PhysicalFile & of_session.proj()).to_dicts(order_by=("dataset_name", "file_order")):
        part = f" {file['file_part']}" if file["file_part"] else ""
        files[file["dataset_name"]].append(
            DatasetFile(f"{file['file_path']}{part}", file["size_bytes"], file["pages_taken"])
        )
    rows = (imaging.Dataset & of_session.proj()).to_dicts(order_by=("datasettype", "bundle"))
    return [
        DatasetFiles(
            dataset["dataset_name"],
            dataset["datasettype"],
            dataset["bundle"],
            tuple(files[dataset["dataset_name"]]),
        )
        for dataset in rows
    ]


def stacks(tables: Tables, row: Row) -> list[Stack]:
    """Return what was imported of a session's stacks."""
    imaging, key = tables.imaging, key_of(row)
    details = {si["dataset_name"]: si for si in (imaging.Tif.SI & key).proj(*_SCANIMAGE).to_dicts()}
    lost: dict[str, list[int]] = defaultdict(list)
    for each in (imaging.Tif.Acquisition & key).proj("num_lost_frames").to_dicts():
        lost[each["dataset_name"]].append(each["num_lost_frames"])
    stacks = []
    for tif in (imaging.Tif & key).to_dicts():
        # The row has the shape; the image itself stays in the store.
        height, width = tif["mean_image"].shape
        of_stack = lost[tif["dataset_name"]]
        row = {**details.get(tif["dataset_name"], {}), **tif}
        stacks.append(Stack(row, height, width, len(of_stack), sum(of_stack)))
    return stacks


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
    """Return the runs of Suite2p on a session's MetaSession, with their option sets."""
    key = {"metasession_name": row["metasession_name"]}
    rows: list[Row] = (tables.suite2p_jobs.Suite2Py & key).to_dicts()
    return rows


def requested_option_set(tables: Tables, row: Row) -> str | None:
    """Return the name of the requested option set; None where Suite2p is not requested."""
    rows = (tables.imaging.MetaSession.Suite2pyOps & {"metasession_name": row["metasession_name"]}).to_dicts()
    return rows[0]["ops_name"] if rows else None


def session_annotations(tables: Tables, row: Row) -> Annotations:
    """Return what people noted of a session."""
    imaging = tables.imaging
    of_metasession = {"metasession_name": row["metasession_name"]}
    of_session = key_of(row)
    notes = (imaging.MetaSession.Note & of_metasession).to_dicts(order_by="entry_time_note")
    return Annotations(
        tuple((note["entry_time_note"], note["note"]) for note in notes),
        frozenset(map(str, (imaging.Session.SessionType & of_session).to_arrays("sessiontype"))),
        frozenset(map(str, (imaging.Session.Apparatus & of_session).to_arrays("apparatus"))),
    )


def hardware(tables: Tables, row: Row) -> dict[str, Any]:
    """Return setup, calibration and microscope head, as far as they are recorded."""
    key = {"metasession_name": row["metasession_name"]}
    setups = (tables.imaging.MetaSession.Setup & key).to_dicts()
    scopes = (tables.imaging.MetaSession.Scope & key).to_dicts()
    return {**(setups[0] if setups else {}), **(scopes[0] if scopes else {})}
