"""Recordings of chosen lengths, registered and imported as a laboratory does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from imaging_pipeline.demo.scanimage_file import write_stack
from imaging_pipeline.demo.scanimage_settings import ScanImageSettings
from imaging_pipeline.schemas import imaging
from tests.makers.folders import START, aged, write_suite2p
from tests.makers.lab import Lab, register
from tests.makers.suite2p_output import Suite2pSpec

HEIGHT, WIDTH = 48, 64
RATE_HZ = 10.0
# From the start of an acquisition to that of the next.
PAUSE_S = 600
IMPORTED = ("Tif", "ImagingAnalysis", "Projection", "Cell", "FilteredSpikes")

Key = dict[str, Any]


@dataclass(frozen=True)
class Recording:
    """A timeseries.

    Attributes
    ----------
    frames
        Frames of one channel in each file of each acquisition.
    settings
        Of its first acquisition.
    """

    name: str
    frames: Sequence[Sequence[int]]
    settings: ScanImageSettings = replace(ScanImageSettings(RATE_HZ), start=START)

    @property
    def tif_names(self) -> tuple[str, ...]:
        return tuple(
            f"{self.name}_{acquisition:05d}_{number:05d}.tif"
            for acquisition, files in enumerate(self.frames, 1)
            for number in range(1, len(files) + 1)
        )

    @property
    def num_frames(self) -> int:
        return sum(map(sum, self.frames))

    @property
    def volumes_per_tif(self) -> tuple[int, ...]:
        """Whole volumes that end in each file; what is left of the last is not counted."""
        counts = []
        for files in self.frames:
            ends = np.cumsum([0, *files]) // self.settings.frames_per_volume
            counts += np.diff(ends).tolist()
        return tuple(counts)


def counted_through(num_planes: int, *recordings: Recording) -> list[list[int]]:
    """Return the frames of each file for each plane, as a run by hand counts them through all files."""
    ends = np.cumsum([0, *(frames for each in recordings for files in each.frames for frames in files)])
    return [np.diff(-(-(ends - plane) // num_planes)).tolist() for plane in range(num_planes)]


OPEN_FIELD = Recording("90218-openfield", ((9, 5), (7,)))
OBJECT = Recording(
    "90218-object",
    ((13,),),
    replace(OPEN_FIELD.settings, start=START + timedelta(minutes=40), first_timestamp_s=0.25),
)


def write_recording(folder: Path, recording: Recording) -> tuple[Path, ...]:
    """Write the tifs of a recording, as if they had been copied long ago."""
    folder.mkdir(parents=True, exist_ok=True)
    names = iter(recording.tif_names)
    paths = []
    for number, files in enumerate(recording.frames):
        settings = started_again(recording.settings, number)
        for num_frames in files:
            path = folder / next(names)
            random = np.random.default_rng([*path.name.encode()])
            shape = (num_frames * len(settings.channels), HEIGHT, WIDTH)
            write_stack(path, random.integers(0, 3000, shape, np.int16), settings)
            paths.append(aged(path))
            settings = settings.after(num_frames)
    return tuple(paths)


def started_again(settings: ScanImageSettings, times: int) -> ScanImageSettings:
    """Return the settings of a later acquisition of the same name."""
    start: datetime = settings.start + timedelta(seconds=PAUSE_S * times)
    return replace(settings, start=start)


def write_outputs(lab: Lab, *recordings: Recording, combined_folder: bool = True, **spec: Any) -> Path:
    """Write a finished Suite2p output of the recordings of the only MetaSession; give its root.

    ``combined_folder`` tells whether several planes were merged.
    """
    place = imaging.MetaSession().fetch1("suite2p_folder")
    files = {
        "file_list": [name for each in recordings for name in each.tif_names],
        "frames_per_file": [count for each in recordings for count in each.volumes_per_tif],
    }
    root = lab.share / place / "fast" / "suite2p"
    return write_suite2p(root, Suite2pSpec(combined=combined_folder, **{**files, **spec}))


def import_all(lab: Lab, *recordings: Recording, combined: bool = False, **spec: Any) -> Path:
    """Register recordings and a finished output of theirs, import everything, and give the output's root."""
    root = register_all(lab, *recordings, combined=combined, **spec)
    populate(*IMPORTED)
    return root


def register_all(lab: Lab, *recordings: Recording, combined: bool = False, **spec: Any) -> Path:
    """Register recordings and a finished output of theirs, whose root is given."""
    folder = lab.share / "90218" / "2024-05-17"
    for recording in recordings:
        write_recording(folder, recording)
    register(lab, folder, combined=combined)
    root = write_outputs(lab, *recordings, **spec)
    register(lab, folder, combined=combined)
    return root


def populate(*names: str) -> None:
    for name in names:
        getattr(imaging, name).populate()


def session_key(recording: Recording) -> Key:
    """Return the key of a recording's only session."""
    session = imaging.Session & {"timeseries_name": recording.name}
    return dict(session.proj().fetch1())
