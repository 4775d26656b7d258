"""Folders of two-photon calcium-imaging recordings into a DataJoint database.

Nothing is opened by importing. `connect` binds the tables of `imaging_pipeline.schemas` to the database
that ``dj_local_conf.json`` names.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imaging_pipeline.config.config import Config

__all__ = ["connect"]

# DataJoint looks for a file that we do not use: ours is dj_local_conf.json.
warnings.filterwarnings("ignore", message="No datajoint.json found")


def connect(config: Config | None = None) -> Any:
    """Connect, and bind the table classes; see `imaging_pipeline.database.connect`."""
    # Not at the top: DataJoint takes half a second to import, which a reader of files need not wait for.
    from imaging_pipeline import database

    return database.connect(config)
