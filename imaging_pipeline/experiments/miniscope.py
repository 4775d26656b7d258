"""2Pminiscope_A: ScanImage stacks with Wavesurfer, tracking, wheel and video beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from imaging_pipeline import progress
from imaging_pipeline.errors import near
from imaging_pipeline.experiments.dataset_types import TIF
from imaging_pipeline.experiments.recognised import Examined, ExperimentType, Recognised, Unknown, Used
from imaging_pipeline.experiments.scanimage_names import TifName, check_tif_numbering, split_tif_name
from imaging_pipeline.experiments.stack_files import StackFiles
from imaging_pipeline.readers.recorded_tif import Header, RecordedTif
from imaging_pipeline.readers.scanimage import ScanImageTif, read_tif
from imaging_pipeline.readers.scanimage_stack import scanimage_stack
from imaging_pipeline.readers.tif_stack import TifStack

_TIF_SUFFIXES = (".tif", ".tiff")
_COMPANION = re.compile(r"(?P<name>.+)_(?P<acquisition>[0-9]{4,})(?P<kind>_wheel)?", re.IGNORECASE)
_COMPANION_TYPES = {
    (".h5", ""): "wavesurfer",
    (".csv", ""): "tracking_openfield",
    (".csv", "_wheel"): "tracking_wheel",
    (".avi", ""): "tracking_video",
    (".mp4", ""): "tracking_video",
}
_COMPANION_SUFFIXES = {suffix for suffix, _ in _COMPANION_TYPES}


class Miniscope(ExperimentType):
    """A folder of a two-photon miniscope: every timeseries name is one session."""

    name = "2Pminiscope_A"
    primary = TIF
    analysed = TIF

    def recognise(self, folder: Path, names: Sequence[str]) -> tuple[Recognised, ...]:
        """Say what each file is.

        Raises
        ------
        NamingError
            A tif's name can be taken apart in more than one way.
        """
        tifs = _tif_names(folder, names)
        acquisitions = {(tif.timeseries_name, tif.acquisition) for tif in tifs.values()}
        places: dict[Used, str] = {}
        recognised = []
        for name in sorted(names):
            verdict: Used | Unknown
            if name in tifs:
                verdict = _used_tif(tifs[name])
            else:
                verdict = _companion(PurePosixPath(name), acquisitions)
                if isinstance(verdict, Used):
                    verdict = _first_in_place(verdict, name, places)
            recognised.append(Recognised(name, verdict))
        return tuple(recognised)

    def check_numbering(self, folder: Path, names: Sequence[str]) -> None:
        """Refuse acquisitions and split files that are missing between others.

        Raises
        ------
        NamingError
            It names the gap, or the two files that claim one place.
        """
        tifs = _tif_names(folder, names)
        check_tif_numbering([(folder / name, tif) for name, tif in tifs.items()])

    def examine(self, path: Path, used: Used) -> Examined:
        """Check that a tif has its last page, and give the start and the layout that it says.

        Raises
        ------
        TruncatedError
            The tif's last page is not there.
        FormatError
            The file is no ScanImage tif, or its header has no believable time.
        """
        if used.datasettype != TIF:
            return Examined()
        tif = read_tif(path)
        return Examined(tif.header.start, tif.layout)

    def read_tifs(self, files: StackFiles) -> tuple[RecordedTif[Header], ...]:
        """Read the headers that ScanImage wrote into the tifs.

        Raises
        ------
        NothingFoundError, FormatError
            A file is gone, truncated, or no ScanImage tif.
        """
        return _scanimage_tifs(files)

    def read_stack(self, files: StackFiles) -> TifStack:
        """Read what ScanImage wrote of each frame as well, and a mean image.

        Raises
        ------
        NothingFoundError, FormatError
            As for `read_tifs`; also where the files were not recorded alike.
        """
        return scanimage_stack(_scanimage_tifs(files))


def _scanimage_tifs(files: StackFiles) -> tuple[ScanImageTif, ...]:
    tifs = []
    for number, file in enumerate(files.tifs):
        progress.report("reading headers", number, len(files.tifs))
        tifs.append(read_tif(file.path))
    return tuple(tifs)


def _tif_names(folder: Path, names: Sequence[str]) -> dict[str, TifName]:
    split = {
        name: split_tif_name(folder / name)
        for name in names
        if "/" not in name and PurePosixPath(name).suffix.lower() in _TIF_SUFFIXES
    }
    return {name: tif for name, tif in split.items() if tif is not None}


def _used_tif(tif: TifName) -> Used:
    return Used(TIF, "tif", tif.timeseries_name, tif.acquisition, tif.file_number or 1)


def _companion(path: PurePosixPath, acquisitions: set[tuple[str, int]]) -> Used | Unknown:
    suffix = path.suffix.lower()
    if len(path.parts) > 1:
        return Unknown("lies in a subfolder; a recording there is registered as a folder of its own")
    if suffix in _TIF_SUFFIXES:
        return Unknown("its name does not end in an acquisition number of five digits")
    if suffix not in _COMPANION_SUFFIXES:
        return Unknown(
            f"no file of this experiment type ends in '{suffix}'" if suffix else "it has no suffix"
        )
    match = _COMPANION.fullmatch(path.stem)
    datasettype = _COMPANION_TYPES.get((suffix, (match["kind"] or "").lower())) if match else None
    if match is None or datasettype is None:
        return Unknown("its name does not end in an acquisition number of four digits")
    name, acquisition = match["name"], int(match["acquisition"])
    if (name, acquisition) not in acquisitions:
        return Unknown(_no_tif(name, acquisition, acquisitions), lacks_recording=True)
    return Used(datasettype, suffix[1:], name, acquisition)


def _no_tif(name: str, acquisition: int, acquisitions: set[tuple[str, int]]) -> str:
    reason = f"the folder has no tif of acquisition {acquisition} of '{name}'"
    known = {known_name for known_name, _ in acquisitions}
    similar = [] if name in known else near(name, known)
    return f"{reason}; similar: {', '.join(similar)}" if similar else reason


def _first_in_place(used: Used, name: str, places: dict[Used, str]) -> Used | Unknown:
    """Keep one file a type and acquisition: a video is often converted, and the original kept."""
    place = Used(used.datasettype, "", used.timeseries_name, used.acquisition)
    first = places.setdefault(place, name)
    if first != name:
        return Unknown(f"'{first}' is {used.datasettype} of acquisition {used.acquisition} already")
    return used
