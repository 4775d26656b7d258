"""Recordings of every experiment type, and what was written, page by page."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from imaging_pipeline.demo.scanimage_settings import ScanImageSettings
from tests.altered.pages import GENERATIONS, Frame, Generation, Tif, identity_of, write_tif
from tests.makers.folders import COPIED
from tests.makers.mesc import START_UTC, MescUnitSpec, write_mesc
from tests.makers.plain_tifs import SAID

SCANIMAGE, PREPROCESSED = "2Pminiscope_A", "2Pminiscope_A preprocessed"
PLAIN, FEMTONICS = "plain tifs", "femtonics"
# Between the starts of two acquisitions, and of two sessions.
_PAUSE, _LONG_PAUSE = timedelta(minutes=10), timedelta(hours=2)
_MESC = "90218.mesc"


@dataclass
class Written:
    """A folder before it is written, and what is true of it whatever is done to its files.

    Attributes
    ----------
    experiment
        Name of its type.
    settings
        Of all its tifs.
    generation
        Of the raw tifs; None where no tif has a header.
    tifs, others
        Its files by their paths below the folder.
    frames
        Every page that was recorded, by its identity.
    starts
        When each session started, by its name.
    modified
        When each file was written last.
    """

    experiment: str
    settings: ScanImageSettings
    generation: Generation | None
    tifs: dict[str, Tif] = field(default_factory=dict)
    others: dict[str, bytes] = field(default_factory=dict)
    frames: dict[int, Frame] = field(default_factory=dict)
    starts: dict[str, datetime] = field(default_factory=dict)
    modified: dict[str, datetime] = field(default_factory=dict)

    @property
    def tells_frames(self) -> bool:
        """Whether the tifs that Suite2p takes tell which frame a page is."""
        return bool(self.generation and self.generation.has_numbers) and self.experiment == SCANIMAGE

    @property
    def analysed(self) -> list[str]:
        """The tifs that Suite2p takes."""
        ending = "_preproc.tif" if self.experiment == PREPROCESSED else ".tif"
        return [name for name in self.tifs if name.endswith(ending)]

    @property
    def names(self) -> list[str]:
        return sorted([*self.tifs, *self.others])

    def write(self, folder: Path) -> None:
        """Write all files, each as old as it is."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name in self.tifs:
                write_tif(path, self.tifs[name])
            else:
                path.write_bytes(self.others[name])
        self.age(folder)

    def age(self, folder: Path) -> None:
        """Set the time of each file; one that has none yet was copied after the others."""
        for name in self.names:
            moment = self.modified.setdefault(name, COPIED + timedelta(seconds=len(self.modified)))
            os.utime(folder / name, (moment.timestamp(), moment.timestamp()))


def draw(random: Random, experiment: str, *, day: int = 0, first: int = 0) -> Written:
    """Return a recording.

    Parameters
    ----------
    random
        What is recorded.
    experiment
        Name of its type.
    day
        When it is recorded, counted from that of the other tests.
    first
        Number of its first page among all pages, of which a recording has less than 2,000.
    """
    if experiment == PLAIN:
        return _plain(random, first, day)
    if experiment == FEMTONICS:
        return _femtonics(random, first, day)
    generation = random.choice(GENERATIONS if experiment == SCANIMAGE else GENERATIONS[:1])
    written = _scanimage(random, generation, first, day)
    if experiment == PREPROCESSED:
        _add_corrected(written)
    return replace(written, experiment=experiment)


def _settings(random: Random, has_volumes: bool, day: int) -> ScanImageSettings:
    num_planes = random.choice((1, 1, 2, 3)) if has_volumes else 1
    return ScanImageSettings(
        frame_rate_hz=random.choice((10.0, 30.0)),
        channels=random.choice(((1,), (1,), (1, 2), (2, 3))),
        num_planes=num_planes,
        flyback_frames=random.choice((0, 1)) if num_planes > 1 else 0,
        start=datetime(2024, 5, 17, 14, 3, 9, 250_000) + timedelta(days=day),
    )


