"""The recording folders of the dump, and what people do to them between two registrations."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from imaging_pipeline.demo.field_of_view import FieldSettings
from imaging_pipeline.demo.scanimage_file import ScanImageWriter, write_stack
from imaging_pipeline.demo.share import write_synthetic_share
from imaging_pipeline.demo.timeseries import Layout
from imaging_pipeline.readers.npy.file import load_npy
from tests.makers import folders, plain_tifs
from tests.makers.femtonics import FIRST, SECOND, write_femtonics
from tests.makers.folders import COPIED, START, aged, write_companions, write_suite2p
from tests.makers.mesc import FRAMES
from tests.makers.preprocessed import write_poses, write_preprocessed
from tests.makers.recordings import OBJECT, OPEN_FIELD, Recording, write_recording
from tests.makers.scanimage import SETTINGS, blank_end
from tests.makers.scanimage_fields import Field, write_fields_tif
from tests.makers.suite2p_matlab import MatlabSpec, write_curated, write_result
from tests.makers.suite2p_output import Suite2pSpec, curate

DEMO = "90218/2026-03-14"
MINISCOPE = "2Pminiscope_A"
LAYOUTS = (
    Layout("90218-openfield", datetime(2026, 3, 14, 10, 12, 5, 250_000), (100, 80), 100),
    Layout("90218-object", datetime(2026, 3, 14, 10, 41, 37, 500_000), (120,), 1000),
)

Place = Callable[[str], Path]
"""From a folder of the share to where Suite2p's outputs of its MetaSession lie."""


@dataclass(frozen=True)
class Folder:
    """A recording folder of the share.

    Attributes
    ----------
    path
        Below the share.
    recordings
        Its recordings, where makers write them as such.
    spec
        Of the Suite2p output that a person made; None where there is none.
    inputs
        Of the request, where they differ from those of most.
    """

    path: str
    recordings: tuple[Recording, ...] = ()
    spec: dict[str, Any] | None = None
    inputs: dict[str, Any] = field(default_factory=dict)


def _at(day: int, *recordings: Recording, **settings: Any) -> tuple[Recording, ...]:
    """Return the recordings on a day of their own: equal starts would make them one session."""
    return tuple(
        replace(
            each,
            settings=replace(each.settings, start=each.settings.start + timedelta(days=day), **settings),
        )
        for each in recordings
    )


SPLIT = {"combined": False}
TWO = (OPEN_FIELD, OBJECT)
LONG = Recording("90218-openfield", ((24,),))
OLD = {"generation": "0.x", "nonrigid": True}
CORRECTED = tuple(f"90218-openfield_{acquisition:05d}_preproc.tif" for acquisition in (1, 2))
VOLUMES = {"num_planes": 3, "flyback_frames": 1}

FOLDERS = {
    "curated": Folder("90218/curated", _at(1, *TWO), {}),
    "single": Folder("90218/single", _at(2, *TWO), {}, SPLIT),
    "planes": Folder(
        "90218/planes",
        _at(3, Recording("90218-openfield", ((24,),)), num_planes=3, channels=(1, 2)),
        {"num_planes": 3, "num_channels": 2},
    ),
    "older": Folder("90218/older", _at(4, OBJECT), OLD, {"ops_name": "mouse_0x"}),
    "merged": Folder("90218/merged", _at(5, OBJECT), OLD | {"num_rois": 6}),
    "nan": Folder("90218/nan", _at(6, OBJECT), {}),
    "flyback": Folder(
        "90218/flyback",
        _at(7, LONG, **VOLUMES),
        OLD | {"num_planes": 4, "flyback_planes": (3,), "settings": {"do_registration": 2}},
    ),
    "gap": Folder("90218/gap", _at(8, LONG, num_planes=2), {"num_planes": 2}),
    "half": Folder("90218/half", _at(9, Recording("90218-openfield", ((14, 14),)), channels=(1, 2)), {}),
    "retired": Folder("90218/retired", _at(10, OBJECT), {}),
    "matlab": Folder("90218/matlab", _at(11, *TWO)),
    "matlab_curated": Folder("90218/matlab_curated", _at(12, OBJECT), None, SPLIT),
    "preprocessed": Folder(
        "90218/preprocessed",
        _at(13, OPEN_FIELD),
        {"file_list": CORRECTED, "frames_per_file": (14, 7)},
        {"experiment_type": f"{MINISCOPE} preprocessed"},
    ),
    "fields": Folder("90218/fields"),
    "poses": Folder("90218/poses", _at(14, OPEN_FIELD), {}),
    "broken": Folder("90218/broken", _at(15, OPEN_FIELD)),
    "mended": Folder("90218/mended", _at(19, OPEN_FIELD)),
    "copying": Folder("90218/copying", _at(16, OBJECT)),
    "femtonics": Folder("90218/femtonics", (), None, SPLIT | {"experiment_type": "femtonics"}),
    "plain": Folder("90218/plain", (), None, SPLIT | {"experiment_type": "plain tifs"}),
    "imagej": Folder("90218/imagej", (), None, SPLIT | {"experiment_type": "plain tifs"}),
    "awaited": Folder("90300/day1", _at(17, OBJECT), None, {"animal": "90300"}),
    "withdrawn": Folder("90301/day1", _at(18, OBJECT), None, {"animal": "90310"}),
}


