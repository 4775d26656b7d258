"""Outputs of Suite2p whose numbers tell which region, frame and plane they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.altered.pages import Tif
from tests.altered.recordings import SCANIMAGE, Written
from tests.altered.recordings import draw as draw_recording
from tests.makers.suite2p_output import HEIGHT, WIDTH, Suite2pSpec, write_output

# Of a region in everything that is told of it: a thousand frames have room between two.
STEP = 1000
_QUANTITIES = {"F": 0.0, "Fneu": 0.25, "spks": 0.5}


@dataclass
class WrittenOutput:
    """An output of a recording.

    Attributes
    ----------
    recording
        The tifs.
    root
        Folder of the planes.
    generation, num_planes, has_combined
        How it was made.
    cells
        Regions that are cells, as they were last labelled.
    is_exact
        Whether all values in the files are still those that were written, so that they can be compared.
    """

    recording: Written
    root: Path
    generation: str
    num_planes: int
    has_combined: bool
    num_channels: int
    frames: tuple[int, ...]
    cells: set[int] = field(default_factory=set)
    regions: set[int] = field(default_factory=set)
    is_exact: bool = True

    @property
    def folders(self) -> list[Path]:
        """The folders that hold arrays."""
        names = [f"plane{number}" for number in range(self.num_planes)]
        return [self.root / name for name in (*names, *(["combined"] if self.has_combined else []))]

    @property
    def imported(self) -> list[Path]:
        """Those of which the cells are imported: what was merged, where planes were."""
        return self.folders[-1:] if self.has_combined else self.folders

    @property
    def num_frames(self) -> int:
        return sum(self.frames)


def draw(random: Random, folder: Path) -> WrittenOutput:
    """Write tifs of one session and a finished output of them."""
    recording = _recording(random)
    recording.write(folder)
    num_planes = recording.settings.num_planes
    generation = random.choice(("0.x", "1.x"))
    has_combined = num_planes > 1 and random.random() < 0.5
    frames = tuple(
        len(tif.frames) // len(recording.settings.channels) // num_planes for tif in recording.tifs.values()
    )
    written = WrittenOutput(
        recording,
        folder / "suite2p",
        generation,
        num_planes,
        has_combined,
        random.choice((1, 2)),
        frames,
    )
    spec = Suite2pSpec(
        generation,  # type: ignore[arg-type]
        num_planes=num_planes,
        combined=has_combined,
        num_rois=random.randint(2, 5),
        file_list=list(recording.tifs),
        frames_per_file=frames,
        num_channels=written.num_channels,
    )
    write_output(written.root, spec)
    for plane in range(num_planes):
        _tell_regions(random, written, written.root / f"plane{plane}", spec.num_rois, plane)
    if has_combined:
        _tell_combined(written)
    return written


def _recording(random: Random) -> Written:
    """Return tifs of whole volumes, whose frames no plane has more of than another."""
    written = draw_recording(random, SCANIMAGE)
    while written.generation is None or written.generation.name != "2022" or written.settings.flyback_frames:
        written = draw_recording(random, SCANIMAGE)
    session = min(written.starts)
    pages = written.settings.num_planes * len(written.settings.channels)
    own = {name: tif for name, tif in written.tifs.items() if tif.frames[0].session == session}
    written.tifs = {}
    for number, tif in enumerate([tif for tif in own.values() if tif.frames[0].acquisition == 1], 1):
        whole = len(tif.frames) // pages * pages
        written.tifs[f"{session}_00001_{number:05d}.tif"] = tif.with_frames(tif.frames[:whole])
    _number_anew(written)
    return written


def _number_anew(written: Written) -> None:
    number, channels = 0, len(written.settings.channels)
    for name, tif in written.tifs.items():
        frames = []
        for index, frame in enumerate(tif.frames):
            number += index % channels == 0
            time_s = (number - 1) / written.settings.frame_rate_hz
            frames.append(replace(frame, number=number, time_s=time_s))
        written.tifs[name] = Tif(tif.generation, tif.settings, tuple(frames), (HEIGHT, WIDTH))


def traces_of(regions: Sequence[int], num_frames: int, quantity: str) -> NDArray[np.float32]:
    """Return traces, float32 (regions, frames): a region's number, and the frame's in what lies between."""
    numbers = np.asarray(regions, np.float64)[:, None] * STEP + np.arange(num_frames)[None]
    return (numbers + _QUANTITIES[quantity]).astype(np.float32)


def region_in(row: NDArray[np.float32], first_frame: int, quantity: str) -> int | None:
    """Return the region that a trace tells; None where a value is of another region, frame or quantity."""
    numbers = row.astype(np.float64) - _QUANTITIES[quantity] - first_frame - np.arange(len(row))
    region = numbers[0] / STEP if len(numbers) else np.nan
    is_one = np.array_equal(numbers, np.full(len(numbers), numbers[0])) and float(region).is_integer()
    return int(region) if is_one else None


def _tell_regions(random: Random, written: WrittenOutput, folder: Path, num_rois: int, plane: int) -> None:
    regions = [plane * 10 + number + 1 for number in range(num_rois)]
    written.regions |= set(regions)
    for quantity in _QUANTITIES:
        np.save(folder / f"{quantity}.npy", traces_of(regions, written.num_frames, quantity))
    if written.num_channels == 2:
        np.save(folder / "F_chan2.npy", traces_of(regions, written.num_frames, "F"))
        np.save(folder / "Fneu_chan2.npy", traces_of(regions, written.num_frames, "Fneu"))
        np.save(folder / "redcell.npy", np.column_stack([np.zeros(num_rois), _probability(regions)]))
    labels = [random.random() < 0.7 for _ in regions]
    written.cells |= {region for region, is_cell in zip(regions, labels, strict=True) if is_cell}
    np.save(folder / "iscell.npy", np.column_stack([np.array(labels, float), _probability(regions)]))
    stat = np.load(folder / "stat.npy", allow_pickle=True)
    for one, region in zip(stat, regions, strict=True):
        one["mrs"] = float(region)
    np.save(folder / "stat.npy", stat)
    # 1.x writes its results twice.
    for name in ("ops.npy", "reg_outputs.npy"):
        if not (folder / name).exists():
            continue
        described = np.load(folder / name, allow_pickle=True).item()
        described["xoff"] = (plane * STEP + np.arange(written.num_frames)).astype(described["xoff"].dtype)
        described["yoff"] = -described["xoff"]
        np.save(folder / name, described)


def _tell_combined(written: WrittenOutput) -> None:
    """Let what was merged be what the planes have, one below the other."""
    combined = written.root / "combined"
    planes = [written.root / f"plane{number}" for number in range(written.num_planes)]
    for path in sorted(combined.glob("*.npy")):
        if path.name in ("F.npy", "Fneu.npy", "spks.npy", "iscell.npy", "redcell.npy"):
            np.save(path, np.concatenate([np.load(plane / path.name) for plane in planes]))
    stat = np.load(combined / "stat.npy", allow_pickle=True)
    numbers = [one["mrs"] for plane in planes for one in np.load(plane / "stat.npy", allow_pickle=True)]
    for one, number in zip(stat, numbers, strict=True):
        one["mrs"] = number
    np.save(combined / "stat.npy", stat)


def _probability(regions: Sequence[int]) -> NDArray[np.float64]:
    return np.asarray(regions, float) / STEP


def load(path: Path) -> Any:
    return np.load(path, allow_pickle=True)
