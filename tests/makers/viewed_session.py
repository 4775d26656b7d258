"""A session with cells for the viewer, imported into the tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from imaging_pipeline.schemas import imaging
from tests.makers.lab import Lab
from tests.makers.recordings import OBJECT, OPEN_FIELD, Recording, import_all, populate, session_key

IS_CELL = (True, False, True, True, False)
CELL_IDS = [0, 2, 3]


def viewed_session(lab: Lab, **spec: Any) -> dict[str, Any]:
    """Import two sessions that were analysed together, and return the key of the first one's analysis."""
    recordings = [_of_planes(each, spec.get("num_planes", 1)) for each in (OPEN_FIELD, OBJECT)]
    import_all(lab, *recordings, combined=True, **{"is_cell": IS_CELL, **spec})
    populate("SNR")
    return dict((imaging.Cell & session_key(OPEN_FIELD)).proj().fetch1())


def _of_planes(recording: Recording, num_planes: int) -> Recording:
    """Return a recording with as many volumes as it has frames."""
    frames = tuple(tuple(num_planes * number for number in files) for files in recording.frames)
    return replace(recording, frames=frames, settings=replace(recording.settings, num_planes=num_planes))
