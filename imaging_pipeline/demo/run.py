"""The demo: every step of a laboratory, from an empty folder to cells."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline.demo.figure import draw_session
from imaging_pipeline.demo.laboratory import ANIMAL, OPS_NAME, USER, WINDOWS_PATH, Laboratory
from imaging_pipeline.demo.results import (
    SessionResult,
    first_combined_session,
    row_counts,
    seconds_by_table,
    session_results,
    session_view,
)
from imaging_pipeline.lanes import LANES
from imaging_pipeline.schemas import imaging
from imaging_pipeline.workers.messages import Event
from imaging_pipeline.workers.run import run_worker
from imaging_pipeline.workers.summary import Summary


@dataclass(frozen=True)
class DemoResult:
    """The result of the demo.

    Attributes
    ----------
    sessions
        The result of each session.
    worker
        The worker's summary.
    added
        Numbers of new rows by table, without requests and their reports.
    seconds
        Wall time of each step, in their order.
    seconds_by_table
        Duration of the worker's jobs by table, this time and before.
    picture
        The PNG of a session's cells; None if there are none.
    """

    sessions: list[SessionResult]
    worker: Summary
    added: Counter[str]
    seconds: dict[str, float]
    seconds_by_table: dict[str, float]
    picture: Path | None


@dataclass(frozen=True)
class _Stopwatch:
    seconds: dict[str, float]

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.seconds[step] = time.monotonic() - begun


def run_demo(laboratory: Laboratory, on_event: Callable[[Event], None]) -> DemoResult:
    """Register the laboratory's folder twice, run a worker and draw the cells.

    Parameters
    ----------
    laboratory
        The laboratory.
    on_event
        Called with each event of the worker.

    Raises
    ------
    PipelineError
        A step failed.
    """
    timed = _Stopwatch({"database and share": laboratory.seconds})
    before = row_counts()
    with timed("registering"):
        for combined in (False, True):
            imaging.BaseFolder.add(
                username=USER,
                path=WINDOWS_PATH,
                animal=ANIMAL,
                experiment_type="2Pminiscope_A",
                combined=combined,
                ops_name=OPS_NAME,
                register_uncurated=True,
                base_folder_note="the demo's own request",
            )
    with timed("workers"):
        worker = run_worker(LANES, once=True, idle_s=1.0, config=laboratory.config, on_event=on_event)
    with timed("results and picture"):
        sessions = session_results(laboratory.truths)
        picture = _draw(laboratory.folder)
    return DemoResult(
        sessions=sessions,
        worker=worker,
        added=row_counts() - before,
        seconds=timed.seconds,
        seconds_by_table=seconds_by_table(),
        picture=picture,
    )


def _draw(folder: Path) -> Path | None:
    key = first_combined_session()
    if key is None:
        return None
    picture = folder / "demo.png"
    draw_session(session_view(key), picture)
    return picture