class _GapWriter(ScanImageWriter):
    """Write a recording of which the microscope lost a frame."""

    def _frame_lines(self, frame: int) -> str:
        return super()._frame_lines(frame + (frame >= 9))


def write_recordings(share: Path) -> None:
    """Write all folders as they are before anything is registered."""
    write_synthetic_share(share, 0, FieldSettings(64, 64, 6), layouts=LAYOUTS)
    for name, folder in FOLDERS.items():
        for recording in folder.recordings:
            write_recording(share / folder.path, recording)
        _BESIDE.get(name, _nothing)(share / folder.path)


def write_outputs(place: Place) -> None:
    """Write the Suite2p outputs that people made of what is registered."""
    for name, folder in FOLDERS.items():
        if folder.spec is None:
            continue
        combined = folder.inputs.get("combined", True)
        for recordings in [folder.recordings] if combined else [(each,) for each in folder.recordings]:
            key = folder.path if combined else f"{folder.path} {recordings[0].name}"
            output = place(key) / folder.inputs.get("ops_name", "fast")
            root = _write_output(output, recordings, folder.spec)
            _SPOILT.get(name, _nothing)(root)
    for unit in (FIRST, SECOND):
        root = place(f"{FOLDERS['femtonics'].path} 90218_MUnit_{unit.number}") / "fast" / "suite2p"
        names = [f"MUnit_{unit.number}_{file:05d}.tif" for file in (1, 2)]
        write_suite2p(root, Suite2pSpec(file_list=names, frames_per_file=(FRAMES // 2,) * 2))
    plain = place(f"{FOLDERS['plain'].path} {plain_tifs.SAID['timeseries_name']}")
    spec = Suite2pSpec(file_list=("movie_1.tif", "movie_2.tif"), frames_per_file=(8, 5))
    write_suite2p(plain / "fast" / "suite2p", spec)


def cut_short(share: Path) -> None:
    """Cut the end off two tifs that are registered."""
    for name in ("broken", "mended"):
        path = share / FOLDERS[name].path / FOLDERS[name].recordings[0].tif_names[0]
        path.write_bytes(path.read_bytes()[:-100])
        aged(path, COPIED + timedelta(hours=1))


def mend(share: Path) -> None:
    """Copy one of the two again."""
    write_recording(share / FOLDERS["mended"].path, *FOLDERS["mended"].recordings)


def still_copy(share: Path) -> None:
    """Leave a tif as it is while Windows copies it."""
    blank_end(share / FOLDERS["copying"].path / FOLDERS["copying"].recordings[0].tif_names[0], 400)


def change_cells(place: Place) -> None:
    """Choose other cells in an output that is imported."""
    plane = place(FOLDERS["curated"].path) / "fast" / "suite2p" / "plane0"
    curate(plane, (True, False, True, True, False))
    aged(plane / "iscell.npy", COPIED + timedelta(days=1))


def _write_output(output: Path, recordings: tuple[Recording, ...], spec: dict[str, Any]) -> Path:
    found = {
        "file_list": [name for each in recordings for name in each.tif_names],
        "frames_per_file": [count for each in recordings for count in each.volumes_per_tif],
    }
    return write_suite2p(output / "suite2p", Suite2pSpec(**{**found, **spec}))


def _nothing(_path: Path) -> None:
    pass


# What lies beside recordings, or in their stead.


def _companions(folder: Path) -> None:
    for acquisition in (1, 2):
        write_companions(folder, OPEN_FIELD.name, acquisition)


def _poses(folder: Path) -> None:
    _companions(folder)
    write_poses(folder, OPEN_FIELD.name)


def _matlab(folder: Path) -> None:
    recordings = FOLDERS["matlab"].recordings
    spec = MatlabSpec(
        tifs=[each.tif_names for each in recordings],
        frames=[each.num_frames for each in recordings],
        is_cell=(True, False, True, True, False),
    )
    write_result(folder / "Plane 1", spec)


def _matlab_curated(folder: Path) -> None:
    (recording,) = FOLDERS["matlab_curated"].recordings
    spec = MatlabSpec(
        tifs=[recording.tif_names],
        frames=[recording.num_frames],
        is_cell=(True, True, False, True, False),
        container="v7",
        has_red=True,
        num_blocks=4,
    )
    write_curated(folder / "Plane 1", spec)


def _preprocessed(folder: Path) -> None:
    (recording,) = FOLDERS["preprocessed"].recordings
    write_preprocessed(folder, recording)
    folders.write_file(folder / "preprocessed" / "shifts.npz")
    write_poses(folder, recording.name)


def _plain(folder: Path) -> None:
    plain_tifs.write_plain_tifs(folder)


def _imagej(folder: Path) -> None:
    """Write a stack as ImageJ does: one page that says how many frames follow it."""
    folder.mkdir(parents=True)
    movie = np.random.default_rng(1).integers(1, 3000, (20, 12, 16), np.uint16)
    tifffile.imwrite(folder / "movie_1.tif", movie, imagej=True, truncate=True)
    aged(folder / "movie_1.tif")
    start = (START + timedelta(days=30)).isoformat()
    plain_tifs.write_session_json(folder, timeseries_name="90218-imagej", start=start)


def _fields(folder: Path) -> None:
    """Write pages that hold two fields of view."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(20)
    frames = [
        [random.integers(0, 3000, (height, 16), np.int16) for height in (12, 10)] for _ in range(FRAMES)
    ]
    path = folder / "90218-openfield_00001_00001.tif"
    settings = replace(SETTINGS, start=START + timedelta(days=20))
    aged(write_fields_tif(path, [Field(12, 16), Field(10, 16, top=30)], frames, settings))


def _gap(folder: Path) -> None:
    (recording,) = FOLDERS["gap"].recordings
    path = folder / recording.tif_names[0]
    pages = np.random.default_rng(8).integers(0, 3000, (24, 10, 14), np.int16)
    with _GapWriter(path, recording.settings) as writer:
        for page in pages:
            writer.write_page(page)
    aged(path)


def _half(folder: Path) -> None:
    """Write files of 29 pages of two channels: the first ends amid a frame."""
    (recording,) = FOLDERS["half"].recordings
    settings = recording.settings
    for name in recording.tif_names:
        pages = np.random.default_rng([*name.encode()]).integers(0, 3000, (29, 10, 14), np.int16)
        write_stack(folder / name, pages, settings)
        aged(folder / name)
        settings = settings.after(14)


_BESIDE: dict[str, Callable[[Path], None]] = {
    "poses": _poses,
    "matlab": _matlab,
    "matlab_curated": _matlab_curated,
    "preprocessed": _preprocessed,
    "femtonics": lambda folder: None if write_femtonics(folder) else None,
    "plain": _plain,
    "imagej": _imagej,
    "fields": _fields,
    "gap": _gap,
    "half": _half,
}


# What is wrong with an output that this version imports.


def _merge(root: Path) -> None:
    """Merge two regions into a third and leave them marked as cells, as the window of 0.x does."""
    path = root / "plane0" / "stat.npy"
    stat = load_npy(path)
    for region in stat:
        region["inmerge"] = 0
    stat[0]["inmerge"] = stat[1]["inmerge"] = 5
    stat[5] |= {"inmerge": -1, "imerge": [0, 1]}
    np.save(path, stat)
    aged(path)


def _not_a_number(root: Path) -> None:
    labels, spikes = (np.load(root / "plane0" / name) for name in ("iscell.npy", "spks.npy"))
    labels[2, 0] = np.nan
    spikes[1, 3:6] = np.nan
    for name, array in (("iscell.npy", labels), ("spks.npy", spikes)):
        np.save(root / "plane0" / name, array)
        aged(root / "plane0" / name)


def _without_flyback(root: Path) -> None:
    shutil.rmtree(root / "plane3")


_SPOILT: dict[str, Callable[[Path], None]] = {
    "merged": _merge,
    "nan": _not_a_number,
    "flyback": _without_flyback,
}
