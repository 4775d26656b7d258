"""A worker on all lanes, as ``python -m batch_populate --loop`` is one, whose beats and pauses are short."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from rich.console import Console

from imaging_pipeline.config.config import load_config
from imaging_pipeline.lanes import LANES
from imaging_pipeline.workers.run import run_worker
from imaging_pipeline.workers.settings import Timing
from imaging_pipeline.workers.view import view

TIMING = Timing(heartbeat_s=2.0, late_s=4.0, slice_s=2.0, longest_pause_s=1.0, patience=0.01)
IDLE_S = 0.2


def main(config_file: str) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    config = load_config(Path(config_file))
    with view(Console(file=sys.stderr, force_terminal=False)) as on_event:
        run_worker(LANES, False, IDLE_S, config, on_event, timing=TIMING)


if __name__ == "__main__":
    main(sys.argv[1])
