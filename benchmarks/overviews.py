"""How long explain, progress and jobs take in a database with many finished sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.finished_sessions import assign_folders, copy_session, is_copy, make_finished_session
from benchmarks.fresh_process import call_fresh
from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from benchmarks.timing import interleaved_s
from imaging_pipeline.config.config import Config

# A person does not notice the one, and accepts the other for sums over all sessions.
_AT_ONCE_S, _PAGE_S = 0.3, 2.0


@dataclass(frozen=True)
class Size:
    """How many sessions are finished, and how often each overview is timed."""

    sessions: int = 10_000
    repeats: int = 5


def measure(size: Size, folder: Path, config: Config) -> Iterator[Measurement]:
    # The tables are bound to one database a process.
    floor_s, explain_s, progress_s, jobs_s = call_fresh(_times_s, size, folder, config).result
    rows = f"count of {size.sessions:,} rows"
    finished = f"{size.sessions:,} finished sessions"
    for name, took_s, at_most in (
        (f"explain one of {finished}", explain_s, _AT_ONCE_S),
        (f"progress, 50 of {finished} and sums", progress_s, _PAGE_S),
        (f"jobs of {finished}", jobs_s, _PAGE_S),
    ):
        yield Measurement(name, took_s, "s", rows, floor_s, at_most=at_most)


def _times_s(size: Size, folder: Path, config: Config) -> list[float]:
    """Return the shortest time of counting the rows of a job table, and of each overview."""
    from imaging_pipeline.schemas import imaging, tables
    from imaging_pipeline.schemas.jobs.explaining import explain
    from imaging_pipeline.schemas.jobs.failures import failures
    from imaging_pipeline.schemas.jobs.overview import overview
    from imaging_pipeline.schemas.jobs.session_progress import progress_page

    connection = make_finished_session(config, folder / "lab")
    copy_session(connection, 1, size.sessions)
    assign_folders(connection)
    handle = tables.default_tables()
    name = str((imaging.Session & f"NOT {is_copy('session_name')}").fetch1("session_name"))
    jobs_table = imaging.Tif.jobs.full_table_name

    def count() -> object:
        return connection.query(f"SELECT COUNT(*) FROM {jobs_table} WHERE status = 'success'").fetchall()

    def jobs() -> None:
        overview(handle)
        failures(handle)

    actions: tuple[Callable[[], object], ...] = (
        count,
        lambda: explain(handle, name),
        lambda: progress_page(handle, limit=50),
        jobs,
    )
    return interleaved_s(*actions, repeats=size.repeats)


SCRIPT = Script(full=Size(), tiny=Size(sessions=2, repeats=1), measure=measure, on_servers=True)

if __name__ == "__main__":
    run(SCRIPT)
