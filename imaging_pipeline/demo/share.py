"""A small lab share: one recording folder as an experimenter leaves it.

Two timeseries of one field of view and of unequal length; the first was stopped and started again
(two acquisitions), and the microscope split its files. Beside the tifs lie the tracking files, one
for each acquisition, and notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

import numpy as np

from imaging_pipeline.demo.field_of_view import FieldSettings, make_field
from imaging_pipeline.demo.movie import Movie, MovieSettings, make_movie
from imaging_pipeline.demo.timeseries import Layout, Timeseries, date_files, write_timeseries
from imaging_pipeline.demo.truth import Truth
from imaging_pipeline.demo.user_movie import UserMovie
from imaging_pipeline.errors import InputError

SEED = 0
"""Not chosen for its result: with seeds 0 to 15, the demo's options and Suite2p 1.1.0, recall and
precision were 0.9 or more on both timeseries and on both together."""

FOLDER = Path("90218", "2026-03-14")
# Name, start, frames of each acquisition, frames of a file: the first has 700 and 500 frames in 2 + 2 files.
LAYOUTS = (
    Layout("90218-openfield", datetime(2026, 3, 14, 10, 12, 5, 250_000), (700, 500), 400),
    Layout("90218-object", datetime(2026, 3, 14, 10, 41, 37, 500_000), (900,), 1000),
)
NOTES = """\
90218, 14 March 2026
Field of view as on the 12th, laser at 8 %.
openfield: commutator stuck, stopped after the first part and started again.
object: ran well.
"""


@dataclass(frozen=True)
class Share:
    """A share, with what was written to it.

    Attributes
    ----------
    root
        The share itself, the folder of a repository.
    folder
        The recording folder on it, which a person registers.
    frame_rate_hz
        Frames a second.
    timeseries
        The recorded timeseries, in the order of time.
    notes
        A file that belongs to no dataset.
    """

    root: Path
    folder: Path
    frame_rate_hz: float
    timeseries: tuple[Timeseries, ...]
    notes: Path


def write_synthetic_share(
    root: Path,
    seed: int = SEED,
    field_settings: FieldSettings | None = None,
    movie_settings: MovieSettings | None = None,
    layouts: tuple[Layout, ...] = LAYOUTS,
) -> Share:
    """Write a share with synthetic movies; the same seed gives the same share.

    Parameters
    ----------
    root
        Folder of the share, which is made if it is not there.
    seed
        Seed of all random numbers.
    field_settings, movie_settings
        Size and content of the field of view, activity of its cells, and noise of the recording.
    layouts
        Names, lengths and files of the timeseries.

    Raises
    ------
    InputError
        The recording folder is not empty.
    """
    folder = _make_folder(root)
    settings = movie_settings or MovieSettings()
    written = []
    for layout, movie in _movies(seed, field_settings or FieldSettings(), settings, layouts):
        frames = (frame for chunk in movie.chunks() for frame in chunk)
        written.append(write_timeseries(folder, layout, frames, settings.frame_rate_hz, movie.truth))
    return _add_notes(root, settings.frame_rate_hz, written)


def synthetic_truths(seed: int = SEED) -> dict[str, Truth]:
    """Return the truths of the synthetic share of a seed, by timeseries name, without writing it."""
    movies = _movies(seed, FieldSettings(), MovieSettings(), LAYOUTS)
    return {layout.name: movie.truth for layout, movie in movies}


def write_share_of_movie(root: Path, movie: UserMovie, frame_rate_hz: float) -> Share:
    """Write a share with a person's own movie, cut into two timeseries as the synthetic one is.

    Raises
    ------
    InputError
        The recording folder is not empty, or the frame rate is out of range.
    """
    if not 0 < frame_rate_hz < np.inf:
        raise InputError(
            "The frame rate is out of range",
            found=f"{frame_rate_hz} Hz",
            allowed="above 0 Hz",
            remedy="Give the frame rate of the movie in Hz.",
        )
    folder = _make_folder(root)
    frames = (frame for chunk in movie.chunks() for frame in chunk)
    written = [
        write_timeseries(folder, layout, islice(frames, layout.num_frames), frame_rate_hz, truth=None)
        for layout in _scaled_layouts(movie.num_frames)
    ]
    return _add_notes(root, frame_rate_hz, written)


def _movies(
    seed: int, field_settings: FieldSettings, movie_settings: MovieSettings, layouts: tuple[Layout, ...]
) -> Iterator[tuple[Layout, Movie]]:
    field = make_field(field_settings, seed)
    for number, layout in enumerate(layouts):
        yield layout, make_movie(field, movie_settings, layout.num_frames, seed=1000 * seed + number)


def _make_folder(root: Path) -> Path:
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InputError(
            "There is something in the demo's recording folder already",
            path=folder,
            remedy="Name another folder, or remove that one.",
        )
    return folder


def _scaled_layouts(num_frames: int) -> tuple[Layout, ...]:
    """Return the layouts of the synthetic share, scaled to another number of frames."""
    scale = num_frames / sum(layout.num_frames for layout in LAYOUTS)
    first, second = LAYOUTS
    # The last acquisition takes what rounding leaves.
    acquisitions = tuple(round(scale * frames) for frames in first.frames_per_acquisition)
    return (
        replace(
            first, frames_per_acquisition=acquisitions, frames_per_file=round(scale * first.frames_per_file)
        ),
        replace(second, frames_per_acquisition=(num_frames - sum(acquisitions),), frames_per_file=num_frames),
    )


def _add_notes(root: Path, frame_rate_hz: float, written: Iterable[Timeseries]) -> Share:
    timeseries = tuple(written)
    notes = root / FOLDER / "notes.txt"
    notes.write_text(NOTES, encoding="utf-8")
    date_files((notes,), timeseries[-1].start)
    return Share(root, root / FOLDER, frame_rate_hz, timeseries, notes)
