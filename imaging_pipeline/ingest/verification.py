"""Whether the registered files of a repository lie in a folder as they were registered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline import progress
from imaging_pipeline.errors import PipelineError
from imaging_pipeline.experiments.registry import EXPERIMENT_TYPES
from imaging_pipeline.ingest.fingerprint import content_hash, fingerprint
from imaging_pipeline.ingest.listing import utc_moment
from imaging_pipeline.ingest.records import FileRecord
from imaging_pipeline.paths import RepositoryPath, local_path

# Most of the time is spent waiting for the share.
_READERS = 8


@dataclass(frozen=True)
class DifferingFile:
    """A file that is not as it was registered: its path below the repository, and what is wrong."""

    path: str
    problem: str


@dataclass(frozen=True)
class Verification:
    """How many files were checked, and those that are missing or not as they were registered."""

    num_files: int
    differing: tuple[DifferingFile, ...]


def verify(share: Path, files: Iterable[FileRecord]) -> Verification:
    """Compare registered files with those below a folder, by size and fingerprint.

    Arrays of outputs are compared whole where their time is another than the registered one.

    Parameters
    ----------
    share
        Where the files of the repository lie.
    files
        The registered files, all of one repository.
    """
    # Several recordings may lie in one file, which is then opened once for all of them.
    by_path: dict[str, list[FileRecord]] = {}
    for file in files:
        by_path.setdefault(file.path, []).append(file)
    differing = []
    with ThreadPoolExecutor(_READERS, thread_name_prefix="verifier") as pool:
        problems = pool.map(lambda registered: _problem(share, registered), by_path.values())
        for number, (path, problem) in enumerate(zip(by_path, problems, strict=True), 1):
            progress.report("verifying files", number, len(by_path))
            if problem:
                differing.append(DifferingFile(path, problem))
    return Verification(len(by_path), tuple(differing))


def _problem(share: Path, registered: Sequence[FileRecord]) -> str:
    """Return what is wrong with a file, or nothing; several parts of it may be registered."""
    file = registered[0]
    try:
        path = local_path(RepositoryPath(file.repository_name, file.path), {file.repository_name: share})
        if file.part:
            return _problem_of_parts(path, registered)
        status = path.stat()
        if status.st_size != file.size_bytes:
            return f"{status.st_size} bytes, registered with {file.size_bytes}"
        is_equal = fingerprint(path) == file.fingerprint
        if is_equal and file.content_hash and utc_moment(status.st_mtime_ns) != file.modified:
            is_equal = content_hash(path) == file.content_hash
        return "" if is_equal else "another content of the same size"
    except FileNotFoundError:
        return "missing"
    except PipelineError as error:
        return error.what
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


def _problem_of_parts(path: Path, registered: Sequence[FileRecord]) -> str:
    """Return which registered parts of a file differ; new parts do not count, since the file grows."""
    containers = (each for each in EXPERIMENT_TYPES if each.container)
    experiment = next(each for each in containers if path.name.lower().endswith(each.container))
    fingerprints = {name: part.fingerprint for name, part in experiment.parts(path).items()}
    differing = [file.part for file in registered if fingerprints.get(file.part) != file.fingerprint]
    return f"without {', '.join(differing)} as registered" if differing else ""
