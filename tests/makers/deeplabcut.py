"""What DeepLabCut writes beside its poses, without running it."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from types import ModuleType
from unittest.mock import patch


class ScalarFloat(float):
    """A number that notes how it was written, as ruamel.yaml reads it from a configuration."""


_NOTES = dict.fromkeys(("_exp", "_e_width", "_e_sign", "_underscore"))


def write_meta(path: Path) -> Path:
    """Write the ``_meta.pickle`` of one analysed video."""
    module = ModuleType("ruamel.yaml.scalarfloat")
    module.ScalarFloat = ScalarFloat
    packages = {name: ModuleType(name) for name in ("ruamel", "ruamel.yaml")}
    with (
        patch.dict(sys.modules, {**packages, module.__name__: module}),
        patch.object(ScalarFloat, "__module__", module.__name__),
    ):
        path.write_bytes(pickle.dumps({"data": _data()}))
    return path


def _data() -> dict[str, object]:
    fraction = ScalarFloat(0.95)
    fraction.__dict__.update({"_width": 4, "_prec": 1, "_m_sign": False, "_m_lead0": 1, **_NOTES})
    return {
        "start": 1_715_954_589.25,
        "stop": 1_715_954_720.75,
        "run_duration": 131.5,
        "Scorer": "DLC_resnet50_openfieldMay17shuffle1_100000",
        "DLC-model-config file": {
            "stride": 8.0,
            "mean_pixel": [123.68, 116.779, 103.939],
            "location_refinement": True,
            "snapshot_prefix": "D:\\dlc\\openfield\\dlc-models\\iteration-0\\test\\snapshot",
            "all_joints": [[0], [1]],
            "all_joints_names": ["nose", "tail"],
            "batch_size": 8,
        },
        "fps": 30.0,
        "frame_dimensions": (480, 640),
        "nframes": 3000,
        "iteration (active-learning)": 0,
        "training set fraction": fraction,
        "cropping": False,
        "cropping_parameters": [0, 640, 0, 480],
    }
