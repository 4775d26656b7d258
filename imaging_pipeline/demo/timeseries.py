"""Writes the files of one timeseries, as microscope and camera do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline import progress
from imaging_pipeline.demo.led_file import write_led_file
from imaging_pipeline.demo.scanimage_file import ScanImageSettings, write_acquisition
from imaging_pipeline.demo.truth import Truth

PAUSE_BETWEEN_ACQUISITIONS = timedelta(seconds=20)

FRAMES_PER_REPORT = 100

Frames = Iterator[NDArray[np.int16]]


@dataclass(frozen=True)
class Layout:
    """Length and files of a timeseries.

    Attributes
    ----------
    name
        The timeseries name, with which its files begin.
    start
        Local wall time of its first frame.
    frames_per_acquisition
        Frames of each acquisition.
    frames_per_file
        Frames after which the microscope opens the next file.
    """

    name: str
    start: datetime
    frames_per_acquisition: tuple[int, ...]
    frames_per_file: int

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return sum(self.frames_per_acquisition)


@dataclass(frozen=True)
class Timeseries:
    """A timeseries that was written.

    Attributes
    ----------
    name
        The timeseries name.
    start
        Local wall time of its first frame.
    tifs
        Its files in the order of acquisition.
    frames_per_tif
        Frames of each file.
    tracking
        Its tracking files, one for each acquisition.
    truth
        Truth of the movie; None for a person's own movie.
    """

    name: str
    start: datetime
    tifs: tuple[Path, ...]
    frames_per_tif: tuple[int, ...]
    tracking: tuple[Path, ...]
    truth: Truth | None

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return sum(self.frames_per_tif)


def write_timeseries(
    folder: Path, layout: Layout, frames: Frames, frame_rate_hz: float, truth: Truth | None
) -> Timeseries:
    """Write the tifs and tracking files of ``frames``, int16 (height, width), into ``folder``.

    The files have the time of the end of the recording, as those of a copied recording do.
    """
    pages = _with_progress(frames, layout)
    start = layout.start
    tifs: list[Path] = []
    tracking: list[Path] = []
    for number, num_frames in enumerate(layout.frames_per_acquisition, start=1):
        # As if ScanImage was started anew each time: frames are numbered from 1 and timed from 0 again.
        settings = ScanImageSettings(frame_rate_hz, start=start)
        duration = timedelta(seconds=num_frames / frame_rate_hz)
        files = write_acquisition(
            folder, layout.name, number, islice(pages, num_frames), settings, layout.frames_per_file
        )
        led_file = folder / f"{layout.name}_{number:04d}.csv"
        write_led_file(led_file, start, duration.total_seconds(), seed=number)
        date_files((*files, led_file), start + duration)
        tifs.extend(files)
        tracking.append(led_file)
        start += duration + PAUSE_BETWEEN_ACQUISITIONS
    frames_per_tif = _frames_per_tif(layout)
    return Timeseries(layout.name, layout.start, tuple(tifs), frames_per_tif, tuple(tracking), truth)


def date_files(files: tuple[Path, ...], when: datetime) -> None:
    """Set the modification time of files to a local wall time."""
    for file in files:
        os.utime(file, (when.timestamp(), when.timestamp()))


def _frames_per_tif(layout: Layout) -> tuple[int, ...]:
    return tuple(
        min(layout.frames_per_file, num_frames - first)
        for num_frames in layout.frames_per_acquisition
        for first in range(0, num_frames, layout.frames_per_file)
    )


def _with_progress(frames: Frames, layout: Layout) -> Frames:
    for number, frame in enumerate(frames):
        if number % FRAMES_PER_REPORT == 0:
            progress.report(f"writing {layout.name}", number, layout.num_frames)
        yield frame
