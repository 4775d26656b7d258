"""Whether registered files lie at a place as they were registered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline import progress
from imaging_pipeline.errors import PipelineError
from imaging_pipeline.experiments.registry import EXPERIMENT_TYPES
from imaging_pipeline.ingest.fingerprint import fingerprint
from imaging_pipeline.ingest.known import KnownFile
from imaging_pipeline.paths import RepositoryPath, local_path

_READERS = 8


@dataclass(frozen=True)
class Differing:
    """A file that is not as it was registered: its path below the repository, and what is wrong."""

    path: str
    problem: str


@dataclass(frozen=True)
class Verified:
    """How many files were looked at, and those that are missing or not as they were registered."""

    num_files: int
    differing: tuple[Differing, ...]


def verify(share: Path, files: Iterable[KnownFile]) -> Verified:
    """Hold registered files against those below a folder, by size and fingerprint.

    Parameters
    ----------
    share
        Where the files of the repository lie.
    files
        As they were registered, all of one repository.
    """
    by_path: dict[str, list[KnownFile]] = {}
    for file in files:
        by_path.setdefault(file.path, []).append(file)
    differing = []
    with ThreadPoolExecutor(_READERS, thread_name_prefix="verifier") as pool:
        problems = pool.map(lambda registered: _problem(share, registered), by_path.values())
        for number, (path, problem) in enumerate(zip(by_path, problems, strict=True), 1):
            progress.report("verifying files", number, len(by_path))
            if problem:
                differing.append(Differing(path, problem))
    return Verified(len(by_path), tuple(differing))


def _problem(share: Path, registered: Sequence[KnownFile]) -> str:
    """Return what is wrong with a file, of which several parts may be registered, or nothing."""
    file = registered[0]
    try:
        path = local_path(RepositoryPath(file.repository_name, file.path), {file.repository_name: share})
        if file.part:
            return _problem_of_parts(path, registered)
        size_bytes = path.stat().st_size
        if size_bytes != file.size_bytes:
            return f"{size_bytes} bytes, registered with {file.size_bytes}"
        return "" if fingerprint(path) == file.fingerprint else "another content of the same size"
    except FileNotFoundError:
        return "missing"
    except PipelineError as error:
        return error.what
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


def _problem_of_parts(path: Path, registered: Sequence[KnownFile]) -> str:
    """Compare the parts alone: the file grows when the microscope adds another."""
    opens = (each for each in EXPERIMENT_TYPES if each.container)
    experiment = next(each for each in opens if path.name.lower().endswith(each.container))
    there = {name: part.fingerprint for name, part in experiment.parts(path).items()}
    others = [file.part for file in registered if there.get(file.part) != file.fingerprint]
    return f"without {', '.join(others)} as registered" if others else ""
