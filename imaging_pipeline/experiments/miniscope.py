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
    StackFile,
    StackFiles,
    Unknown,
    Used,
)
from imaging_pipeline.experiments.scanimage_names import TifName, check_tif_numbering, tif_names
from imaging_pipeline.readers.scanimage.frames import read_frame_range
from imaging_pipeline.readers.scanimage.session_times import read_session_times
from imaging_pipeline.readers.scanimage.stack import scanimage_stack
from imaging_pipeline.readers.scanimage.tif import ScanImageTif, fields_in_page, read_tif
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif
from imaging_pipeline.readers.tiff.stack import TifStack, check_same_rate, check_whole_frames


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

    def examine(self, path: Path, used: Used, *, pages_taken: int | None = None) -> Examined:
        """Check that a tif has its last page; return the start and the layout in its header, and its frames.

        Raises
        ------
        TruncatedError
            The tif's last page is not there.
        FormatError
            The file is no ScanImage tif, its header has no plausible time or other fields of view than
            its pages, or its first and last frame are not numbered in order.
        """
        if used.datasettype != TIF:
            return super().examine(path, used, pages_taken=pages_taken)
        tif = read_tif(path, pages_taken)
        header = tif.header
        left_out = f"a z-stack of {header.num_planes} slices, which is no time series"
        layout = f"{tif.layout}, fields: {len(fields)}" if (fields := fields_in_page(tif)) else tif.layout
        return Examined(
            header.start,
            layout,
            left_out if header.is_z_stack else "",
            frames=read_frame_range(tif),
            may_follow_a_gap=header.frame_clock != "none" and not header.is_volumetric,
        )

    def read_tifs(self, files: StackFiles) -> tuple[RecordedTif[Header], ...]:
        """Read the headers that ScanImage wrote into the tifs.

        Raises
        ------
        NothingFoundError, FormatError
            A file is gone, truncated, or no ScanImage tif.
        """
        return _scanimage_tifs(files.tifs)

    def read_stack(self, files: StackFiles) -> TifStack:
        """Read a mean image, and of raw tifs what ScanImage wrote of each frame as well.

        Raises
        ------
        NothingFoundError, FormatError
            A file is gone, truncated or no ScanImage tif, or the files were not recorded alike.
        """
        if files.datasettype != TIF:
            # Corrected frames have no numbers of their own: they stand for the raw ones, one by one.
            self.check_frames(files)
            return super().read_stack(files)
        tifs = _scanimage_tifs(files.tifs)
        check_whole_frames(tifs, files.acquisitions)
        return scanimage_stack(tifs, files.acquisitions, files.zone)

    def check_frames(self, files: StackFiles) -> None:
        """Check that the raw frames follow one another; corrected ones have the numbers of the raw ones.

        Raises
        ------
        NothingFoundError, FormatError
            As for `read_stack`; or frames of volumes are missing.
        """
        raw = files.primary
        read_session_times(_scanimage_tifs(raw), [file.acquisition for file in raw], files.zone)


def _scanimage_tifs(files: Sequence[StackFile]) -> tuple[ScanImageTif, ...]:
    tifs = []
    for number, file in enumerate(files):
        progress.report("reading headers", number, len(files))
        tifs.append(read_tif(file.path, file.pages_taken))
    check_same_rate(tifs)
    return tuple(tifs)


def _used_tif(tif: TifName) -> Used:
    # ScanImage numbers the files of an acquisition only where it splits them.
    return Used(TIF, "tif", tif.timeseries_name, tif.acquisition, tif.file_number or 1)
