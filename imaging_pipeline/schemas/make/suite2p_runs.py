"""From rows to a run of Suite2p, and from its result to a row."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from imaging_pipeline import names
from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import InputError
from imaging_pipeline.experiments.dataset_types import SUITE2P_PYTHON
from imaging_pipeline.paths import relative
from imaging_pipeline.readers.suite2p.output import Suite2pOutput, read_output
from imaging_pipeline.schemas.make import stacks
from imaging_pipeline.schemas.make.fetching import output_place, sessions_with_tifs
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import requests as request_rows
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.suite2p_runner.publish import require_recording_folder
from imaging_pipeline.suite2p_runner.run import RunRequest, RunResult
from imaging_pipeline.suite2p_runner.run import run as run_suite2p


def place(tables: Tables, key: Row) -> Row:
    """Return where the output of a MetaSession and option set belongs on this machine."""
    metasession = (tables.imaging.MetaSession & {"metasession_name": key["metasession_name"]}).fetch1()
    output_folder = str(PurePosixPath(metasession["suite2p_folder"], key["ops_name"]))
    return {
        "target": str(tables.local_path(metasession["repository_name"], output_folder)),
        "metasession_name": key["metasession_name"],
        "registered": _registered_output(tables, key),
        "repository": str(tables.local_path(metasession["repository_name"], "")),
    }


def _registered_output(tables: Tables, key: Row) -> str | None:
    """Return where a finished output of a MetaSession and option set lies that is registered, or None."""
    imaging = tables.imaging
    outputs = imaging.Dataset & {"datasettype": SUITE2P_PYTHON} & (imaging.Session.Data & key)
    for dataset in outputs.to_dicts(order_by="dataset_name"):
        if dataset["bundle"].split("/")[0] == key["ops_name"]:
            return str(Path(output_place(tables, dataset)["path"]).parents[1])
    return None


def tifs(tables: Tables, key: Row) -> list[Row]:
    """Return the tifs of each session of a MetaSession in order, as `stack_rows.stack_files` does."""
    return [stacks.stack_files(tables, session) for session in sessions_with_tifs(tables, key)]


def options(tables: Tables, key: Row) -> Row:
    """Return the option set."""
    row: Row = (
        (tables.imaging.Suite2pyOps & {"ops_name": key["ops_name"]}).proj("ops_settings", "ops_hash").fetch1()
    )
    return row


def run(config: Config, place: Row, tifs: list[Row], options: Row) -> RunResult:
    """Run Suite2p on all tifs, or adopt a finished output of the same tifs and options.

    An output that a person made and that is registered as finished is adopted as well: a run would
    take its place, with the person's curation.

    Raises
    ------
    InputError
        The MetaSession has no tifs.
    MissingPackageError, FormatError, StoreError, RunError
    """
    _require_tifs(tifs)
    # Else each tif would be missed, and the experimenter asked for what the share will bring back.
    require_recording_folder(Path(place["target"]))
    if place["registered"] is not None:
        output = read_output(Path(place["registered"]))
        if output.marker is None:
            return _made_by_hand(output)
    return run_suite2p(
        RunRequest(
            tifs=tuple(tif for session in tifs for tif in stacks.read_tifs(session)),
            acquisitions=_acquisitions(tifs),
            settings=options["ops_settings"],
            target=Path(place["target"]),
            scratch=config.scratch,
            threads=config.suite2p_threads,
            identity={
                "metasession_name": place["metasession_name"],
                "ops_name": options["ops_name"],
                "settings_hash": options["ops_hash"],
                "contents_hash": names.contents_hash(
                    [fingerprint for session in tifs for fingerprint in stacks.contents(session)]
                ),
            },
            is_registered=all(stacks.is_motion_corrected(session) for session in tifs),
        )
    )


def _require_tifs(tifs: list[Row]) -> None:
    """Refuse what was recorded in another format and is yet to be exported."""
    if not any(session["tifs"] for session in tifs):
        raise InputError(
            "Suite2p reads tifs, and none is registered of this MetaSession",
            remedy="Export the frames of its measurement from MESc as tifs into the folder MUnit_M beside the"
            " .mesc file, with the measurement's number for M, and register the folder again.",
        )


def _acquisitions(tifs: list[Row]) -> tuple[int, ...]:
    """Return the acquisition of each tif, by numbers that go on over all sessions."""
    recorded = [
        (number, tif["acquisition"]) for number, session in enumerate(tifs) for tif in session["tifs"]
    ]
    numbers = {each: number for number, each in enumerate(dict.fromkeys(recorded))}
    return tuple(numbers[each] for each in recorded)


def _made_by_hand(output: Suite2pOutput) -> RunResult:
    """Tell what is known of a run that was none of ours."""
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


def row(place: Row, result: RunResult) -> Row:
    """Return the columns of ``Suite2Py`` that are not its key."""
    return {
        "output_folder": relative(result.target, Path(place["repository"])),
        "adopted": result.adopted,
        "run_num_frames": result.num_frames,
        "run_num_rois": result.num_rois,
        "run_settings": dict(result.settings_used),
        "run_overridden": {name: list(values) for name, values in result.overridden.items()},
        "run_trimmed": {trim.file: trim.pages_dropped for trim in result.trimmed},
        "run_stage_seconds": dict(result.seconds_by_stage),
        "run_seconds": result.seconds,
        "run_versions": dict(result.versions),
        "run_machine": result.machine,
        "run_threads": result.threads,
    }


def register_again(tables: Tables, key: Row) -> None:
    """Request the folder of a MetaSession again, as it was last requested, if that was wished for.

    Nothing is added where a request for the folder waits to be looked at already.
    """
    requests, waiting = _requests(tables, key)
    if requests and not waiting and requests[0]["register_uncurated"]:
        request_rows.copy(tables, requests[0], note=f"registered again after Suite2p with {key['ops_name']}")


def take_up(tables: Tables, key: Row, *, note: str) -> int:
    """Request the folder of a MetaSession again, so that what a person curated is taken up.

    Where a request for the folder waits already, that one is given: it will see the same.

    Parameters
    ----------
    tables
        The database.
    key
        Has ``metasession_name``.
    note
        Kept with the new request.

    Returns
    -------
    int
        The identifier of the request.

    Raises
    ------
    InputError
        The folder was never requested under its name of today.
    """
    requests, waiting = _requests(tables, key)
    if waiting:
        return max(waiting)
    if not requests:
        raise InputError(
            "No request is known of the folder of this run",
            found=key["metasession_name"],
            remedy="Add the folder by its path.",
        )
    return request_rows.copy(tables, requests[0], note=note)


def _requests(tables: Tables, key: Row) -> tuple[list[Row], set[int]]:
    """Return the requests for a MetaSession's folder, the newest first, and those that are yet to be done."""
    imaging = tables.imaging
    metasession = (imaging.MetaSession & {"metasession_name": key["metasession_name"]}).fetch1()
    of_folder = {
        name: metasession[name] for name in ("repository_name", "animal_id", "datasource_id", "combined")
    } | {"folder": metasession["metasession_folder"]}
    requests = imaging.BaseFolder & of_folder
    failed = imaging.MakeDatasetSessions.jobs & "status IN ('error', 'ignore')"
    waiting = {int(number) for number in (requests - imaging.MakeDatasetSessions).to_arrays("basefolder_id")}
    waiting -= {int(number) for number in failed.to_arrays("basefolder_id")}
    return requests.to_dicts(order_by="basefolder_id DESC"), waiting
