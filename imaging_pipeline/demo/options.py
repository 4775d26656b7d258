"""The demo's Suite2p option set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OPS_NAME = "demo"

SETTINGS: Mapping[str, Any] = {
    "tau": 0.7,
    "run": {"do_regmetrics": False},
    # Drift is rigid in the demo, and default blocks do not fit into a small field of view.
    "registration": {"nonrigid": False, "nimg_init": 200, "batch_size": 20},
    # Of a minute's recording, cells that fired only a few times should be found too.
    "detection": {"threshold_scaling": 0.8},
}
"""Suite2p 1.1 settings, those that differ from its defaults; the frame rate is the recording's."""
