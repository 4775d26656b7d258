"""Suite2p as a person calls it in a script."""

from __future__ import annotations

import os
from pathlib import Path


def run_bare(tif: Path, frame_rate_hz: float, home: Path) -> Path:
    """Import Suite2p and run it with its defaults; return the folder of the only plane.

    Home, threads and classifier are those of the pipeline, so that the traces can be compared bit by bit.
    """
    os.environ["HOME"] = str(home)
    import torch

    from imaging_pipeline.suite2p_runner import torchvision_operators

    torch.set_num_threads(os.cpu_count() or 1)
    torchvision_operators.declare()
    import suite2p

    settings = suite2p.default_settings()
    settings["fs"] = frame_rate_hz
    settings["torch_device"] = "cpu"
    settings["classification"]["use_builtin_classifier"] = True
    db = {
        "data_path": [str(home)],
        "file_list": [str(tif)],
        "input_format": "tif",
        "force_sktiff": True,
        "save_path0": str(home),
        "save_folder": "suite2p",
        "nplanes": 1,
        "nchannels": 1,
        "ignore_flyback": None,
    }
    suite2p.run_s2p(db=db, settings=settings)
    return home / "suite2p" / "plane0"
