"""What a lab's own programs leave beside the tifs of a miniscope: corrected movies, tracking, poses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile

from tests.makers.folders import aged, write_file
from tests.makers.recordings import Recording

TRACKING = """Camera type,Camera 1
Width (px),500
Height (px),500
Frame rate (fps),10
Exposure (us),4000
Gain,1
Red in left?,1
Scale (mm/pixel),2.5
Start timestamp,2024-05-17_14:03:09.2500
Frame,R_X,R_Y,B_X,B_Y,R_OK,B_OK
0,10,20,30,40,1,1
"""


def write_preprocessed(folder: Path, recording: Recording) -> tuple[Path, ...]:
    """Write the corrected movie of each acquisition, as one tif without ScanImage's header, and its tracking.

    The raw tifs must be there. Give the corrected tifs.
    """
    names = iter(recording.tif_names)
    written = []
    for acquisition, files in enumerate(recording.frames, 1):
        raw = np.concatenate([tifffile.imread(folder / next(names), is_scanimage=False) for _ in files])
        written.append(write_corrected(folder, recording.name, acquisition, np.roll(raw, 1, axis=2)))
        write_file(folder / f"{recording.name}_{acquisition:05d}_preproc.csv", TRACKING.encode())
    return tuple(written)


def write_corrected(folder: Path, name: str, acquisition: int, pages: np.ndarray) -> Path:
    """Write a corrected movie of these pages, (pages, height, width)."""
    path = folder / f"{name}_{acquisition:05d}_preproc.tif"
    tifffile.imwrite(path, pages, photometric="minisblack")
    return aged(path)


# What stands behind the video and the network in the names of files that DeepLabCut writes.
POSES = (".h5", "_meta.pickle")
# By `filterpredictions`, with tables of text beside.
FILTERED_POSES = (*POSES, ".csv", "_filtered.h5", "_filtered.csv")
# Of several animals, followed by ellipses.
MULTI_ANIMAL_POSES = ("_full.pickle", "_meta.pickle", "_assemblies.pickle", "_el.pickle", "_el.h5", "_el.csv")


def write_poses(
    folder: Path, name: str, videos: Sequence[str] = ("v1", "v2"), endings: Sequence[str] = POSES
) -> Path:
    """Write a folder of DeepLabCut of some videos; only names and bytes matter for a plan."""
    poses = folder / f"dlc_{name}"
    write_file(poses / "config.yaml", b"Task: openfield\n")
    for video in videos:
        contents = {".h5": f"\x89HDF {video}", "_meta.pickle": f"meta of {video}"}
        for ending in endings:
            content = contents.get(ending, f"{ending} of {video}")
            write_file(poses / f"{video}DLC_resnet50{ending}", content.encode("latin-1"))
    return poses
