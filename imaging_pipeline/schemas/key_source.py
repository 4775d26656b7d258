"""Which keys a table has jobs for, where that is not all that it refers to.

Functions of a handle, because the classes of another connection than the code's know only what the
database says of a table.
"""

from __future__ import annotations

from typing import Any

from imaging_pipeline.experiments.dataset_types import MESC, TIFS
from imaging_pipeline.schemas.make.analysed_tifs import analysed_tifs
from imaging_pipeline.schemas.register import pending_animals
from imaging_pipeline.segmentation.registry import OUTPUT_TYPES


def requests(base_folder: Any) -> Any:
    """Return the requests whose animal is here, of the table ``BaseFolder``."""
    return base_folder & f"NOT {pending_animals.WAITS}"


def tif(imaging: Any) -> Any:
    """Return sessions' datasets of tifs.

    Parameters
    ----------
    imaging
        Has ``Session`` and ``Dataset`` as attributes.
    """
    return _data_of_types(imaging, TIFS)


def mesc(imaging: Any) -> Any:
    """Return sessions' parts of ``.mesc`` files; the parameter is as of `tif`."""
    return _data_of_types(imaging, (MESC,))


def outputs(imaging: Any) -> Any:
    """Return sessions' outputs of segmentation programs; the parameter is as of `tif`."""
    return _data_of_types(imaging, OUTPUT_TYPES)


def imaging_analysis(imaging: Any, tif: Any) -> Any:
    """Return sessions' outputs, as soon as the session's tifs are imported to check them against.

    Parameters
    ----------
    imaging
        Has ``MetaSession``, ``Session`` and ``Dataset`` as attributes.
    tif
        The table ``Tif``.
    """
    return outputs(imaging) & (tif & analysed_tifs(imaging)).proj(tif_dataset="dataset_name")


def _data_of_types(imaging: Any, datasettypes: tuple[str, ...]) -> Any:
    types = [{"datasettype": datasettype} for datasettype in datasettypes]
    return imaging.Session.Data() & (imaging.Dataset() & types)
