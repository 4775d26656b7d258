"""What jobs fetch before they compute: files, frames and parameters.

DataJoint fetches twice, before and after a job's long work, and compares hashes of both. So nothing large is
fetched, and paths are text.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from imaging_pipeline import names
from imaging_pipeline.schemas.make.analysed_tifs import analysed_tifs
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables, schema_name
from imaging_pipeline.segmentation.volumes import RecordedPlanes


@dataclass(frozen=True)
class DatasetFile:
    """A file of a dataset on this machine.

    Attributes
    ----------
    path, acquisition
        Where it is, and which acquisition it belongs to.
    part
        Which recording it is in a file that holds several; else empty.
    fingerprint
        Of its content: a file that is replaced while a job runs keeps its name, but is other data.
    pages_taken
        How many pages are taken of a damaged tif; None where all must be there.
    """

    path: str
    acquisition: int
    part: str
    fingerprint: str
    pages_taken: int | None = None


@dataclass(frozen=True)
class OutputLocation:
    """Where a segmentation output is on this machine.

    Attributes
    ----------
    datasettype
        Which program made it.
    path
        The first of its files.
    contents
        A hash that differs when a file is replaced.
    """

    datasettype: str
    path: str
    contents: str


@dataclass(frozen=True)
class TifFrames:
    """The imported tifs of a session: columns of ``Tif``."""

    frames_per_tif: tuple[int, ...]
    frames_per_volume: int
    rate_hz: float
    is_motion_corrected: bool
    datatype: str
    planes: RecordedPlanes


@dataclass(frozen=True)
class SessionTifs:
    """The tifs of a session.

    Attributes
    ----------
    session_name, filenames, acquisitions
        Whose they are, their names in order of acquisition, and the acquisition of each.
    frames
        Only of the session that the job is about: tifs of other sessions may be imported while the job
        runs, which would then seem to rest on changed data.
    """

    session_name: str
    filenames: tuple[str, ...]
    acquisitions: tuple[int, ...]
    frames: TifFrames | None


@dataclass(frozen=True)
class AnalysedFrames:
    """The frames of a session in an output, and how many samples a trace has in a second."""

    first_frame: int
    num_frames: int
    rate_hz: float


@dataclass(frozen=True)
class Baseline:
    """A row of ``BaselineParams``."""

    params_id: int
    percentile: float
    window_s: float


def dataset_files(tables: Tables, key: Row) -> tuple[DatasetFile, ...]:
    """Return the files of a dataset on this machine, in order of acquisition.

    Raises
    ------
    NotMountedError, PathError
        The repository is not mounted on this machine, or the path leaves it.
    """
    return tuple(
        DatasetFile(
            path=str(tables.local_path(row["repository_name"], row["file_path"])),
            acquisition=row["acquisition"],
            part=row["file_part"],
            fingerprint=row["fingerprint"],
            pages_taken=row["pages_taken"],
        )
        for row in _files(tables, key)
    )


def output_location(tables: Tables, key: Row) -> OutputLocation:
    """Return where the segmentation output of a dataset is on this machine.

    Raises
    ------
    NotMountedError, PathError
        The repository is not mounted on this machine, or the path leaves it.
    """
    files = _files(tables, key)
    dataset = tables.imaging.Dataset & {"dataset_name": key["dataset_name"]}
    return OutputLocation(
        datasettype=str(dataset.fetch1("datasettype")),
        path=str(tables.local_path(files[0]["repository_name"], files[0]["file_path"])),
        contents=names.contents_hash([file["fingerprint"] for file in files]),
    )


def array_folder(tables: Tables, key: Row) -> str:
    """Return the folder of an analysis' arrays in the store; with the schema, as databases may share it."""
    imaging = schema_name(tables.config, "imaging")
    return "/".join((imaging, key["metasession_name"], key["session_name"], key["dataset_name"]))


def session_tifs(tables: Tables, key: Row) -> tuple[SessionTifs, ...]:
    """Return the tifs of each session of a MetaSession in order, with frames for the session of the key."""
    return tuple(
        _session_tifs(tables, session, with_frames=session["session_name"] == key["session_name"])
        for session in sessions_with_tifs(tables, key)
    )


def sessions_with_tifs(tables: Tables, key: Row) -> list[Row]:
    """Return the sessions of a MetaSession in order, each with the ``dataset_name`` of its analysed tifs."""
    imaging = tables.imaging
    sessions = imaging.Session * analysed_tifs(imaging) & {"metasession_name": key["metasession_name"]}
    rows: list[Row] = sessions.to_dicts(order_by="session_order")
    return rows


def analysed_frames(tables: Tables, key: Row) -> AnalysedFrames:
    """Return the frames of an analysis in its output."""
    columns = ("first_frame", "num_frames", "analysis_rate_hz")
    return AnalysedFrames(*(tables.imaging.ImagingAnalysis & key).fetch1(*columns))


def newest_baseline(tables: Tables) -> Baseline:
    """Return the newest row of ``BaselineParams``, which counts for new analyses."""
    (row,) = tables.imaging.BaselineParams().to_dicts(order_by="baseline_params_id DESC", limit=1)
    return Baseline(row["baseline_params_id"], row["baseline_percentile"], row["baseline_window_s"])


def _session_tifs(tables: Tables, session: Row, *, with_frames: bool) -> SessionTifs:
    files = _files(tables, session)
    return SessionTifs(
        session_name=session["session_name"],
        filenames=tuple(PurePosixPath(row["file_path"]).name for row in files),
        acquisitions=tuple(row["acquisition"] for row in files),
        frames=_frames(tables, session) if with_frames else None,
    )


def _frames(tables: Tables, session: Row) -> TifFrames | None:
    key = {name: session[name] for name in ("session_name", "dataset_name")}
    stack = tables.imaging.Tif & key
    columns = (
        "frames_per_tif",
        "frames_per_volume",
        "tif_rate_hz",
        "motion_cor",
        "datatype",
        "height",
        "width",
    )
    rows: list[Row] = stack.proj(*columns).to_dicts()
    # Purged since the job was made.
    if not rows:
        return None
    (row,) = rows
    return TifFrames(
        frames_per_tif=tuple(row["frames_per_tif"]),
        frames_per_volume=row["frames_per_volume"],
        rate_hz=row["tif_rate_hz"],
        is_motion_corrected=row["motion_cor"],
        datatype=row["datatype"],
        planes=_recorded_planes(tables, key, row),
    )


def _recorded_planes(tables: Tables, key: Row, stack: Row) -> RecordedPlanes:
    """Return the planes of a stack; only the size of its pages where ScanImage did not write it."""
    tif, page_px = tables.imaging.Tif, (stack["height"], stack["width"])
    rows: list[Row] = (tif.Plane & key).to_dicts(order_by="tif_plane")
    if not rows:
        return RecordedPlanes(page_px, frames_per_volume=stack["frames_per_volume"])
    heights = tuple(row["field_height"] for row in rows if row["plane_depth"] == 0)
    num_planes = len(rows) // len(heights)
    num_flyback, num_channels = map(int, (tif.SI & key).fetch1("num_flyback_frames", "num_channels"))
    return RecordedPlanes(
        page_px=page_px,
        field_heights_px=heights,
        num_planes=num_planes,
        num_slots=num_planes + num_flyback,
        frames_per_volume=stack["frames_per_volume"],
        num_channels=num_channels,
    )


def _files(tables: Tables, key: Row) -> list[Row]:
    files = tables.imaging.PhysicalFile & {"dataset_name": key["dataset_name"]}
    rows: list[Row] = files.to_dicts(order_by="file_order")
    return rows
