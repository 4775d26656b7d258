"""From the registered files of a stack to the rows of ``Tif``, and to the tifs of a run."""

from __future__ import annotations

from pathlib import Path

from imaging_pipeline.experiments.dataset_types import MOTION_CORRECTED
from imaging_pipeline.experiments.recognised import StackFile, StackFiles
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif
from imaging_pipeline.readers.tiff.stack import TifStack
from imaging_pipeline.schemas.make.fetching import dataset_files
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables


def stack_files(tables: Tables, key: Row) -> Row:
    """Return the files of a dataset of tifs on this machine, and those of the primary dataset beside it.

    Parameters
    ----------
    tables
        The database.
    key
        Of ``Session.Data``.

    Returns
    -------
    dict
        ``experiment_type``, ``datasettype`` and ``timeseries_name``; ``tifs`` and ``primary``, as
        `fetching.dataset_files` gives them.
    """
    imaging = tables.imaging
    of_session = {name: key[name] for name in ("metasession_name", "session_name")}
    (experiment,) = (imaging.MetaSession & of_session).to_arrays("experiment_type").tolist()
    (timeseries_name,) = (imaging.Session & of_session).to_arrays("timeseries_name").tolist()
    links = (imaging.Session.Data * imaging.Dataset.proj("datasettype") & of_session).to_dicts()
    (tifs,) = (link for link in links if link["dataset_name"] == key["dataset_name"])
    (primary,) = (link for link in links if link["datasettype"] == experiment_type(experiment).primary)
    return {
        "experiment_type": experiment,
        "datasettype": tifs["datasettype"],
        "timeseries_name": timeseries_name,
        "tifs": dataset_files(tables, tifs),
        "primary": dataset_files(tables, primary),
    }


def read_tifs(files: Row) -> tuple[RecordedTif[Header], ...]:
    """Read how the tifs that `stack_files` gives were taken, as their experiment type knows."""
    return experiment_type(files["experiment_type"]).read_tifs(_stack_files(files))


def read_stack(files: Row) -> TifStack:
    """Read of the tifs that `stack_files` gives what ``Tif`` keeps, as their experiment type knows."""
    return experiment_type(files["experiment_type"]).read_stack(_stack_files(files))


def contents(files: Row) -> list[str]:
    """Return the fingerprints of all that `read_tifs` rests on, as a plan orders them."""
    experiment = experiment_type(files["experiment_type"])
    besides = files["primary"] if experiment.primary != experiment.analysed else []
    return [file["fingerprint"] for file in (*besides, *files["tifs"])]


def is_motion_corrected(files: Row) -> bool:
    """Return True if the tifs that `stack_files` gives were motion corrected before they were registered."""
    return files["datasettype"] in MOTION_CORRECTED


def _stack_files(files: Row) -> StackFiles:
    return StackFiles(
        files["datasettype"],
        files["timeseries_name"],
        _on_this_machine(files["tifs"]),
        _on_this_machine(files["primary"]),
    )


def _on_this_machine(rows: list[Row]) -> tuple[StackFile, ...]:
    return tuple(StackFile(Path(row["path"]), row["acquisition"], row["part"]) for row in rows)


def stack_row(stack: TifStack) -> Row:
    """Return the columns of ``Tif`` that follow from the stack."""
    first = stack.tifs[0]
    return {
        "num_files": len(stack.tifs),
        "num_frames": stack.num_frames,
        "frames_per_tif": [tif.num_frames for tif in stack.tifs],
        "frames_per_volume": first.header.frames_per_volume,
        "tif_rate_hz": first.header.volume_rate_hz,
        "width": first.width,
        "height": first.height,
        "datatype": first.dtype,
        "bigtiff": first.is_bigtiff,
        "mean_image": stack.mean_image,
    }
