"""A lab with something on every page of the site."""

from __future__ import annotations

from imaging_pipeline.schemas import tables
from imaging_pipeline.schemas.imaging import administration
from tests.makers.lab import Lab
from tests.makers.recordings import OBJECT, import_all


def furnish(lab: Lab) -> None:
    """Register and import a recording, and add what an administrator would."""
    administration.add_options(tables.in_code(), "mouse", {"tau": 1.5, "nonrigid": False, "combined": True})
    administration.add_options(tables.in_code(), "fast", {"tau": 0.7})
    import_all(lab, OBJECT)
