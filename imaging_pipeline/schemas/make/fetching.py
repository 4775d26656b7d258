"""What jobs fetch: keys, places and parameters, as plain values.

DataJoint fetches twice and compares, before and after a job's long work; so nothing large is fetched
and paths are text.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from imaging_pipeline import names
from imaging_pipeline.schemas.make.analysed_tifs import analysed_tifs
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables, schema_name


def dataset_files(tables: Tables, key: Row) -> list[Row]:
    """Return the files of a dataset on this machine, in order of acquisition.

    Returns
    -------
    list of dict
        ``path``, ``acquisition``, ``part``, what of the file it is where that holds several recordings,
        and ``fingerprint``: a file that was replaced while a job ran is other data, although its name is
        the same.

    Raises
    ------
    NotMountedError, PathError
        The repository is not to be found on this machine, or the path leaves it.
    """
    return [
        {
            "path": str(tables.local_path(row["repository_name"], row["file_path"])),
            "acquisition": row["acquisition"],
            "part": row["file_part"],
            "fingerprint": row["fingerprint"],
        }
        for row in _files(tables, key)
    ]


def output_place(tables: Tables, key: Row) -> Row:
    """Return where a segmentation output lies on this machine.

    Returns
    -------
    dict
        ``datasettype``; ``path``, the first of its files; ``contents``, a hash that is another one when a
        file is replaced.
    """
    files = _files(tables, key)
    dataset = tables.imaging.Dataset & {"dataset_name": key["dataset_name"]}
    return {
        "datasettype": str(dataset.fetch1("datasettype")),
        "path": str(tables.local_path(files[0]["repository_name"], files[0]["file_path"])),
        "contents": names.contents_hash([file["fingerprint"] for file in files]),
    }


def array_folder(tables: Tables, key: Row) -> str:
    """Return the folder of an analysis' arrays in the store, which other databases may share."""
    imaging = schema_name(tables.config, "imaging")
    return "/".join((imaging, key["metasession_name"], key["session_name"], key["dataset_name"]))


def session_tifs(tables: Tables, key: Row) -> list[Row]:
    """Return the sessions of a MetaSession in order, with their tifs.

    Returns
    -------
    list of dict
        ``session_name``; ``filenames``; and ``frames``, how many there are in the imported tifs and how
        often they came. None for other sessions than the key's: theirs may be imported while the job
        runs, which then would seem to rest on changed data.
    """
    return [
        _session_tifs(tables, session, with_frames=session["session_name"] == key["session_name"])
        for session in sessions_with_tifs(tables, key)
    ]


def sessions_with_tifs(tables: Tables, key: Row) -> list[Row]:
    """Return the sessions of a MetaSession in order, each with the ``dataset_name`` of its analysed tifs."""
    imaging = tables.imaging
    sessions = imaging.Session * analysed_tifs(imaging) & {"metasession_name": key["metasession_name"]}
    rows: list[Row] = sessions.to_dicts(order_by="session_order")
    return rows


def analysis_parameters(tables: Tables, key: Row) -> Row:
    """Return the session's frames in the output and the frame rate."""
    wanted = ("first_frame", "num_frames", "analysis_rate_hz")
    row: Row = (tables.imaging.ImagingAnalysis & key).proj(*wanted).fetch1()
    return row


def newest_baseline(tables: Tables) -> Row:
    """Return the newest row of ``BaselineParams``, which counts for new analyses."""
    row: Row = tables.imaging.BaselineParams().to_dicts(order_by="baseline_params_id DESC", limit=1)[0]
    return row


def _session_tifs(tables: Tables, session: Row, *, with_frames: bool) -> Row:
    files = _files(tables, session)
    return {
        "session_name": session["session_name"],
        "filenames": [PurePosixPath(row["file_path"]).name for row in files],
        "frames": _frames(tables, session, files) if with_frames else None,
    }


def _frames(tables: Tables, session: Row, files: list[Row]) -> Row | None:
    """Return the ``acquisitions`` of the files, and what ``Tif`` says of them."""
    stack = tables.imaging.Tif & {name: session[name] for name in ("session_name", "dataset_name")}
    wanted = ("frames_per_tif", "frames_per_volume", "tif_rate_hz", "motion_cor")
    rows: list[Row] = stack.proj(*wanted).to_dicts()
    if not rows:
        return None
    return {
        "acquisitions": [file["acquisition"] for file in files],
        **{name: rows[0][name] for name in wanted},
    }


def _files(tables: Tables, key: Row) -> list[Row]:
    files = tables.imaging.PhysicalFile & {"dataset_name": key["dataset_name"]}
    rows: list[Row] = files.to_dicts(order_by="file_order")
    return rows
