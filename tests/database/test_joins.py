"""Which tables people can join, and which they must rename a column of first."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from datajoint.errors import DataJointError

from imaging_pipeline.schemas import imaging
from tests.makers.definitions import tables
from tests.makers.lab import Lab
from tests.makers.recordings import OBJECT, import_all

# The names are published, and nobody needs the two in one question.
APART = {
    ("BaseFolder", "MetaSession"): "combined is asked for in the one and done in the other",
    ("Setup.Tracking2D", "Tif.SI"): "header is of a file of positions, and of a tif",
    ("Tif", "ImagingAnalysis"): "num_frames is of a recording, and of its part of an output",
    ("Tif", "Projection.Plane"): "mean_image is of the raw tif, and of the registered frames",
    ("Tif", "Mesc"): "a stack of tifs, and the recording that they were exported of",
    ("Tif.SI", "Mesc"): "what one program says of a recording, or the other",
    ("Mesc", "ImagingAnalysis"): "num_frames is of a recording, and of its part of an output",
    ("Mesc", "Projection.Plane"): "mean_image is of the raw frames, and of the registered ones",
    ("ImagingAnalysis.Suite2py", "ImagingAnalysis.Suite2p"): "an output is of one program",
    ("Projection.Plane", "Projection.Motion"): "center_plane -1 is a mosaic, which does not move",
    ("Projection.Plane", "Cell.Rois"): "center_plane -1 is a mosaic, which is no cell's plane",
    ("Projection.Motion", "Cell.Rois"): "center_plane of a cell is no part of its key",
}


def cannot_be_joined(one: Any, other: Any) -> bool:
    try:
        one() * other()
    except DataJointError:
        return True
    return False


def test_all_tables_can_be_joined_but_those_that_are_named_here(lab: Lab) -> None:
    """DataJoint refuses two tables that share the name of a column that is not the same thing."""
    refused = {
        frozenset((one.__qualname__, other.__qualname__))
        for one, other in combinations(tables(), 2)
        if cannot_be_joined(one, other)
    }
    assert refused == set(map(frozenset, APART))


def test_a_cell_is_one_row_of_its_region_traces_and_spikes(lab: Lab) -> None:
    import_all(lab, OBJECT)
    cells = imaging.Cell.Rois * imaging.Cell.Traces * imaging.Cell.Spikes * imaging.FilteredSpikes.Cell
    rows = (cells & {"channel": "primary"}).to_dicts(order_by="cell_id")
    assert [row["cell_id"] for row in rows] == imaging.Cell.Rois().to_arrays(
        "cell_id", order_by="cell_id"
    ).tolist()
    assert {len(row["df_f"]) for row in rows} == {OBJECT.num_frames}
    assert all(row["npix"] == len(row["xpix"]) for row in rows)
