"""A session with cells for the viewer, imported into the tables."""

from __future__ import annotations

from typing import Any

from imaging_pipeline.schemas import imaging
from tests.makers.lab import Lab
from tests.makers.recordings import OBJECT, OPEN_FIELD, import_all, populate, session_key

IS_CELL = (True, False, True, True, False)
CELL_IDS = [0, 2, 3]


def viewed_session(lab: Lab, **spec: Any) -> dict[str, Any]:
    """Import two sessions that were analysed together, and return the key of the first one's analysis."""
    import_all(lab, OPEN_FIELD, OBJECT, combined=True, **{"is_cell": IS_CELL, **spec})
    populate("SNR")
    return dict((imaging.Cell & session_key(OPEN_FIELD)).proj().fetch1())
