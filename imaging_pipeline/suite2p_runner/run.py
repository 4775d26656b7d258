"""One safe run of Suite2p on the tifs of a recording.

A run is never resumed, because Suite2p silently continues with half-registered movies and other people's
binaries: every run has a new folder on a local disk, and a process of its own. A finished output gets its
marker, is copied beside the target and renamed; one that is registered or at the target already is adopted.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata, util
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from imaging_pipeline import progress
from imaging_pipeline.errors import FormatError, MissingPackageError, OutputError, RunError
from imaging_pipeline.readers.suite2p.bad_frames import FILE_NAME as BAD_FRAMES_NAME
from imaging_pipeline.readers.suite2p.metadata import read_metadata
from imaging_pipeline.readers.suite2p.output import (
    Suite2pOutput,
    marker_folder,
    missing_files,
    read_output,
)
from imaging_pipeline.suite2p_runner.child_process import run_child
from imaging_pipeline.suite2p_runner.classifier import copy_classifier
from imaging_pipeline.suite2p_runner.cores import num_cores
from imaging_pipeline.suite2p_runner.finished import (
    adopted,
    describe,
    drop,
    drop_expired,
    find_finished,
    retain,
    retained_folder,
    write_marker,
)
from imaging_pipeline.suite2p_runner.frame_source import describe_source
from imaging_pipeline.suite2p_runner.options import OptionSet, translate
from imaging_pipeline.suite2p_runner.pixels import conversion
from imaging_pipeline.suite2p_runner.preflight import Inputs, TifPart, check_inputs, unchanged
from imaging_pipeline.suite2p_runner.publish import TARGET_REMEDY, publish, require_recording_folder
from imaging_pipeline.suite2p_runner.request import RunRequest, RunResult, Trim
from imaging_pipeline.suite2p_runner.run_settings import RunSettings, assemble
from imaging_pipeline.suite2p_runner.scratch import SCRATCH_REMEDY, require_space, run_folder

__all__ = ["RunRequest", "RunResult", "Trim", "is_available", "run", "version"]

# Room for images, traces and ROIs beside the movie itself.
_SPARE_BYTES = 500_000_000
_BYTES_A_FRAME = 2000 * 3 * 4
"""Three float32 traces (``F``, ``Fneu``, ``spks``) of 2,000 ROIs."""


def version() -> str | None:
    """Return the version of the installed Suite2p without importing it, or None."""
    try:
        return metadata.version("suite2p")
    except metadata.PackageNotFoundError:
        return None


def is_available() -> bool:
    """Return True if this machine has a Suite2p that the pipeline can run: 1.x, with torch."""
    installed = version()
    return installed is not None and installed.startswith("1.") and util.find_spec("torch") is not None


def run(request: RunRequest) -> RunResult:
    """Run Suite2p on a recording, or adopt a finished output of the same files and options.

    Raises
    ------
    InputError
        Suite2p cannot take the options or the recording.
    FormatError, StillCopyingError, NothingFoundError, NotMountedError
        The files do not belong together, changed, or are gone.
    MissingPackageError
        This machine has no Suite2p 1.x.
    MissingWeightsError
        It lacks Cellpose's weights that the option set needs.
    StoreError
        Scratch or target lack room or cannot be written to. A run that is finished by then is retained on
        the scratch disk, and copied when the same run is requested again.
    RunError
        Suite2p failed, or its output does not have all frames and files.
    """
    inputs = check_inputs(request.tifs, request.acquisitions, request.bad_frames)
    options = translate(request.settings)
    description = describe(request.identity, inputs, options)
    # Before Suite2p is needed: a machine without it may adopt an output.
    found = _registered(request, description) or find_finished(request.target, description)
    retained = retained_folder(request.scratch, description)
    if found is not None:
        drop(retained)  # it is still there if a process died between copying and removing it
        return found
    finished = find_finished(retained, description)
    if finished is None:
        drop_expired(request.scratch)
        finished = _run_anew(request, inputs, options, description, retained)
    publish(retained, request.target)
    drop(retained)
    return replace(finished, target=request.target, adopted=False)


def _registered(request: RunRequest, description: Mapping[str, Any]) -> RunResult | None:
    """Return the result of the first registered output that is adopted."""
    outputs = (adopted(root, marker_folder(root), description) for root in request.registered)
    return next((output for output in outputs if output is not None), None)


def _run_anew(
    request: RunRequest, inputs: Inputs, options: OptionSet, description: Mapping[str, Any], retained: Path
) -> RunResult:
    started = time.monotonic()
    _require_suite2p()
    settings = assemble(options, inputs, is_registered=request.is_registered)
    needed = _Needed.of(inputs, settings)
    # Now rather than hours later, when the run is finished.
    require_recording_folder(request.target)
    require_space(request.target, needed.target_bytes, "the output of Suite2p", TARGET_REMEDY)
    require_space(request.scratch, needed.scratch_bytes, "Suite2p's movie", SCRATCH_REMEDY, is_here=True)
    threads = request.threads or num_cores()
    with run_folder(request.scratch) as folder:
        output = folder / "output"
        output.mkdir()
        with unchanged(inputs):
            outcome = run_child(_job(inputs, settings, folder, output, threads), folder)
        analysed = _check_output(output / "suite2p", inputs, settings)
        result = RunResult(
            target=retained,
            adopted=False,
            num_frames=inputs.num_volumes,
            num_rois=sum(plane.num_rois for plane in analysed.planes),
            settings_used={**settings.settings, "torch_device": outcome["torch_device"], "db": settings.db},
            overridden=settings.overridden,
            trimmed=inputs.trimmed,
            seconds=round(time.monotonic() - started, 3),
            seconds_by_stage=outcome["seconds_by_stage"],
            versions={**outcome["versions"], "imaging-pipeline": metadata.version("imaging-pipeline")},
            machine=socket.gethostname(),
            threads=threads,
            bad_frames=inputs.bad_frames,
            pixel_conversion=conversion(inputs.parts[0].tif.dtype),
        )
        write_marker(output, description, result)
        retain(output, retained)
    return result


def _require_suite2p() -> None:
    if not is_available():
        raise MissingPackageError(
            "This machine has no Suite2p that the pipeline can run",
            found=f"Suite2p {version()}" if version() else "none",
            allowed="Suite2p 1.x with torch",
            remedy="Install the extra imaging-pipeline[suite2p], or let another machine do these runs.",
        )


@dataclass(frozen=True)
class _Needed:
    """Room for a run on the scratch disk, and for its output at the target."""

    scratch_bytes: int
    target_bytes: int

    @classmethod
    def of(cls, inputs: Inputs, settings: RunSettings) -> _Needed:
        """Estimate the bytes: the movie as int16, once more if it is stored raw or saved as tifs."""
        movie_bytes = inputs.num_pages * inputs.page_bytes
        registration = settings.settings["registration"]
        tif_bytes = movie_bytes if registration["reg_tif"] or registration["reg_tif_chan2"] else 0
        raw_bytes = movie_bytes if settings.db["keep_movie_raw"] else 0
        result_bytes = tif_bytes + inputs.num_volumes * len(settings.analysed_planes) * _BYTES_A_FRAME
        return cls(movie_bytes + raw_bytes + result_bytes + _SPARE_BYTES, result_bytes)


def _job(inputs: Inputs, settings: RunSettings, folder: Path, output: Path, threads: int) -> dict[str, Any]:
    used = [part for part in inputs.parts if part.num_pages]
    # A folder of our own as data path: Suite2p heeds files that lie in it.
    _write_bad_frames(folder / BAD_FRAMES_NAME, inputs.bad_frames)
    # And tifffile on every machine: by itself Suite2p tries ScanImageTiffReader where that is installed.
    db = {
        **settings.db,
        "data_path": [str(folder)],
        "file_list": [str(part.tif.path) for part in used],
        "force_sktiff": True,
    }
    return {
        "db": {**db, "input_format": "tif", "save_path0": str(output), "save_folder": "suite2p"},
        "sources": _sources(used, folder / "pages"),
        "originals": [{"path": str(part.tif.path), "is_used": part.num_pages > 0} for part in inputs.parts],
        "settings": _with_own_classifier(settings.settings, folder),
        "num_pages": inputs.num_pages,
        "planes": settings.analysed_planes,
        "threads": threads,
        "log_file": str(output / "run.log"),
    }


def _write_bad_frames(path: Path, frames: Sequence[int]) -> None:
    if frames:
        content = BytesIO()
        np.save(content, np.array(frames, np.int64))
        # Not by numpy, whose error does not say that a disk is full.
        path.write_bytes(content.getvalue())


def _sources(parts: Sequence[TifPart], folder: Path) -> list[dict[str, Any]]:
    folder.mkdir()
    sources = []
    for number, part in enumerate(parts):
        progress.report("finding the tifs' pages", number, len(parts))
        sources.append(describe_source(part.tif, part.num_pages, folder / str(number)))
    return sources


def _with_own_classifier(settings: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return the settings with the classifier, if they have one, replaced by a checked copy."""
    classification = settings["classification"]
    if not classification["classifier_path"]:
        return settings
    copied = copy_classifier(Path(classification["classifier_path"]), folder)
    return {**settings, "classification": {**classification, "classifier_path": str(copied)}}


