"""Registrations in processes that are killed."""

from __future__ import annotations

import time
from multiprocessing.connection import Connection

from imaging_pipeline import database
from imaging_pipeline.config.config import Config
from imaging_pipeline.schemas import imaging
from tests.makers.lab import Lab
from tests.makers.processes import fast_processes


def _carry_out(config: Config, request: int, told: Connection) -> None:
    """Tell when the request is begun, and how long it took."""
    database.connect(config)
    told.send("begin")
    begin = time.perf_counter()
    imaging.MakeDatasetSessions.populate({"basefolder_id": request})
    told.send(time.perf_counter() - begin)


def killed(lab: Lab, request: int, after_s: float) -> float | None:
    """Carry a request out in a process that is killed after a while; give how long it took if it ended."""
    processes = fast_processes()
    heard, told = processes.Pipe(duplex=False)
    process = processes.Process(target=_carry_out, args=(lab.config, request, told))
    process.start()
    assert heard.recv() == "begin"
    process.join(after_s)
    process.kill()
    process.join()
    return heard.recv() if heard.poll() else None
