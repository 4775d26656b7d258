"""Suite2p output of what a lab has registered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from imaging_pipeline.schemas import imaging
from tests.makers.folders import PAGES, write_suite2p
from tests.makers.lab import Lab
from tests.makers.suite2p_output import Suite2pSpec


def suite2p_output(lab: Lab, combined: bool, is_cell: Sequence[bool] = (True,) * 5) -> Path:
    """Write a finished output of a registered MetaSession, where Suite2p would, and give its folder."""
    row = (imaging.MetaSession & {"combined": "yes" if combined else "no"}).to_dicts(limit=1)[0]
    names = [Path(path).name for path in tif_paths(row["metasession_name"])]
    root = lab.share / row["suite2p_folder"] / "fast" / "suite2p"
    spec = Suite2pSpec(file_list=names, frames_per_file=[PAGES] * len(names), is_cell=list(is_cell))
    return write_suite2p(root, spec)


def tif_paths(metasession_name: str) -> list[str]:
    """Return the registered tifs of a MetaSession in order, by their paths below the repository."""
    tifs = imaging.Session * imaging.Session.Data * imaging.Dataset * imaging.PhysicalFile
    query = tifs & {"metasession_name": metasession_name, "datasettype": "tif"}
    return list(query.to_arrays("file_path", order_by="session_order, file_order"))
