"""2Pminiscope_A: ScanImage stacks with Wavesurfer, tracking, wheel and video beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from imaging_pipeline import progress
from imaging_pipeline.experiments.companions import Companions
from imaging_pipeline.experiments.dataset_types import TIF
from imaging_pipeline.experiments.deeplabcut import named_as, recognise_deeplabcut
from imaging_pipeline.experiments.recognised import (
    Examined,
    ExperimentType,
    Ignored,
    Recognised,
    StackFiles,
    Unknown,
    Used,
)
from imaging_pipeline.experiments.scanimage_names import TifName, check_tif_numbering, tif_names
from imaging_pipeline.readers.scanimage.frames import scanimage_stack
from imaging_pipeline.readers.scanimage.tif import ScanImageTif, fields_in_page, read_tif
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif
from imaging_pipeline.readers.tiff.stack import TifStack


class Miniscope(ExperimentType):
    """A folder of a two-photon miniscope: every timeseries name is one session."""

    name = "2Pminiscope_A"
    primary = TIF
    analysed = TIF

    def recognise(self, folder: Path, names: Sequence[str]) -> tuple[Recognised, ...]:
        """Return what each file is.

        Raises
        ------
        NamingError
            A tif's name can be taken apart in more than one way.
        """
        tifs = tif_names(folder, names)
        poses = recognise_deeplabcut(names, named_as({tif.timeseries_name for tif in tifs.values()}))
        companions = Companions({(tif.timeseries_name, tif.acquisition) for tif in tifs.values()})
        recognised = []
        for name in sorted(names):
            verdict: Used | Ignored | Unknown
            if name in tifs:
                verdict = _used_tif(tifs[name])
            elif name in poses:
                verdict = poses[name]
            else:
                verdict = companions.recognise(name)
            recognised.append(Recognised(name, verdict))
        return tuple(recognised)

    def check_numbering(self, folder: Path, names: Sequence[str]) -> None:
        """Refuse acquisitions and split files that are missing between others.

        Raises
        ------
        NamingError
            Files are missing, or two files have the same numbers.
        """
        check_tif_numbering(folder, tif_names(folder, names))

    def examine(self, path: Path, used: Used) -> Examined:
        """Check that a tif has its last page, and return the start and the layout in its header.

        Raises
        ------
        TruncatedError
            The tif's last page is not there.
        FormatError
            The file is no ScanImage tif, or its header has no plausible time or other fields of view than
            its pages.
        """
        if used.datasettype != TIF:
            return super().examine(path, used)
        tif = read_tif(path)
        header = tif.header
        left_out = f"a z-stack of {header.num_planes} slices, which is no time series"
        layout = f"{tif.layout}, fields: {len(fields)}" if (fields := fields_in_page(tif)) else tif.layout
        return Examined(header.start, layout, left_out if header.is_z_stack else "")

    def read_tifs(self, files: StackFiles) -> tuple[RecordedTif[Header], ...]:
        """Read the headers that ScanImage wrote into the tifs.

        Raises
        ------
        NothingFoundError, FormatError
            A file is gone, truncated, or no ScanImage tif.
        """
        return _scanimage_tifs(files)

    def read_stack(self, files: StackFiles) -> TifStack:
        """Read a mean image, and of raw tifs what ScanImage wrote of each frame as well.

        Raises
        ------
        NothingFoundError, FormatError
            A file is gone, truncated or no ScanImage tif, or the files were not recorded alike.
        """
        if files.datasettype != TIF:
            return super().read_stack(files)
        return scanimage_stack(_scanimage_tifs(files))


def _scanimage_tifs(files: StackFiles) -> tuple[ScanImageTif, ...]:
    tifs = []
    for number, file in enumerate(files.tifs):
        progress.report("reading headers", number, len(files.tifs))
        tifs.append(read_tif(file.path))
    return tuple(tifs)


def _used_tif(tif: TifName) -> Used:
    # ScanImage numbers the files of an acquisition only where it splits them.
    return Used(TIF, "tif", tif.timeseries_name, tif.acquisition, tif.file_number or 1)
