"""Finished runs: the marker that says what an output was made of, and runs that wait to be copied.

A run takes hours and the copy minutes, in which the share may be away or an older output open. So a
finished run is moved at once from its own folder to one that outlives its process. The next process on this
machine that is asked for the same run copies it from there.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imaging_pipeline import names
from imaging_pipeline.errors import FormatError, OutputError
from imaging_pipeline.readers.suite2p.output import MARKER_NAME, find_outputs, missing_files, read_output
from imaging_pipeline.suite2p_runner.options import OptionSet
from imaging_pipeline.suite2p_runner.preflight import Inputs
from imaging_pipeline.suite2p_runner.publish import MOVIE_SUFFIX, copy_locks, rename_with_retries
from imaging_pipeline.suite2p_runner.request import RunResult, Trim

# To be raised with every change of what is noted: outputs with older markers are then not adopted.
_NOTE_VERSION = 1
_COMPARED = ("note_version", "identity", "inputs", "options", "bad_frames")


def describe(identity: Mapping[str, str], inputs: Inputs, options: OptionSet) -> dict[str, Any]:
    """Return what must be equal for an output to be adopted, in types that survive JSON.

    The names of ``identity`` are at the top level as well, where other readers look for them.
    """
    description = {
        **identity,
        "note_version": _NOTE_VERSION,
        "identity": dict(identity),
        "inputs": [
            {
                "name": part.tif.path.name,
                "size_bytes": part.tif.size_bytes,
                "pages_used": part.num_pages,
                "start": part.tif.header.start.isoformat(timespec="microseconds"),
            }
            for part in inputs.parts
        ],
        "options": options.content,
        **({"bad_frames": inputs.bad_frames} if inputs.bad_frames else {}),
    }
    # So that tuples and keys compare equal with a marker that was read from a file.
    normalised: dict[str, Any] = json.loads(json.dumps(description))
    return normalised


def write_marker(folder: Path, description: Mapping[str, Any], result: RunResult) -> None:
    """Write the marker into a folder that is otherwise whole."""
    noted = asdict(result)
    # Both depend on who reads the marker: an output may have been moved.
    del noted["target"], noted["adopted"]
    text = json.dumps({**description, "result": noted}, indent=2)
    (folder / MARKER_NAME).write_text(text + "\n", encoding="utf-8")


def find_finished(target: Path, description: Mapping[str, Any]) -> RunResult | None:
    """Return the result of a whole output of the same files and options, or None if there is none."""
    if not target.is_dir():
        return None
    try:
        outputs = [read_output(root) for root in find_outputs(target)]
    # A damaged output is not adopted; the new one sets it aside.
    except (FormatError, OutputError):
        return None
    if len(outputs) != 1 or any(missing_files(plane) for plane in outputs[0].imported):
        return None
    marker = outputs[0].marker
    if marker is None or any(marker.get(key) != description.get(key) for key in _COMPARED):
        return None
    try:
        return _result(target, marker["result"])
    # Somebody changed the marker.
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def _result(target: Path, result: Any) -> RunResult:
    """Return the result that a marker has; raises whatever an edited one leads to."""
    noted = dict(result)
    noted["overridden"] = {name: (requested, used) for name, (requested, used) in noted["overridden"].items()}
    noted["trimmed"] = tuple(Trim(**trim) for trim in noted["trimmed"])
    if noted.get("bad_frames") is not None:
        noted["bad_frames"] = tuple(noted["bad_frames"])
    return RunResult(target=target, adopted=True, **noted)


_PREFIX = "suite2p-finished"
_DAYS = 7
"""After that, the run was done by another machine or is not wanted any more."""


def retained_folder(scratch: Path, description: Mapping[str, Any]) -> Path:
    """Return the folder that retains the finished run of a description."""
    return scratch / f"{_PREFIX}-{names.hash16(json.dumps(description, sort_keys=True))}"


def retain(output: Path, retained: Path) -> None:
    """Move a finished output out of its run's folder, without its movie."""
    for movie in output.rglob(f"*{MOVIE_SUFFIX}"):
        movie.unlink()
    # A folder cannot be renamed to one that has files in it.
    drop(retained)
    rename_with_retries(output, retained)


def drop(retained: Path) -> None:
    """Remove a retained run, if there is one."""
    shutil.rmtree(retained, ignore_errors=True)


def drop_expired(scratch: Path) -> None:
    """Remove the retained runs that were not copied within a week, and locks of copies that broke off."""
    for path in (*scratch.glob(f"{_PREFIX}-*"), *copy_locks(scratch)):
        with suppress(FileNotFoundError):  # another process was faster
            if time.time() - path.stat().st_mtime > _DAYS * 86400:
                if path.is_dir():
                    drop(path)
                else:
                    path.unlink()
