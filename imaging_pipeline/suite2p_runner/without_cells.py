"""Let a movie in which Suite2p finds no cells be a finished analysis. In the child process only.

Suite2p 1.1.0 raises a ValueError after registration, or fails during the extraction, and does not analyse the
planes that follow. Here its ``pipeline`` of one plane is wrapped: such a plane gets files without rows.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import suite2p.extraction
import suite2p.run_s2p  # noqa: F401  (loads the module; the package hides it behind the function of that name)

from imaging_pipeline.readers.npy.file import load_npy

_NO_ROIS = "no ROIs"


class _NoRoisLeftError(Exception):
    """Every ROI was dropped for its signal."""


def finish_without_cells() -> None:
    """Let runs of Suite2p in this process finish planes without ROIs."""
    run_module: Any = sys.modules["suite2p.run_s2p"]
    original_pipeline = run_module.pipeline
    original_extraction = suite2p.extraction.extraction_wrapper

    def extraction(stat: Any, *arguments: Any, **options: Any) -> Any:
        if len(stat) == 0:
            raise _NoRoisLeftError
        return original_extraction(stat, *arguments, **options)

    def pipeline(save_path: str, f_reg: Any, *arguments: Any, **options: Any) -> Any:
        try:
            outputs = original_pipeline(save_path, f_reg, *arguments, **options)
        except _NoRoisLeftError:
            outputs = None
        except ValueError as error:
            if not str(error).startswith(_NO_ROIS):
                raise
            outputs = None
        # The fourth output is F.
        if outputs is not None and outputs[3] is not None:
            return outputs
        has_second_channel = arguments[1] is not None
        times = {} if outputs is None else outputs[-1]
        return (*_write_empty(Path(save_path), f_reg.shape[0], has_second_channel), times)

    # Suite2p looks both names up when it calls them, so that replacing them here is enough.
    run_module.pipeline = pipeline
    suite2p.extraction.extraction_wrapper = extraction


def _write_empty(folder: Path, num_frames: int, has_second_channel: bool) -> tuple[Any, ...]:
    """Write the files of a plane without ROIs, and return them as Suite2p's ``pipeline`` does."""
    registration = load_npy(folder / "reg_outputs.npy")
    detection = _detection_outputs(folder, registration)
    traces = np.zeros((0, num_frames), np.float32)
    stat, labels = np.zeros(0, dtype=object), np.zeros((0, 2))
    arrays = {"stat": stat, "F": traces, "Fneu": traces, "spks": traces, "iscell": labels}
    if has_second_channel:
        arrays |= {"F_chan2": traces, "Fneu_chan2": traces, "redcell": labels}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    second = (traces, traces) if has_second_channel else (None, None)
    red = labels if has_second_channel else None
    no_depths = np.zeros(0)
    return registration, detection, stat, traces, traces, *second, traces, labels, red, no_depths


def _detection_outputs(folder: Path, registration: dict[str, Any]) -> dict[str, Any]:
    """Return the images of the detection, or images of NaN if Suite2p did not save them."""
    path = folder / "detect_outputs.npy"
    if not path.is_file():
        (top, bottom), (left, right) = registration["yrange"], registration["xrange"]
        unknown = np.full((bottom - top, right - left), np.nan, np.float32)
        np.save(path, np.array({"max_proj": unknown, "Vcorr": unknown}, dtype=object))
    outputs: dict[str, Any] = load_npy(path)
    return outputs
