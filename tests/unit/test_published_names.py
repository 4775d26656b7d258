"""Names that analysts' code uses: kept, or given up for a reason that stands here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline import database
from imaging_pipeline.schemas import imaging, mlims
from tests.makers.definitions import columns_of

PUBLISHED = Path(__file__).parents[3] / "shared" / "published_names.json"

# Two tables that share the name of a column that is in no key cannot be joined.
UNIQUE_NAMES = {
    "User.entry_time",
    "Suite2pyOps.entry_time",
    "MetaSession.entry_time",
    "Cell.entry_time",
    "FilteredSpikes.entry_time",
    "SNR.entry_time",
    "FileType.description",
    "DatasetType.description",
    "SessionType.description",
    "Intervention.description",
    "SpikeFilterParams.comment",
    "Session.SessionType.note",
}
# Restrictions by a word of SQL compare with a literal on MariaDB.
WORDS_OF_SQL = {"PhysicalFile.order", "ImagingAnalysis.order", "Cell.Rois.lambda", "Session.timestamp"}
# A parameter set is its number; no second name for it is kept.
HASHES = {"TrackingParams.tracking_params_hash", "SpikeFilterParams.spike_filter_params_hash"}
# A parent or another table has it, under this name or a clearer one.
ELSEWHERE = {
    "Repository.path",
    "Setup.setup_timestamp",
    "Session.animal_name",
    "Session.combined",
    "ImagingAnalysis.filetype",
    "Tif.config",
    "Tif.SI.num_frames_scanimage",
    "Tif.SI.width_scanimage",
    "Tif.SI.height_scanimage",
    "Tif.SI.timestamps_sys",
}
# Nothing computes it yet.
NOT_YET = {
    "Projection.vmap_image",
    "Projection.mean_image_second_corr",
    *(
        f"Projection.Motion.{size}pxshift_pc_{kind}"
        for size in ("", "max_")
        for kind in ("rigid", "nonrigid")
    ),
    *(f"Projection.Motion.{size}pxshift_pc_nonrigidmax" for size in ("", "max_")),
    *(f"Projection.Motion.{name}" for name in ("image_pc_first", "image_pc_last", "pc_time", "zdrift")),
    *(f"Projection.Motion.{name}" for name in ("block_coords_x", "block_coords_y")),
    *(f"Projection.Motion.{name}" for name in ("two_step_registration", "smooth_sigma_time")),
    *(f"Cell.Rois.{name}" for name in ("ipix_neuropil", "ellipse", "noiselevel", "neuropil_mask")),
    *(f"Cell.Rois.{name}" for name in ("cell_solidity", "npix_norm_no_crop")),
}
# How it was computed is not published with the data; what ours is, its table says.
UNSTATED = {
    *(f"SNR.{name}" for name in ("snr_f_corr", "noise_f_corr", "noise_indices", "noise_std", "noise_ratio")),
    *(f"SNR.noise_{what}_half{half}" for what in ("std", "med") for half in (1, 2)),
    *(f"SNR.{name}" for name in ("noise_slope", "t_value", "p_value")),
}
GIVEN_UP = UNSTATED | UNIQUE_NAMES | WORDS_OF_SQL | HASHES | ELSEWHERE | NOT_YET


@pytest.fixture
def published() -> dict[str, list[str]]:
    if not PUBLISHED.is_file():
        pytest.skip("the list of published names is not beside the project")
    return json.loads(PUBLISHED.read_text(encoding="utf-8"))


def names_of(table: Any) -> set[str]:
    """Return the columns of a table and of its parts, which people join."""
    return {column.name for each in (table, *database.parts(table)) for column in columns_of(each)}


def test_published_names_are_kept_or_given_up_for_a_reason(published: dict[str, list[str]]) -> None:
    missing = set()
    for schema, module in {"mlims": mlims, "imaging": imaging}.items():
        for cls in database.table_classes(module):
            for table in (cls, *database.parts(cls)):
                wanted = published.get(f"{schema}.{table.__qualname__}", [])
                missing |= {f"{table.__qualname__}.{name}" for name in set(wanted) - names_of(table)}
    # The whole set of options is one column, `ops_options`; only the often used have one of their own.
    options = {name for name in missing if name.startswith("ImagingAnalysis.Suite2py.ops_")}
    assert missing - options == GIVEN_UP
