"""Files that lie beside a ScanImage recording: ``NAME_0001.h5`` is of acquisition 1 of NAME."""

from __future__ import annotations

import re
from collections.abc import Set
from pathlib import PurePosixPath

from imaging_pipeline.choices import near
from imaging_pipeline.experiments.recognised import Unknown, Used
from imaging_pipeline.experiments.scanimage_names import TIF_SUFFIXES

# Wavesurfer pads its counter to four digits, where ScanImage has five.
_COMPANION = re.compile(r"(?P<name>.+)_(?P<acquisition>[0-9]{4,})(?P<kind>_wheel)?", re.IGNORECASE)
_TYPES = {
    (".h5", ""): "wavesurfer",
    (".csv", ""): "tracking_openfield",
    (".csv", "_wheel"): "tracking_wheel",
    (".avi", ""): "tracking_video",
    (".mp4", ""): "tracking_video",
}
_SUFFIXES = {suffix for suffix, _ in _TYPES}


class Companions:
    """The files beside a folder's tifs.

    Parameters
    ----------
    acquisitions
        Timeseries name and number of each acquisition of which there is a tif.
    """

    def __init__(self, acquisitions: Set[tuple[str, int]]) -> None:
        self._acquisitions = acquisitions
        self._first_names: dict[Used, str] = {}

    def recognise(self, name: str) -> Used | Unknown:
        """Return the verdict on a file that is no recording; ``name`` is its path below the folder."""
        verdict = self._of_name(PurePosixPath(name))
        return self._first_of_kind(verdict, name) if isinstance(verdict, Used) else verdict

    def _of_name(self, path: PurePosixPath) -> Used | Unknown:
        suffix = path.suffix.lower()
        if len(path.parts) > 1:
            return Unknown("lies in a subfolder; a recording there is registered as a folder of its own")
        if suffix in TIF_SUFFIXES:
            return Unknown("its name does not end in an acquisition number of five digits")
        if suffix not in _SUFFIXES:
            return Unknown(
                f"no file of this experiment type ends in '{suffix}'" if suffix else "it has no suffix"
            )
        match = _COMPANION.fullmatch(path.stem)
        datasettype = _TYPES.get((suffix, (match["kind"] or "").lower())) if match else None
        if match is None or datasettype is None:
            return Unknown("its name does not end in an acquisition number of four digits")
        name, acquisition = match["name"], int(match["acquisition"])
        if (name, acquisition) not in self._acquisitions:
            return no_tif(name, acquisition, self._acquisitions)
        return Used(datasettype, suffix[1:], name, acquisition)

    def _first_of_kind(self, used: Used, name: str) -> Used | Unknown:
        """Keep one file a type and acquisition: a video is often converted, and the original kept."""
        kind = Used(used.datasettype, "", used.timeseries_name, used.acquisition)
        first = self._first_names.setdefault(kind, name)
        if first != name:
            return Unknown(f"'{first}' is {used.datasettype} of acquisition {used.acquisition} already")
        return used


def no_tif(timeseries_name: str, acquisition: int, acquisitions: Set[tuple[str, int]]) -> Unknown:
    """Return the verdict on a file of an acquisition without a tif, which may still be copied."""
    reason = f"the folder has no tif of acquisition {acquisition} of '{timeseries_name}'"
    known = {name for name, _ in acquisitions}
    similar = [] if timeseries_name in known else near(timeseries_name, known)
    message = f"{reason}; similar: {', '.join(similar)}" if similar else reason
    return Unknown(message, lacks_recording=True)
