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
from imaging_pipeline.errors import FormatError, NothingFoundError, OutputError
from imaging_pipeline.readers.suite2p.output import MARKER_NAME, find_outputs, missing_files, read_output
from imaging_pipeline.suite2p_runner.equal_options import are_equal_options
from imaging_pipeline.suite2p_runner.options import OptionSet
from imaging_pipeline.suite2p_runner.preflight import Inputs
from imaging_pipeline.suite2p_runner.publish import MOVIE_SUFFIX, copy_locks, rename_with_retries
from imaging_pipeline.suite2p_runner.request import RunResult, Trim

# To be raised when a key that was noted before gets another meaning; `_is_same_run` then says what the
# former one meant. Keys that are only added, such as ``bad_frames``, raise nothing.
_NOTE_VERSION = 1


def describe(identity: Mapping[str, str], inputs: Inputs, options: OptionSet) -> dict[str, Any]:
    """Return what is noted of a run, and compared before an output is adopted, in types that survive JSON.

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
    """Return the result of the one whole output below a folder, if it is of the same files and options."""
    if not target.is_dir():
        return None
    roots = find_outputs(target)
    return adopted(roots[0], target, description) if len(roots) == 1 else None


def adopted(root: Path, target: Path, description: Mapping[str, Any]) -> RunResult | None:
    """Return the result of an output if it is whole, and of the same files and options; else None.

    Parameters
    ----------
    root, target
        The folder that holds the planes, and the one that the result names: that of the marker.
    description
        As `describe` returns it.
    """
    try:
        output = read_output(root)
    # A damaged output is not adopted; the new one sets it aside. A registered one may be gone.
    except (FormatError, OutputError, NothingFoundError):
        return None
    if any(missing_files(plane) for plane in output.imported):
        return None
    if output.marker is None or not _is_same_run(output.marker, description):
        return None
    try:
        return _result(target, output.marker["result"])
    # Somebody changed the marker.
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def _is_same_run(marker: Mapping[str, Any], description: Mapping[str, Any]) -> bool:
    """Return True if a marker, of this or of an earlier version, tells of the same files and options.

    The names of meta-session and option set do not count: the same folder may have been registered again
    for another animal, and the same options been stored under another name.
    """
    noted, options = marker.get("identity"), marker.get("options")
    return (
        isinstance(noted, Mapping)
        and isinstance(options, Mapping)
        and marker.get("note_version") == _NOTE_VERSION
        and noted.get("contents_hash") == description["identity"].get("contents_hash")
        and marker.get("inputs") == description["inputs"]
        and marker.get("bad_frames", []) == description.get("bad_frames", [])
        and are_equal_options(options, description["options"])
    )


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
