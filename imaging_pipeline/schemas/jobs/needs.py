"""What a job takes of the machine that does it, and which living worker has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from imaging_pipeline.explaining.facts import Candidate
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.lanes import Lane, Need
from imaging_pipeline.living_worker import LivingWorker
from imaging_pipeline.schemas.jobs.restrictions import key_condition_of
from imaging_pipeline.schemas.make.analysed_tifs import analysed_tifs
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables

# As `suite2p_runner.run` and Suite2p itself: room beside the movie; frames that it detects in, at most.
_SPARE_BYTES = 500_000_000
_MOST_BINS = 5000
# Torch and Suite2p themselves: 0.64 GB were measured in all for 300 frames of 128 × 128 pixels.
_LIBRARIES_BYTES = 1_000_000_000
_BYTES_A_PIXEL = 4


@dataclass(frozen=True)
class JobNeeds:
    """What a job takes of its machine, in bytes, at least; 0 where that is little, or not known yet."""

    scratch_bytes: int = 0
    memory_bytes: int = 0


def job_needs(tables: Tables, lane: Lane, key: Row) -> JobNeeds:
    """Return what the job with a key of one of a lane's tables takes."""
    if Need.SUITE2P not in lane.needs:
        return JobNeeds()
    return JobNeeds(_movie_bytes(tables, key) + _SPARE_BYTES, _memory_bytes(tables, key))


def candidates(
    tables: Tables, lane: Lane, job: Job, repository: str, workers: Iterable[LivingWorker]
) -> tuple[Candidate, ...]:
    """Return for each of some living workers whether it can do a job, and why not.

    Parameters
    ----------
    tables
        The database.
    lane, job
        The job, of one of the lane's tables.
    repository
        Where its files are.
    workers
        As `living_workers.living` returns them.
    """
    # Read at most once, and only where a worker could do the job otherwise.
    needs = cache(lambda: job_needs(tables, lane, dict(job.key)))
    return tuple(_candidate(tables, worker, lane, job, repository, needs) for worker in workers)


def _candidate(
    tables: Tables,
    worker: LivingWorker,
    lane: Lane,
    job: Job,
    repository: str,
    needs: Callable[[], JobNeeds],
) -> Candidate:
    if lane.name not in worker.lanes:
        return Candidate(worker, f"it works on {', '.join(worker.lanes)} only")
    for lack in worker.lacks:
        # A share that is missing there is no obstacle to jobs of other repositories.
        is_other = lack.kind is Need.REPOSITORY and lack.name != repository
        if lack.kind in lane.needs and not is_other:
            return Candidate(worker, lack.reason.rstrip("."), lack.remedy)
    if worker.restriction and not _is_restricted_to(tables, worker.restriction, job.key):
        remedy = "Start a worker without --restrict, or with another one."
        return Candidate(worker, f"it does only jobs where {worker.restriction}", remedy)
    if worker.priority is not None and job.priority > worker.priority:
        remedy = f"Start a worker without --priority, or give the job {worker.priority} by jobs prioritise."
        what = f"it does only jobs of priority {worker.priority} or more urgent, and this one has"
        return Candidate(worker, f"{what} {job.priority}", remedy)
    if Need.SUITE2P not in lane.needs:
        return Candidate(worker)
    return Candidate(worker, *room(needs(), worker.scratch_bytes, worker.memory_bytes))


def room(needs: JobNeeds, scratch_bytes: int | None, memory_bytes: int | None) -> tuple[str, str]:
    """Return why a machine has too little space free for a job, and what to do; empty where it has enough."""
    if scratch_bytes is not None and scratch_bytes < needs.scratch_bytes:
        return (
            f"it has {_gigabytes(scratch_bytes)} free on its scratch disk, and the run needs"
            f" {_gigabytes(needs.scratch_bytes)}",
            "Make room there, or name a folder on a larger local disk as custom.suite2p.scratch.",
        )
    if memory_bytes is not None and memory_bytes < needs.memory_bytes:
        return (
            f"it has {_gigabytes(memory_bytes)} of memory free, and the run needs"
            f" {_gigabytes(needs.memory_bytes)}",
            "End other programs there, or let a machine with more memory do it.",
        )
    return "", ""


def _is_restricted_to(tables: Tables, condition: str, key: Mapping[str, object]) -> bool:
    values = ", ".join(f"%s AS {name}" for name in key)
    query = f"SELECT 1 FROM (SELECT {values}) AS job WHERE {key_condition_of(tables, list(key), condition)}"
    return tables.connection.query(query, args=tuple(key.values())).fetchone() is not None


def _movie_bytes(tables: Tables, key: Row) -> int:
    """Return the bytes of the tifs that Suite2p takes, which its movie is about as large as."""
    metasession = {"metasession_name": key["metasession_name"]}
    files = tables.imaging.PhysicalFile & (analysed_tifs(tables.imaging) & metasession)
    return int(sum(files.to_arrays("size_bytes")))


def _memory_bytes(tables: Tables, key: Row) -> int:
    """Return the bytes of the movie for detection, averaged over about a second, as float32."""
    stacks = tables.imaging.Tif & {"metasession_name": key["metasession_name"]}
    rows = stacks.proj("num_frames", "frames_per_volume", "tif_rate_hz", "height", "width").to_dicts()
    if not rows:
        return 0
    # A bin has at least one frame, however slow the recording is.
    bins = sum(row["num_frames"] / row["frames_per_volume"] / max(1.0, row["tif_rate_hz"]) for row in rows)
    pixels = max(row["height"] * row["width"] for row in rows)
    return int(min(bins, _MOST_BINS) * pixels) * _BYTES_A_PIXEL + _LIBRARIES_BYTES


def _gigabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1e9:.1f} GB"