def _scanimage(random: Random, generation: Generation, first: int, day: int) -> Written:
    settings = _settings(random, generation.has_volumes, day)
    written = Written(SCANIMAGE, settings, generation)
    numbers = iter(range(first, first + 2000))
    for session in range(random.choice((1, 1, 2))):
        name = ("90218-openfield", "90218-wheel")[session]
        start = settings.start + session * _LONG_PAUSE
        written.starts[name] = start
        for acquisition in range(1, random.choice((1, 2, 3)) + 1):
            own = replace(settings, start=start + (acquisition - 1) * _PAUSE)
            counts = [random.randint(5, 9) for _ in range(random.choice((1, 2, 2, 3)))]
            _record(written, name, acquisition, own, counts, numbers)
    return written


def _record(
    written: Written,
    session: str,
    acquisition: int,
    settings: ScanImageSettings,
    counts: list[int],
    numbers: Iterator[int],
) -> None:
    before = 0
    for file_number, count in enumerate(counts, 1):
        frames = [
            Frame(
                identity_of(next(numbers)),
                session,
                acquisition,
                number,
                channel,
                settings.start,
                (number - 1) / settings.frame_rate_hz,
                settings,
            )
            for number in range(before + 1, before + count + 1)
            for channel in range(len(settings.channels))
        ]
        before += count
        written.frames |= {frame.identity: frame for frame in frames}
        name = f"{session}_{acquisition:05d}_{file_number:05d}.tif"
        written.tifs[name] = Tif(written.generation, settings, tuple(frames))


def _add_corrected(written: Written) -> None:
    """Add a corrected movie of each acquisition, whose pages are other ones of the same frames."""
    pages: dict[tuple[str, int], list[Frame]] = {}
    for tif in written.tifs.values():
        for frame in tif.frames:
            corrected = replace(frame, identity=frame.identity + 12_000)
            pages.setdefault((frame.session, frame.acquisition), []).append(corrected)
            written.frames[corrected.identity] = corrected
    for (session, acquisition), frames in pages.items():
        written.tifs[f"{session}_{acquisition:05d}_preproc.tif"] = Tif(None, None, tuple(frames))


def _plain(random: Random, first: int, day: int) -> Written:
    settings = replace(_settings(random, True, day), flyback_frames=0)
    written = Written(PLAIN, settings, None)
    name = str(SAID["timeseries_name"])
    written.starts[name] = settings.start
    counts = [random.randint(5, 9) for _ in range(random.choice((1, 2, 3)))]
    _record(written, name, 1, settings, counts, iter(range(first, first + 2000)))
    written.tifs = {f"movie_{number}.tif": tif for number, tif in enumerate(written.tifs.values(), 1)}
    said = SAID | {
        "start": settings.start.isoformat(),
        "frame_rate_hz": settings.frame_rate_hz,
        "num_planes": settings.num_planes,
        "num_channels": len(settings.channels),
    }
    written.others["session.json"] = json.dumps(said, indent=2).encode()
    return written


def _femtonics(random: Random, first: int, day: int) -> Written:
    rate_hz = 1000 / 32.5
    settings = ScanImageSettings(rate_hz, start=(START_UTC + timedelta(days=day)).replace(tzinfo=None))
    written = Written(FEMTONICS, settings, None)
    numbers = iter(range(first, first + 2000))
    units = []
    for number in range(random.choice((1, 2))):
        counts = [random.randint(5, 9)] * random.choice((1, 2))
        start = settings.start + number * _LONG_PAUSE
        unit = MescUnitSpec(number, start.replace(tzinfo=UTC), frames=sum(counts), seed=day)
        units.append(unit)
        session = f"90218_MUnit_{number}"
        written.starts[session] = start
        before = set(written.tifs)
        _record(written, session, 0, replace(settings, start=start), counts, numbers)
        for index, name in enumerate([name for name in written.tifs if name not in before], 1):
            written.tifs[f"MUnit_{number}/MUnit_{number}_{index:05d}.tif"] = written.tifs.pop(name)
    with tempfile.TemporaryDirectory() as folder:
        written.others[_MESC] = write_mesc(Path(folder) / _MESC, *units).read_bytes()
    return written
