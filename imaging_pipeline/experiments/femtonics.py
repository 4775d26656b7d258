"""Femtonics: ``.mesc`` files that hold several measurements each, with tracking, video and exports beside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from imaging_pipeline.errors import NamingError
from imaging_pipeline.experiments.dataset_types import MESC, TIF
from imaging_pipeline.experiments.deeplabcut import recognise_deeplabcut
from imaging_pipeline.experiments.femtonics_names import Measurements, UnitName, unit_name
from imaging_pipeline.experiments.recognised import (
    Examined,
    ExperimentType,
    Ignored,
    Part,
    Recognised,
    StackFiles,
    Unknown,
    Used,
)
from imaging_pipeline.readers.mesc.file import SUFFIX, MescUnit, read_recording, read_units
from imaging_pipeline.readers.mesc.tifs import read_exported_tifs
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif

_EXPORTED = re.compile(r".*MUnit_[0-9]+_(?P<number>[0-9]{5,})")
_TIF_SUFFIXES = (".tif", ".tiff")
_COMPANION_TYPES = {
    ".csv": ("tracking_wheel", "csv"),
    ".avi": ("tracking_video", "avi"),
    ".mp4": ("tracking_video", "mp4"),
}


class Femtonics(ExperimentType):
    """A folder of a Femtonics microscope: every time series of a ``.mesc`` file is one session."""

    name = "femtonics"
    primary = MESC
    analysed = TIF
    container = SUFFIX
    may_repeat_tifs = True
    refuses_combined = (
        "each measurement of a .mesc file is exported and analysed by itself, in a folder of its own"
    )
    refuses_damaged = "MESc exports them again"
    tif_advice = (
        "export the frames of its measurement from MESc as tifs into the folder MUnit_M beside the .mesc"
        " file, with the measurement's number for M, and register the folder again"
    )

    def parts(self, path: Path) -> Mapping[str, Part]:
        """Read the measurements of a ``.mesc`` file, by their names in it.

        Raises
        ------
        TruncatedError
            The file's end is not there, or not yet.
        FormatError
            It is no such file.
        """
        return {unit.name: _part(unit) for unit in read_units(path)}

    def recognise(self, folder: Path, names: Sequence[str]) -> tuple[Recognised, ...]:
        """Return the verdict on each file, with its measurement."""
        units = _units(names)
        measurements = Measurements(list(units.values()))
        first_names: dict[Used, str] = {}
        recognised = []
        deeplabcut = recognise_deeplabcut(names, measurements.timeseries_named_by)
        # In order of names, so that the first file of a kind does not depend on the listing.
        for name in sorted(names):
            if name in units:
                verdict: Used | Ignored | Unknown = Used(MESC, "mesc", units[name].timeseries_name, 0)
            elif name in deeplabcut:
                verdict = deeplabcut[name]
            else:
                verdict = _beside(PurePosixPath(name), measurements)
            if isinstance(verdict, Used):
                verdict = _first_of_kind(verdict, name, first_names)
            recognised.append(Recognised(name, verdict))
        return tuple(recognised)

    def check_numbering(self, folder: Path, names: Sequence[str]) -> None:
        """Refuse exported tifs that are missing before others.

        Raises
        ------
        NamingError
            It names the folder and the numbers.
        """
        numbers: dict[PurePosixPath, set[int]] = {}
        for path in map(PurePosixPath, names):
            match = _EXPORTED.fullmatch(path.stem) if path.suffix.lower() in _TIF_SUFFIXES else None
            if match:
                numbers.setdefault(path.parent, set()).add(int(match["number"]))
        # MESc exports from 00001 on; tifs that are missing at the end show only in the number of frames.
        for subfolder, present in numbers.items():
            missing = sorted(set(range(1, max(present))) - present)
            if missing:
                raise NamingError(
                    "Exported tifs are missing before others",
                    path=folder / subfolder,
                    found=f"{len(present)} tifs up to {max(present):05d}, without {missing[0]:05d}",
                    remedy="copy the missing tifs, or export the measurement again.",
                )

    def output_folders(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the folder of each measurement, in which its exported tifs lie as well."""
        units = _units(names).values()
        measurements = Measurements(list(units))
        return {unit.timeseries_name: measurements.folder_of(unit) for unit in units}

    def read_tifs(self, files: StackFiles) -> tuple[RecordedTif[Header], ...]:
        """Count the pages of exported tifs, whose rate the ``.mesc`` file says.

        Raises
        ------
        NothingFoundError, FormatError
            A file is gone, truncated or none of its format, or the tifs hold other frames than were recorded.
        """
        (mesc,) = files.primary
        recording = read_recording(mesc.path, mesc.part)
        return read_exported_tifs([tif.path for tif in files.tifs], recording)


def _part(unit: MescUnit) -> Part:
    if unit.problem is not None:
        return Part(problem=unit.problem)
    if unit.recording is None:
        return Part(left_out=f"a {unit.kind}, which is no session")
    return Part(Examined(unit.recording.start, unit.recording.layout), unit.recording.fingerprint)


def _units(names: Sequence[str]) -> dict[str, UnitName]:
    named = ((name, unit_name(name)) for name in names)
    return {name: unit for name, unit in named if unit is not None}


def _beside(path: PurePosixPath, measurements: Measurements) -> Used | Unknown:
    """Return the verdict on a file that is no measurement itself."""
    suffix = path.suffix.lower()
    if len(path.parts) > 1:
        return _in_folder(path, measurements)
    if suffix == SUFFIX:
        return Unknown("it holds no measurement")
    if suffix in _TIF_SUFFIXES:
        return Unknown("exported tifs lie in a folder of their measurement, such as MUnit_0/")
    if suffix not in _COMPANION_TYPES:
        return Unknown(
            f"no file of this experiment type ends in '{suffix}'" if suffix else "it has no suffix"
        )
    unit = measurements.named_by(path.stem)
    return unit if isinstance(unit, Unknown) else Used(*_COMPANION_TYPES[suffix], unit.timeseries_name, 0)


def _in_folder(path: PurePosixPath, measurements: Measurements) -> Used | Unknown:
    unit = measurements.named_by(path.parts[0])
    if isinstance(unit, Unknown):
        # Any other folder is none of the microscope's: that it names no measurement would explain nothing.
        is_of_one = "MUnit_" in path.parts[0]
        elsewhere = Unknown("lies in a subfolder; a recording there is registered as a folder of its own")
        return unit if is_of_one else elsewhere
    match = _EXPORTED.fullmatch(path.stem) if path.suffix.lower() in _TIF_SUFFIXES else None
    if match is None or len(path.parts) > 2:
        return Unknown("neither an exported tif, such as MUnit_0/MUnit_0_00001.tif, nor Suite2p output")
    if f"MUnit_{unit.number}_" not in path.name:
        return Unknown(f"lies in the folder of MUnit_{unit.number}, and its name says another measurement")
    return Used(TIF, "tif", unit.timeseries_name, 0, int(match["number"]))


def _first_of_kind(used: Used, name: str, first_names: dict[Used, str]) -> Used | Unknown:
    """Accept one file of a type and measurement, of tifs one a number; a video is often converted."""
    kind = Used(used.datasettype, "", used.timeseries_name, 0, used.file_number)
    first = first_names.setdefault(kind, name)
    return used if first == name else Unknown(f"'{first}' is {used.datasettype} of its measurement already")
