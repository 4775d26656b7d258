"""Recording folders as the two-photon miniscope's computer leaves them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from imaging_pipeline.demo.scanimage_file import write_stack
from imaging_pipeline.demo.scanimage_settings import ScanImageSettings
from tests.makers.suite2p_output import Suite2pSpec, write_output

START = datetime(2024, 5, 17, 14, 3, 9, 250_000)
COPIED = datetime(2024, 5, 18, 9, 0, 0, 123_456, tzinfo=UTC)
HEIGHT, WIDTH, PAGES = 48, 64, 4

WHEEL_HEADER = """Rotary encoder and motor control
setup: room 1
Samping rate: 50 sps
14-03-09_05-17-2024
timestamp,position,interrupt,position_at_interrupt,motor_enable
"""
TRACKING_HEADER = """Camera: 1
Tracking height (px): 500 | Tracking width (px): 500
First frame system timestamp:  2024-5-17_14-3-9
frame,cam_timestamp,sys_timestamp,green_x,green_y,red_x,red_y
"""


@dataclass(frozen=True)
class Timeseries:
    """An activity of the animal: how often it was started, and in how many files each time."""

    name: str
    start: datetime = START
    files: Sequence[int] = (1,)
    first_acquisition: int = 1
    is_split: bool = True
    has_companions: bool = False

    @property
    def tif_names(self) -> tuple[str, ...]:
        return tuple(
            f"{self.name}_{acquisition:05d}_{number:05d}.tif"
            if self.is_split
            else f"{self.name}_{acquisition:05d}.tif"
            for acquisition, count in enumerate(self.files, self.first_acquisition)
            for number in range(1, count + 1)
        )


OPEN_FIELD = Timeseries("90218-openfield1m", files=(2, 1), has_companions=True)
WHEEL = Timeseries("90218-wheel", START + timedelta(minutes=40), has_companions=True)


def write_folder(folder: Path, *timeseries: Timeseries) -> Path:
    """Write recordings into a folder, which is given back, as if they had been copied long ago."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in timeseries:
        write_timeseries(folder, each)
    return folder


def write_timeseries(folder: Path, timeseries: Timeseries) -> None:
    for acquisition, count in enumerate(timeseries.files, timeseries.first_acquisition):
        start = timeseries.start + timedelta(minutes=10 * (acquisition - 1))
        for number in range(1, count + 1):
            counter = f"_{number:05d}" if timeseries.is_split else ""
            path = folder / f"{timeseries.name}_{acquisition:05d}{counter}.tif"
            write_tif(path, start, seed=1000 * acquisition + number, frames_before=PAGES * (number - 1))
        if timeseries.has_companions:
            write_companions(folder, timeseries.name, acquisition)


def write_tif(path: Path, start: datetime = START, seed: int = 0, frames_before: int = 0) -> Path:
    """Write a small stack whose header says when it was started.

    Parameters
    ----------
    path, start, seed
        Where it lies, when it was started, and which pages it gets.
    frames_before
        Frames of its acquisition in the files before.
    """
    return write_pages(path, (PAGES, HEIGHT, WIDTH), np.int16, start, seed, frames_before)


def write_unlike_tif(path: Path, start: datetime = START) -> Path:
    """Write a stack of the same size whose pixels are of another type."""
    return write_pages(path, (PAGES, HEIGHT, WIDTH), np.uint16, start)


def write_pages(
    path: Path,
    shape: tuple[int, int, int],
    dtype: type = np.int16,
    start: datetime = START,
    seed: int = 0,
    frames_before: int = 0,
) -> Path:
    """Write a stack of any shape (pages, height, width) and type."""
    random = np.random.default_rng([seed, int(start.timestamp())])
    pages = random.integers(1, 3000, shape, dtype)
    settings = replace(ScanImageSettings(frame_rate_hz=30.0), start=start)
    write_stack(path, pages, settings.after(frames_before))
    return aged(path)


def write_companions(folder: Path, name: str, acquisition: int) -> None:
    """Write what lies beside one acquisition; only names and bytes matter for a plan."""
    seed = bytes(f"{name} {acquisition}", "utf-8")
    contents = {
        f"{name}_{acquisition:04d}.h5": b"\x89HDF\r\n\x1a\n" + seed,
        f"{name}_{acquisition:04d}.csv": TRACKING_HEADER.encode() + b"0,1,1,10,20,30,40\n" + seed,
        f"{name}_{acquisition:04d}_WHEEL.csv": WHEEL_HEADER.encode()
        + b"2024-05-17_14:03:09.1,0,0,0,0\n"
        + seed,
        f"{name}_{acquisition:04d}.avi": b"RIFF\x00\x00\x00\x00AVI " + seed,
    }
    for file_name, content in contents.items():
        write_file(folder / file_name, content)


def write_file(path: Path, content: bytes = b"content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return aged(path)


@contextmanager
def deep_folders(folder: Path, num_levels: int) -> Iterator[Path]:
    """Make folders within each other, with a file in the deepest; give the first, and remove all at the end.

    A program that copies a folder into itself leaves such a tree. Its paths are longer than the system takes
    at once, so that each level is made from the one above.
    """
    folder.mkdir(parents=True, exist_ok=True)
    levels = [os.open(folder, os.O_RDONLY)]
    try:
        for _ in range(num_levels):
            os.mkdir("d", dir_fd=levels[-1])
            levels.append(os.open("d", os.O_RDONLY, dir_fd=levels[-1]))
        os.close(os.open("a.tif", os.O_CREAT | os.O_WRONLY, dir_fd=levels[-1]))
        yield folder
        os.unlink("a.tif", dir_fd=levels[-1])
    finally:
        while len(levels) > 1:
            os.close(levels.pop())
            os.rmdir("d", dir_fd=levels[-1])
        os.close(levels.pop())


def write_suite2p(root: Path, spec: Suite2pSpec) -> Path:
    """Write a Suite2p output that was finished long ago."""
    write_output(root, spec)
    for path in root.rglob("*"):
        aged(path)
    return root


def aged(path: Path, copied: datetime = COPIED) -> Path:
    """Set a file's time to when it was copied."""
    os.utime(path, (copied.timestamp(), copied.timestamp()))
    return path
