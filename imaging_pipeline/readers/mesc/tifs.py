"""Tifs that were exported from a ``.mesc`` file: bare pages, of which the ``.mesc`` says the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from imaging_pipeline import progress
from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.mesc.file import MescRecording
from imaging_pipeline.readers.tiff.recorded import RecordedTif, read_recorded_tif


@dataclass(frozen=True)
class ExportedHeader:
    """How the pages were taken: of one plane, all at one rate.

    Attributes
    ----------
    start
        When the measurement began, UTC.
    frame_rate_hz
        Frames of each channel a second.
    num_channels
        Channels in the tifs, which may be fewer than were recorded.
    """

    start: datetime
    frame_rate_hz: float
    num_channels: int = 1

    # No fields of the dataclass: the same in every export.
    num_planes = 1
    frames_per_slice = 1
    num_flyback_frames = 0
    frames_per_volume = 1

    @property
    def volume_rate_hz(self) -> float:
        """A volume is one frame."""
        return self.frame_rate_hz

    @property
    def pages_per_volume(self) -> int:
        """A page for each channel."""
        return self.num_channels


def read_exported_tifs(
    paths: Sequence[Path], recording: MescRecording
) -> tuple[RecordedTif[ExportedHeader], ...]:
    """Count the pages of a recording's tifs, and find out how many channels were exported.

    Raises
    ------
    NothingFoundError
        A tif is not there.
    FormatError
        A tif is truncated or none, or together they hold other frames than were recorded.
    """
    header = ExportedHeader(recording.start, 1000 / recording.frame_period_ms)
    tifs = []
    for number, path in enumerate(paths):
        progress.report("counting pages", number, len(paths))
        tifs.append(read_recorded_tif(path, lambda _: header))
    num_pages = sum(tif.num_pages for tif in tifs)
    num_channels, left_over = divmod(num_pages, recording.num_frames)
    if left_over or not 1 <= num_channels <= len(recording.channels):
        raise FormatError(
            f"The exported tifs do not hold the frames of {recording.unit}",
            path=paths[0].parent,
            found=f"{num_pages} pages in {len(tifs)} tifs",
            allowed=f"{recording.num_frames} pages for each channel, of 1 to {len(recording.channels)}",
            remedy="export all frames of the measurement, or copy the tifs that are missing.",
        )
    # The tifs do not say how many channels they hold: all pages had to be counted first.
    header = replace(header, num_channels=num_channels)
    return tuple(replace(tif, header=header) for tif in tifs)
