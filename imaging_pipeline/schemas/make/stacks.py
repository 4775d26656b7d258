"""From the registered files of a stack to the rows of ``Tif``, and to the tifs of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from imaging_pipeline import progress
from imaging_pipeline.errors import InputError
from imaging_pipeline.experiments.dataset_types import BAD_FRAMES, MOTION_CORRECTED
from imaging_pipeline.experiments.recognised import ExperimentType, StackFile, StackFiles
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.ingest.fingerprint import fingerprint
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif
from imaging_pipeline.readers.tiff.stack import TifStack
from imaging_pipeline.schemas.make.fetching import DatasetFile, dataset_files
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class TifDataset:
    """The files of a dataset of tifs, and those of the session's primary dataset, on this machine.

    The two are the same where the tifs are what was recorded. The zone is that of the lab, by its name.
    ``bad_frames`` has the list of frames that Suite2p is to leave out, if there is one; its numbers count the
    frames of all sessions of the run.
    """

    experiment_type: str
    datasettype: str
    timeseries_name: str
    tifs: tuple[DatasetFile, ...]
    primary: tuple[DatasetFile, ...]
    zone: str
    bad_frames: tuple[DatasetFile, ...] = ()

    @property
    def is_motion_corrected(self) -> bool:
        """Whether the tifs were motion corrected before they were registered."""
        return self.datasettype in MOTION_CORRECTED

    @property
    def fingerprints(self) -> list[str]:
        """Of all files that `read_tifs` reads, in the order in which a plan hashes them."""
        experiment = experiment_type(self.experiment_type)
        others = self.primary if experiment.primary != experiment.analysed else ()
        return [file.fingerprint for file in (*others, *self.tifs)]

    @property
    def stack_files(self) -> StackFiles:
        """The same files as experiment types read them."""
        return StackFiles(
            self.datasettype,
            self.timeseries_name,
            _stack_files(self.tifs),
            _stack_files(self.primary),
            ZoneInfo(self.zone),
        )


def tif_dataset(tables: Tables, key: Row) -> TifDataset:
    """Return a dataset of tifs by its key of ``Session.Data``.

    Raises
    ------
    NotMountedError, PathError
        The repository is not mounted on this machine, or a path leaves it.
    """
    imaging = tables.imaging
    of_session = {name: key[name] for name in ("metasession_name", "session_name")}
    (experiment,) = (imaging.MetaSession & of_session).to_arrays("experiment_type").tolist()
    (timeseries_name,) = (imaging.Session & of_session).to_arrays("timeseries_name").tolist()
    links = (imaging.Session.Data * imaging.Dataset.proj("datasettype") & of_session).to_dicts()
    (tifs,) = (link for link in links if link["dataset_name"] == key["dataset_name"])
    # A session has one dataset of its primary type.
    (primary,) = (link for link in links if link["datasettype"] == experiment_type(experiment).primary)
    lists = [link for link in links if link["datasettype"] == BAD_FRAMES]
    return TifDataset(
        experiment,
        tifs["datasettype"],
        timeseries_name,
        tifs=dataset_files(tables, tifs),
        primary=dataset_files(tables, primary),
        zone=tables.zone.key,
        bad_frames=tuple(file for link in lists for file in dataset_files(tables, link)),
    )


def read_tifs(dataset: TifDataset) -> tuple[RecordedTif[Header], ...]:
    """Read the headers of tifs, which their experiment type may have to look up in another file.

    Raises
    ------
    InputError
        A file was replaced since it was registered.
    """
    tifs = experiment_type(dataset.experiment_type).read_tifs(dataset.stack_files)
    _check_registered(dataset)
    return tifs


def check_frames(dataset: TifDataset) -> None:
    """Check that the frames of tifs follow one another, where their experiment type has them numbered."""
    experiment_type(dataset.experiment_type).check_frames(dataset.stack_files)


def read_stack(dataset: TifDataset) -> TifStack:
    """Read what ``Tif`` holds of tifs, which their experiment type may have to look up in another file.

    Raises
    ------
    InputError
        A file was replaced since it was registered.
    """
    stack = experiment_type(dataset.experiment_type).read_stack(dataset.stack_files)
    _check_registered(dataset)
    return stack


def _check_registered(dataset: TifDataset) -> None:
    """Check that files are those of which the session was made: its start and its order are of them.

    Last, since an error about what is in a file says more.
    """
    experiment = experiment_type(dataset.experiment_type)
    files = list(dict.fromkeys((*dataset.primary, *dataset.tifs)))
    for number, file in enumerate(files):
        progress.report("comparing files with those that were registered", number, len(files))
        if _fingerprint(experiment, file) != file.fingerprint:
            raise InputError(
                "A file is not the one that was registered",
                path=file.path,
                found="other content under the same name",
                allowed="the content that the session was made of",
                remedy="Register the folder again; or put back the file that was there.",
            )


def _fingerprint(experiment: ExperimentType, file: DatasetFile) -> str:
    if not file.part:
        return fingerprint(Path(file.path))
    # Of its own content: the file grows with each further recording in it.
    part = experiment.parts(Path(file.path)).get(file.part)
    return "" if part is None else part.fingerprint


def _stack_files(files: tuple[DatasetFile, ...]) -> tuple[StackFile, ...]:
    return tuple(StackFile(Path(file.path), file.acquisition, file.part, file.pages_taken) for file in files)


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
