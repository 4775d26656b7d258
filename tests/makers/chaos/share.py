"""A share of small recording folders of several experiment types, no two alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from imaging_pipeline.schemas import imaging
from tests.makers.femtonics import export_tifs
from tests.makers.folders import START
from tests.makers.lab import Lab
from tests.makers.mesc import START_UTC, MescUnitSpec, write_mesc
from tests.makers.plain_tifs import write_plain_tifs
from tests.makers.preprocessed import write_preprocessed
from tests.makers.recordings import OBJECT, OPEN_FIELD, Recording, write_recording

OPS_NAME = "small"


@dataclass(frozen=True)
class Requested:
    """A folder of the share, and how an experimenter requests it."""

    folder: Path
    experiment_type: str
    combined: bool

    def request(self, lab: Lab) -> None:
        """Request it, with a run of Suite2p and all that follows."""
        imaging.BaseFolder.insert1(
            {
                **lab.request(self.folder, combined=self.combined),
                "experiment_type": self.experiment_type,
                "ops_name": OPS_NAME,
                "register_uncurated": True,
            }
        )


def write_share(share: Path, num_folders: int) -> list[Requested]:
    """Write so many folders, of each kind in turn."""
    kinds = (_together, _femtonics, _apart, _plain, _corrected)
    return [kinds[number % len(kinds)](share / f"day{number:03d}", number) for number in range(num_folders)]


def _together(folder: Path, number: int) -> Requested:
    """Two recordings that are analysed as one."""
    for recording in (OPEN_FIELD, OBJECT):
        write_recording(folder, _of_day(recording, number))
    return Requested(folder, "2Pminiscope_A", combined=True)


def _apart(folder: Path, number: int) -> Requested:
    """Two recordings, each by itself."""
    for recording in (OPEN_FIELD, OBJECT):
        write_recording(folder, _of_day(recording, number))
    return Requested(folder, "2Pminiscope_A", combined=False)


def _corrected(folder: Path, number: int) -> Requested:
    """A recording with tifs that were motion corrected."""
    recording = _of_day(OPEN_FIELD, number)
    write_recording(folder, recording)
    write_preprocessed(folder, recording)
    return Requested(folder, "2Pminiscope_A preprocessed", combined=True)


def _femtonics(folder: Path, number: int) -> Requested:
    """Two measurements of one file, which were exported as tifs."""
    units = [
        MescUnitSpec(unit, START_UTC + timedelta(days=number, minutes=40 * unit), seed=number)
        for unit in range(2)
    ]
    write_mesc(folder / f"90218-{number}.mesc", *units)
    for unit in units:
        export_tifs(folder / f"MUnit_{unit.number}", unit)
    return Requested(folder, "femtonics", combined=False)


def _plain(folder: Path, number: int) -> Requested:
    """Tifs of any origin, with a word on what they are."""
    start = START + timedelta(days=number)
    # Pages are drawn alike in each folder: their number makes the files differ.
    write_plain_tifs(folder, (10 + number, 11 + number), start=start.isoformat(timespec="milliseconds"))
    return Requested(folder, "plain tifs", combined=False)


def _of_day(recording: Recording, number: int) -> Recording:
    settings = replace(recording.settings, start=recording.settings.start + timedelta(days=number))
    return replace(recording, name=f"{recording.name}{number}", settings=settings)
