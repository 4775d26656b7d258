"""Which of a session's tifs Suite2p takes."""

from __future__ import annotations

from typing import Any

from imaging_pipeline.experiments.registry import EXPERIMENT_TYPES


def analysed_tifs(imaging: Any) -> Any:
    """Restrict ``Session.Data`` to the tifs that Suite2p takes, which differ between experiment types.

    Parameters
    ----------
    imaging
        Has ``MetaSession``, ``Session`` and ``Dataset`` as attributes.
    """
    types = [{"experiment_type": kind.name, "datasettype": kind.analysed} for kind in EXPERIMENT_TYPES]
    kinds = imaging.MetaSession.proj("experiment_type") * imaging.Dataset.proj("datasettype")
    return imaging.Session.Data & (imaging.Session.Data * kinds & types).proj()
