"""From rows to a run of Suite2p, and from its result to a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from imaging_pipeline import names
from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import InputError
from imaging_pipeline.experiments.dataset_types import SUITE2P_PYTHON
from imaging_pipeline.experiments.femtonics import Femtonics
from imaging_pipeline.ingest.output_options import difference_of_options
from imaging_pipeline.paths import relative
from imaging_pipeline.readers.suite2p.bad_frames import read_bad_frames
from imaging_pipeline.readers.suite2p.output import Suite2pOutput, read_output
from imaging_pipeline.schemas.make.fetching import output_location, sessions_with_tifs
from imaging_pipeline.schemas.make.stacks import TifDataset, check_frames, read_tifs, tif_dataset
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import requests as request_rows
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.suite2p_runner.publish import require_recording_folder
from imaging_pipeline.suite2p_runner.run import RunRequest, RunResult
from imaging_pipeline.suite2p_runner.run import run as run_suite2p


@dataclass(frozen=True)
class RunTarget:
    """Where the output of a MetaSession and option set belongs on this machine.

    Attributes
    ----------
    metasession_name
        Whose output it is.
    folder, repository
        The output's folder, and the repository that it lies in.
    registered
        Finished outputs that are registered already, each by the folder that holds its planes.
    """

    metasession_name: str
    folder: str
    repository: str
    registered: tuple[str, ...]


@dataclass(frozen=True)
class StoredOptions:
    """An option set: its name, its settings for Suite2p 1.x, and their hash."""

    name: str
    settings: Mapping[str, Any]
    settings_hash: str


def run_target(tables: Tables, key: Row) -> RunTarget:
    """Return where the output of a MetaSession and option set belongs on this machine.

    Raises
    ------
    NotMountedError, PathError
        The repository is not mounted on this machine, or the path leaves it.
    """
    metasession = (tables.imaging.MetaSession & {"metasession_name": key["metasession_name"]}).fetch1()
    output_folder = str(PurePosixPath(metasession["suite2p_folder"], key["ops_name"]))
    return RunTarget(
        metasession_name=key["metasession_name"],
        folder=str(tables.local_path(metasession["repository_name"], output_folder)),
        repository=str(tables.local_path(metasession["repository_name"], "")),
        registered=_registered_outputs(tables, key),
    )


def _registered_outputs(tables: Tables, key: Row) -> tuple[str, ...]:
    """Return the registered outputs of a MetaSession; first those under the name of the option set.

    Others may be of equal options: a person made them, or an option set of another name was requested.
    """
    imaging = tables.imaging
    of_metasession = imaging.Session.Data & {"metasession_name": key["metasession_name"]}
    outputs = imaging.Dataset & {"datasettype": SUITE2P_PYTHON} & of_metasession
    datasets = outputs.to_dicts(order_by="dataset_name")
    # A bundle begins with the option set, as in default/plane0.
    datasets.sort(key=lambda dataset: dataset["bundle"].split("/")[0] != key["ops_name"])
    # Its files are in <output>/plane0 and so on.
    roots = (str(Path(output_location(tables, dataset).path).parents[1]) for dataset in datasets)
    return tuple(dict.fromkeys(roots))


def session_tifs(tables: Tables, key: Row) -> tuple[TifDataset, ...]:
    """Return the tifs of each session of a MetaSession, in order."""
    return tuple(tif_dataset(tables, session) for session in sessions_with_tifs(tables, key))


def stored_options(tables: Tables, key: Row) -> StoredOptions:
    """Return the option set of a run."""
    columns = ("ops_name", "ops_settings", "ops_hash")
    return StoredOptions(
        *(tables.imaging.Suite2pyOps & {"ops_name": key["ops_name"]}).fetch1(*columns),
    )


def run(
    config: Config, target: RunTarget, sessions: Sequence[TifDataset], options: StoredOptions
) -> RunResult:
    """Run Suite2p on all tifs, or adopt a finished output of the same tifs and options.

    A registered, finished output is adopted wherever it lies, also one that a person made: a run would take
    the place of its curation.

    Raises
    ------
    InputError
        The MetaSession has no tifs.
    MissingPackageError, FormatError, StoreError, RunError
        As in `suite2p_runner.run.run`.
    """
    _require_tifs(sessions)
    # First the share: without it each tif would be missing, and the error would blame the experimenter.
    require_recording_folder(Path(target.folder))
    registered = [read_output(Path(root)) for root in target.registered if Path(root).is_dir()]
    for output in registered:
        # One with a marker is compared with this run's tifs and options below.
        if output.marker is None and _is_of(output, sessions, options):
            return _result_of_manual_run(output)
    for session in sessions:
        check_frames(session)
    # One list is of all sessions.
    lists = sessions[0].bad_frames
    fingerprints = [fingerprint for session in sessions for fingerprint in session.fingerprints]
    fingerprints += [file.fingerprint for file in lists]
    return run_suite2p(
        RunRequest(
            tifs=tuple(tif for session in sessions for tif in read_tifs(session)),
            acquisitions=_acquisitions(sessions),
            settings=options.settings,
            target=Path(target.folder),
            scratch=config.scratch,
            threads=config.suite2p_threads,
            identity={
                "metasession_name": target.metasession_name,
                "ops_name": options.name,
                "settings_hash": options.settings_hash,
                "contents_hash": names.contents_hash(fingerprints),
            },
            is_registered=_are_motion_corrected(sessions),
            bad_frames=tuple(frame for file in lists for frame in read_bad_frames(Path(file.path))),
            registered=tuple(output.root for output in registered),
        )
    )


def _is_of(output: Suite2pOutput, sessions: Sequence[TifDataset], options: StoredOptions) -> bool:
    """Return True if an output that a person made is of the tifs and options of a run."""
    tifs = tuple(Path(tif.path).name for session in sessions for tif in session.tifs)
    _compared, different = difference_of_options(
        output.options, options.settings, is_registered=_are_motion_corrected(sessions)
    )
    return output.file_list == tifs and not different


def _are_motion_corrected(sessions: Sequence[TifDataset]) -> bool:
    return all(session.is_motion_corrected for session in sessions)


def _require_tifs(sessions: Sequence[TifDataset]) -> None:
    """Raise `InputError` for recordings in another format that are not exported yet."""
    if not any(session.tifs for session in sessions):
        raise InputError(
            "Suite2p reads tifs, and none is registered of this MetaSession",
            # Of all other experiment types the tifs make the sessions.
            remedy=f"{Femtonics.tif_advice}.",
        )


def _acquisitions(sessions: Sequence[TifDataset]) -> tuple[int, ...]:
    """Return a number for the acquisition of each tif, counted through all sessions."""
    recorded = [(number, tif.acquisition) for number, session in enumerate(sessions) for tif in session.tifs]
    numbers = {acquisition: number for number, acquisition in enumerate(dict.fromkeys(recorded))}
    return tuple(numbers[acquisition] for acquisition in recorded)


def _result_of_manual_run(output: Suite2pOutput) -> RunResult:
    """Return what is known of a run that the pipeline did not make."""
    return RunResult(
        target=output.root,
        adopted=True,
        num_frames=output.planes[0].num_frames,
        num_rois=sum(plane.num_rois for plane in output.planes),
        settings_used=output.options,
        overridden={},
        trimmed=(),
        seconds=0.0,
        seconds_by_stage={},
        versions={"suite2p": output.version},
        machine="",
        threads=0,
    )


def run_row(target: RunTarget, result: RunResult) -> Row:
    """Return the columns of ``Suite2Py``, apart from its key."""
    return {
        "output_folder": relative(result.target, Path(target.repository)),
        "adopted": result.adopted,
        "run_num_frames": result.num_frames,
        "run_num_rois": result.num_rois,
        "run_settings": dict(result.settings_used),
        "run_overridden": {name: list(values) for name, values in result.overridden.items()},
        "run_pixel_conversion": result.pixel_conversion,
        "run_bad_frames": None if result.bad_frames is None else list(result.bad_frames),
        "run_trimmed": {trim.file: trim.pages_dropped for trim in result.trimmed},
        "run_stage_seconds": dict(result.seconds_by_stage),
        "run_seconds": result.seconds,
        "run_versions": dict(result.versions),
        "run_machine": result.machine,
        "run_threads": result.threads,
    }


def register_again(tables: Tables, key: Row) -> None:
    """Request the folder of a MetaSession again, if its newest request asked for that.

    Nothing is added where another request for the folder is waiting: it will find the output, too.
    """
    requests, waiting = _requests(tables, key)
    if requests and not waiting and requests[0]["register_uncurated"]:
        request_rows.copy(tables, requests[0], note=f"registered again after Suite2p with {key['ops_name']}")


def newest_request(tables: Tables, metasession_name: str) -> int:
    """Return the number of the newest request for a MetaSession's folder.

    Raises
    ------
    InputError
        There is no request for the folder under its present name.
    """
    requests, _waiting = _requests(tables, {"metasession_name": metasession_name})
    if not requests:
        raise InputError(
            "No request is known of the folder of this run",
            found=metasession_name,
            remedy="Add the folder by its path.",
        )
    return int(requests[0]["basefolder_id"])


def _requests(tables: Tables, key: Row) -> tuple[list[Row], set[int]]:
    """Return the requests for a MetaSession's folder, newest first, and the numbers of those that wait."""
    imaging = tables.imaging
    metasession = (imaging.MetaSession & {"metasession_name": key["metasession_name"]}).fetch1()
    of_folder = {
        name: metasession[name] for name in ("repository_name", "animal_id", "datasource_id", "combined")
    } | {"folder": metasession["metasession_folder"]}
    requests = imaging.BaseFolder & of_folder
    failed = imaging.MakeDatasetSessions.jobs & "status IN ('error', 'ignore')"
    waiting = {int(number) for number in (requests - imaging.MakeDatasetSessions).to_arrays("basefolder_id")}
    # A request that failed or was withdrawn will not be carried out.
    waiting -= {int(number) for number in failed.to_arrays("basefolder_id")}
    return requests.to_dicts(order_by="basefolder_id DESC"), waiting
