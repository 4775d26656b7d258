"""Whether an output was made with the requested options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from imaging_pipeline import names
from imaging_pipeline.experiments.dataset_types import MOTION_CORRECTED
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.ingest.records import Request
from imaging_pipeline.readers.suite2p.options import options_summary
from imaging_pipeline.segmentation.package import Output
from imaging_pipeline.suite2p_runner.equal_options import are_equal_options
from imaging_pipeline.wording import shortened_list

# What to do about an output, as it ends a reason.
RUN_AGAIN = "let Suite2p run again"
# The headers of the tifs decide on these, whatever an option set says.
_FROM_TIFS = ("fs_hz", "num_planes", "num_channels")
# 2 registers also what was registered before: the result is that of 1.
_SWITCHES = ("do_registration",)
# An option that is not set; a diameter of 0 lets Suite2p 0.x estimate it.
_NOT_SET = (None, (0.0, 0.0))


@dataclass(frozen=True)
class OptionSets:
    """The option sets with which outputs are compared.

    Attributes
    ----------
    settings
        Settings of every option set, by its name.
    assigned
        The option set of stored meta-sessions, by their name.
    """

    settings: Mapping[str, Mapping[str, Any]]
    assigned: Mapping[str, str]

    def requested(self, request: Request, metasession_name: str) -> str | None:
        """Return the option set of the request, or else that of the meta-session."""
        return request.ops_name or self.assigned.get(metasession_name)


def compared_options(
    request: Request, output: Output, reference: str | None, options: OptionSets
) -> tuple[bool, str]:
    """Return True if the options of an output are those of a set, and what was compared.

    Parameters
    ----------
    request
        Its tifs decide on some of the options.
    output
        The output.
    reference
        Name of the set, or None where there is none to compare with.
    options
        All sets.
    """
    if output.options is None:
        return True, "options not compared, because no option set can state them"
    if reference is None or reference not in options.settings:
        return True, "options not compared, because no option set is named"
    settings = options.settings[reference]
    # Only a run of the pipeline has noted all of its settings; of others a few options are compared.
    settings_hash = noted(output, "settings_hash")
    if settings_hash is not None:
        if settings_hash == names.settings_hash(settings) or _are_noted(output, settings):
            return True, f"its settings are those of '{reference}'"
        return False, f"its settings are not those of '{reference}'; {RUN_AGAIN}"
    is_registered = experiment_type(request.experiment_type).analysed in MOTION_CORRECTED
    compared, different = difference_of_options(output.options, settings, is_registered=is_registered)
    if different:
        return False, f"not made with '{reference}': {shortened_list(different)}; {RUN_AGAIN}"
    return True, f"options of '{reference}' compared: {', '.join(compared) or 'it states none'}"


def _are_noted(output: Output, settings: Mapping[str, Any]) -> bool:
    """Return True if the marker, which an earlier version may have written, has options that are equal."""
    options = None if output.marker is None else output.marker.get("options")
    return isinstance(options, Mapping) and are_equal_options(options, settings)


def difference_of_options(
    used: Mapping[str, Any], settings: Mapping[str, Any], *, is_registered: bool
) -> tuple[list[str], list[str]]:
    """Return which options of an output that a person made were compared with a set, and which differ.

    Parameters
    ----------
    used, settings
        The output's options, and the set's; either generation.
    is_registered
        Whether the tifs were motion corrected before the run, so that it moved no frame.
    """
    made_with, requested = options_summary(used), options_summary(settings)
    not_compared = (*_FROM_TIFS, "do_registration") if is_registered else _FROM_TIFS
    compared, different = [], []
    for field in fields(requested):
        if field.name in not_compared:
            continue
        value, found = getattr(requested, field.name), getattr(made_with, field.name)
        if value in _NOT_SET or found in _NOT_SET:
            continue
        compared.append(field.name)
        is_equal = bool(value) == bool(found) if field.name in _SWITCHES else value == found
        if not is_equal:
            different.append(f"{field.name} {found} instead of {value}")
    return compared, different


def noted(output: Output, key: str) -> str | None:
    """Return a value of the completion marker of a run, or None where it has none."""
    value = None if output.marker is None else output.marker.get(key)
    return None if value is None else str(value)
