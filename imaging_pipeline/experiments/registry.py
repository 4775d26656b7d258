"""Every experiment type, one line each."""

from __future__ import annotations

from imaging_pipeline.choices import near
from imaging_pipeline.errors import InputError
from imaging_pipeline.experiments.femtonics import Femtonics
from imaging_pipeline.experiments.miniscope import Miniscope
from imaging_pipeline.experiments.miniscope_preprocessed import MiniscopePreprocessed
from imaging_pipeline.experiments.plain_tifs import PlainTifs
from imaging_pipeline.experiments.recognised import ExperimentType

EXPERIMENT_TYPES: tuple[ExperimentType, ...] = (
    Miniscope(),
    MiniscopePreprocessed(),
    PlainTifs(),
    Femtonics(),
)


def experiment_type(name: str) -> ExperimentType:
    """Return the experiment type of a name.

    Raises
    ------
    InputError
        No type has that name.
    """
    by_name = {known.name: known for known in EXPERIMENT_TYPES}
    if name not in by_name:
        similar = near(name, by_name)
        raise InputError(
            "This experiment type is not known",
            found=repr(name),
            allowed=", ".join(by_name),
            remedy=f"did you mean {similar[0]}?" if similar else "choose one of the known types.",
        )
    return by_name[name]
