"""The call of Suite2p. Imported in the child process only: importing Suite2p takes seconds and gigabytes."""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imaging_pipeline.readers.npy.file import load_npy
from imaging_pipeline.suite2p_runner import torchvision_operators
from imaging_pipeline.suite2p_runner.frame_source import FrameSource
from imaging_pipeline.suite2p_runner.log_progress import LogReader

Send = Callable[[Mapping[str, Any]], None]


def call_suite2p(job: Mapping[str, Any], send: Send) -> dict[str, Any]:
    """Run Suite2p and return versions and times.

    Parameters
    ----------
    job
        ``db`` and ``settings`` of Suite2p, ``sources`` of its frames as `describe_source` describes them,
        ``originals``, ``num_pages`` and ``planes`` for the progress, ``threads``, ``log_file``.
    send
        Takes messages.
    """
    torch.set_num_threads(job["threads"])
    # PyTorch does so itself unless TORCH_DEVICE_BACKEND_AUTOLOAD is 0.
    torchvision_operators.declare()
    import suite2p

    from imaging_pipeline.suite2p_runner.without_cells import finish_without_cells

    finish_without_cells()
    feed([FrameSource.of(described) for described in job["sources"]])
    reader = LogReader(job["num_pages"], tuple(job["planes"]))
    _follow_log(reader, Path(job["log_file"]), send)
    settings = _in_types_of(job["settings"], suite2p.default_settings())
    # The default. Suite2p would take the processor as well, but the result is to name what was used.
    if settings["torch_device"] == "cuda" and not torch.cuda.is_available():
        settings["torch_device"] = "cpu"
    suite2p.run_s2p(db=dict(job["db"]), settings=settings)
    _name_originals(Path(job["db"]["save_path0"]), job["originals"])
    return {
        "torch_device": settings["torch_device"],
        "seconds_by_stage": {stage: round(s, 2) for stage, s in reader.seconds_by_stage.items()},
        "versions": {
            "suite2p": suite2p.version,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }


def feed(sources: Sequence[FrameSource]) -> None:
    """Let Suite2p read tifs by their sources, in this process; it still sorts the pages to planes itself."""
    from suite2p.io import tiff

    by_path = {str(source.path): source for source in sources}

    def open_tiff(file: str, _is_sktiff: bool) -> tuple[FrameSource, int]:
        return by_path[file], by_path[file].num_pages

    def read_tiff(
        _file: str, tif: FrameSource, num_pages: int, first: int, batch_size: int, _is_sktiff: bool
    ) -> NDArray[np.int16] | None:
        return tif.read(first, batch_size) if first < num_pages else None

    # `tiff_to_binary` looks both names up when it calls them, so that replacing them here is enough.
    tiff.open_tiff = open_tiff
    tiff.read_tiff = read_tiff


def _in_types_of(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Merge onto the defaults; JSON made lists of Suite2p's tuples."""
    merged = dict(defaults)
    for key, value in settings.items():
        default = defaults[key]
        if isinstance(default, dict):
            merged[key] = _in_types_of(value, default)
        else:
            merged[key] = tuple(value) if isinstance(default, tuple) else value
    return merged


class _Follower(logging.Handler):
    def __init__(self, reader: LogReader, send: Send) -> None:
        super().__init__()
        self._reader = reader
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        line = _message(record).strip()
        is_step = self._reader.read(line)
        is_bar = "%|" in line
        # tqdm repeats a bar that did not move.
        if line and (is_step or not is_bar):
            step = self._reader.step
            self._send({"progress": [step.name, step.done, step.total, "" if is_bar else line]})


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except TypeError:
        # Suite2p 1.1.0 logs the number of a flyback plane without a placeholder for it.
        return " ".join(map(str, (record.msg, *(record.args or ()))))


def _follow_log(reader: LogReader, log_file: Path, send: Send) -> None:
    # For the file, too, such a record is no reason to print a traceback.
    logging.raiseExceptions = False
    logger = logging.getLogger("suite2p")
    logger.setLevel(logging.INFO)
    file = logging.FileHandler(log_file, mode="w", encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s [%(levelname)s] %(message)s"))
    logger.addHandler(file)
    logger.addHandler(_Follower(reader, send))


def _name_originals(folder: Path, originals: list[dict[str, Any]]) -> None:
    """Write the names of all files of the lab into the output, those of which no page was used, too.

    Parameters
    ----------
    folder
        What Suite2p wrote to.
    originals
        For each file its ``path``, and whether it ``is_used``.
    """
    if all(original["is_used"] for original in originals):
        return
    is_used = np.array([original["is_used"] for original in originals])
    paths = [original["path"] for original in originals]
    for path in (*folder.rglob("db.npy"), *folder.rglob("ops.npy")):
        values = load_npy(path)
        values["file_list"] = paths
        for key in ("first_files", "frames_per_file"):
            if key in values:
                counts = np.zeros(len(paths), dtype=values[key].dtype)
                counts[is_used] = values[key]
                values[key] = counts
        np.save(path, values)
