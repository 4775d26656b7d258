"""2Pminiscope_A preprocessed: a miniscope's folder with motion-corrected tifs beside those of ScanImage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from imaging_pipeline.errors import FormatError, NamingError
from imaging_pipeline.experiments.companions import no_tif
from imaging_pipeline.experiments.dataset_types import (
    INTERMEDIATE,
    TIF_PREPROCESSED,
    TRACKING_PREPROCESSED,
)
from imaging_pipeline.experiments.miniscope import Miniscope
from imaging_pipeline.experiments.recognised import Recognised, StackFile, StackFiles, Unknown, Used
from imaging_pipeline.experiments.scanimage_names import (
    TIF_SUFFIXES,
    TifName,
    check_tif_numbering,
    split_tif_name,
    tif_names,
)
from imaging_pipeline.readers.scanimage.tif import ScanImageTif, read_tif
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif, read_plain_tif

_ENDING = "_preproc"
_TYPES = {
    **{suffix: (TIF_PREPROCESSED, "tif") for suffix in TIF_SUFFIXES},
    ".csv": (TRACKING_PREPROCESSED, "csv"),
}
_INTERMEDIATE_FOLDER = "preprocessed"


class MiniscopePreprocessed(Miniscope):
    """A folder of a two-photon miniscope whose movies are motion corrected already.

    The raw tifs make the sessions and tell how they were recorded; Suite2p takes the corrected ones.
    """

    name = "2Pminiscope_A preprocessed"
    analysed = TIF_PREPROCESSED

    def recognise(self, folder: Path, names: Sequence[str]) -> tuple[Recognised, ...]:
        """Return what each file is.

        Raises
        ------
        NamingError
            A tif's name can be taken apart in more than one way.
        """
        raw = {(tif.timeseries_name, tif.acquisition) for tif in tif_names(folder, names).values()}
        # The longest first, because a name may begin with another one.
        timeseries_names = sorted({name for name, _ in raw}, key=len, reverse=True)
        own: list[Recognised] = []
        for name, split in _preprocessed(folder, names).items():
            datasettype, filetype = _TYPES[PurePosixPath(name).suffix.lower()]
            acquisition = (split.timeseries_name, split.acquisition)
            used = Used(datasettype, filetype, *acquisition, split.file_number or 1)
            # A corrected movie without its raw tifs is refused when the numbers are checked.
            is_lost = datasettype != TIF_PREPROCESSED and acquisition not in raw
            own.append(Recognised(name, no_tif(*acquisition, raw) if is_lost else used))
        for name in names:
            if name.startswith(f"{_INTERMEDIATE_FOLDER}/"):
                own.append(Recognised(name, _intermediate(PurePosixPath(name), timeseries_names)))
        recognised = {file.path for file in own}
        return (*super().recognise(folder, [name for name in names if name not in recognised]), *own)

    def check_numbering(self, folder: Path, names: Sequence[str]) -> None:
        """Refuse missing acquisitions and files, and corrected tifs without their raw ones.

        Raises
        ------
        NamingError
            It names what is missing.
        """
        super().check_numbering(folder, names)
        corrected = _corrected(folder, names)
        check_tif_numbering(folder, corrected)
        _check_raw(folder, tif_names(folder, names), corrected)

    def check_complete(self, folder: Path, names: Sequence[str]) -> None:
        """Refuse raw tifs without their corrected ones, and these without their raw ones.

        Raises
        ------
        NamingError
            It names what is missing.
        """
        raw = tif_names(folder, names)
        _check_raw(folder, raw, _corrected(folder, names))
        corrected = _by_acquisition(_corrected(folder, names))
        for (name, acquisition), files in _by_acquisition(raw).items():
            if (name, acquisition) not in corrected:
                raise NamingError(
                    f"The motion-corrected tif of acquisition {acquisition} of '{name}' is missing",
                    path=folder / files[0],
                    found="raw tifs only",
                    allowed=f"{name}_{acquisition:05d}{_ENDING}.tif beside them",
                    remedy=f"copy it into the folder, or register the folder as {Miniscope.name}.",
                )

    def read_tifs(self, files: StackFiles) -> tuple[RecordedTif[Header], ...]:
        """Read the tifs; corrected ones have the header of the raw ones of their acquisition.

        Raises
        ------
        NothingFoundError
            A file is gone.
        FormatError
            A file is truncated or no such tif, or the corrected ones have another number of pages than
            the raw ones of their acquisition.
        """
        if files.datasettype != TIF_PREPROCESSED:
            return super().read_tifs(files)
        tifs: list[RecordedTif[Header]] = []
        for acquisition in dict.fromkeys(file.acquisition for file in files.tifs):
            raw = [
                read_tif(file.path, file.pages_taken) for file in _of_acquisition(files.primary, acquisition)
            ]
            corrected = [
                read_plain_tif(file.path, raw[0].header, file.pages_taken)
                for file in _of_acquisition(files.tifs, acquisition)
            ]
            _check_pages(corrected, raw)
            tifs += corrected
        return tuple(tifs)


def _preprocessed(folder: Path, names: Sequence[str]) -> dict[str, TifName]:
    """Return the files of the folder itself that end in ``_preproc``, with their names split."""
    names_split = {}
    for name in sorted(names):
        path = PurePosixPath(name)
        if "/" not in name and path.stem.endswith(_ENDING) and path.suffix.lower() in _TYPES:
            names_split[name] = split_tif_name(folder, name, _ENDING)
    return {name: split for name, split in names_split.items() if split is not None}


def _corrected(folder: Path, names: Sequence[str]) -> dict[str, TifName]:
    return {
        name: split
        for name, split in _preprocessed(folder, names).items()
        if PurePosixPath(name).suffix.lower() in TIF_SUFFIXES
    }


def _intermediate(path: PurePosixPath, timeseries_names: Sequence[str]) -> Used | Unknown:
    """Find the timeseries that an intermediate file is of, by its name; a longer name goes first."""
    if len(timeseries_names) == 1:
        return Used(INTERMEDIATE, "mixed", timeseries_names[0], 0)
    for name in timeseries_names:
        if path.stem == name or path.stem.startswith(f"{name}_"):
            return Used(INTERMEDIATE, "mixed", name, 0)
    reason = "its name begins with the name of no recording of the folder, which has several"
    return Unknown(reason if timeseries_names else "the folder has no raw tif", lacks_recording=True)


def _by_acquisition(tifs: dict[str, TifName]) -> dict[tuple[str, int], list[str]]:
    acquisitions: dict[tuple[str, int], list[str]] = {}
    for name in sorted(tifs):
        acquisitions.setdefault((tifs[name].timeseries_name, tifs[name].acquisition), []).append(name)
    return acquisitions


def _of_acquisition(files: Sequence[StackFile], acquisition: int) -> list[StackFile]:
    return [file for file in files if file.acquisition == acquisition]


def _check_raw(folder: Path, raw: dict[str, TifName], corrected: dict[str, TifName]) -> None:
    """Refuse a corrected tif without its raw ones, by a NamingError."""
    recorded = _by_acquisition(raw)
    for (name, acquisition), files in _by_acquisition(corrected).items():
        if (name, acquisition) not in recorded:
            raise NamingError(
                f"The raw tifs of acquisition {acquisition} of '{name}' are missing",
                path=folder / files[0],
                found="a corrected tif only",
                allowed=f"{name}_{acquisition:05d}_00001.tif and its like beside it",
                remedy="copy the raw tifs into the folder as well.",
            )


def _check_pages(corrected: Sequence[RecordedTif[Header]], raw: Sequence[ScanImageTif]) -> None:
    """Compare the numbers of pages of an acquisition, which the microscope splits and others may not."""
    num_corrected, num_raw = (sum(tif.num_pages for tif in tifs) for tifs in (corrected, raw))
    if num_corrected != num_raw:
        cut = [tif.path.name for tif in (*raw, *corrected) if tif.is_cut]
        said = f" (of {', '.join(cut)}, damaged, only the first pages)" if cut else ""
        raise FormatError(
            "A motion-corrected tif has another number of frames than the raw tifs of its acquisition",
            path=corrected[0].path,
            found=f"{num_corrected} pages{said}",
            allowed=f"{num_raw} pages, as in {', '.join(tif.path.name for tif in raw[:3])}",
            remedy="correct the motion of all raw frames anew, or copy the missing tifs.",
        )