def _check_output(root: Path, inputs: Inputs, settings: RunSettings) -> Suite2pOutput:
    """Check that Suite2p read every page, and wrote every file that the import needs."""
    progress.report("checking the output")
    try:
        read_frames = {
            plane: read_metadata(root / f"plane{plane}").num_frames for plane in settings.analysed_planes
        }
        output = read_output(root)
    except (OutputError, FormatError) as error:
        raise _not_whole(inputs, str(error), settings) from error
    for plane, num_frames in read_frames.items():
        if num_frames != inputs.num_volumes:
            raise RunError(
                f"Suite2p did not read all frames of plane {plane}",
                path=inputs.parts[0].tif.path,
                found=f"{num_frames} frames",
                allowed=f"{inputs.num_volumes} frames",
                remedy="Look whether one of the tifs is damaged.",
            )
    missing = [f"{plane.label}/{name}" for plane in output.planes for name in missing_files(plane)]
    if missing or len(output.planes) != len(settings.analysed_planes):
        raise _not_whole(inputs, ", ".join(missing) or f"{len(output.planes)} planes", settings)
    return output


def _not_whole(inputs: Inputs, found: str, settings: RunSettings) -> RunError:
    return RunError(
        "Suite2p ended without an error, but its output is not whole",
        path=inputs.parts[0].tif.path,
        found=found,
        allowed=f"all files of {len(settings.analysed_planes)} planes",
        remedy="Let the job run again; if it happens twice, look at the option set.",
    )
