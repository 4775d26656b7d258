"""When the frames of a session were taken: one clock for all its acquisitions, with the gaps between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.scanimage.frame_range import FrameRange, check_comes_after, check_goes_on
from imaging_pipeline.readers.scanimage.frames import FrameTimes, frame_range, read_frame_times
from imaging_pipeline.readers.scanimage.text import NUM_AUX_TRIGGERS
from imaging_pipeline.readers.scanimage.tif import ScanImageTif

_NOT_OF_A_VOLUME = (
    "Copy the file again from the microscope's computer. If it lacks the frames there too, move"
    " the recording out of the folder, and analyse it by hand."
)


@dataclass(frozen=True)
class AcquisitionTimes:
    """One acquisition of a session.

    Attributes
    ----------
    number
        As the names of its files number it.
    start
        Wall time of its first frame.
    start_s
        The same on the session's clock.
    raw_start_s
        The same on ScanImage's clock.
    first_frame, num_frames
        Which frames of the stack are its: of one channel, of all planes.
    num_lost
        Frames that are missing before the first one and between.
    """

    number: int
    start: datetime
    start_s: float
    raw_start_s: float
    first_frame: int
    num_frames: int
    num_lost: int


@dataclass(frozen=True)
class SessionTimes:
    """The frames of a session's tifs.

    Attributes
    ----------
    acquisitions
        In order.
    frame_numbers
        int64 (frames,), as ScanImage counts them.
    timestamps_s
        float64 (frames,), seconds since the session's first frame; they go up.
    aux_triggers_s
        Four float64 arrays (n,), edges of the auxiliary lines on the same clock.
    """

    acquisitions: tuple[AcquisitionTimes, ...]
    frame_numbers: NDArray[np.int64]
    timestamps_s: NDArray[np.float64]
    aux_triggers_s: tuple[NDArray[np.float64], ...]


@dataclass(frozen=True)
class _Acquisition:
    """The files of an acquisition, and the times of each on ScanImage's clock."""

    number: int
    ranges: tuple[FrameRange, ...]
    times: tuple[FrameTimes, ...]
    num_lost: int

    def shifted(self, clock_s: float, first_frame: int) -> AcquisitionTimes:
        first = self.ranges[0]
        return AcquisitionTimes(
            number=self.number,
            start=first.clock_start + timedelta(seconds=first.first_s),
            start_s=first.first_s + clock_s,
            raw_start_s=first.first_s,
            first_frame=first_frame,
            num_frames=sum(times.num_frames for times in self.times),
            num_lost=self.num_lost,
        )


def read_session_times(
    tifs: Sequence[ScanImageTif], acquisitions: Sequence[int], zone: tzinfo
) -> SessionTimes:
    """Read the times of all frames of a session, and check that they follow one another.

    Frames may be missing in a planar recording: their times are. In volumes the plane of each frame follows
    from those before it, so that none may be missing.

    Parameters
    ----------
    tifs
        The session's files, in order.
    acquisitions
        The acquisition of each, as its name numbers it.
    zone
        The time zone of the lab.

    Raises
    ------
    FormatError
        A page has no number or time, frames do not come in their order, files or acquisitions are swapped,
        copied or overlap, or frames of volumes are missing.
    """
    read: list[_Acquisition] = []
    paired = zip(acquisitions, tifs, strict=True)
    for number, group in groupby(paired, key=lambda pair: pair[0]):
        read.append(_read(number, [tif for _number, tif in group]))
    # Seconds to add to ScanImage's clock for the session's, which is 0 at the first frame.
    shifts_s = [-read[0].ranges[0].first_s]
    for earlier, later in zip(read, read[1:], strict=False):
        between_s = check_comes_after(earlier.ranges[-1], later.ranges[0], zone)
        shifts_s.append(shifts_s[-1] + between_s)
    starts = np.cumsum([0, *(sum(times.num_frames for times in each.times) for each in read)])
    return SessionTimes(
        acquisitions=tuple(
            each.shifted(shift_s, int(first))
            for each, shift_s, first in zip(read, shifts_s, starts, strict=False)
        ),
        frame_numbers=np.concatenate([times.frame_numbers for each in read for times in each.times]),
        timestamps_s=np.concatenate(
            [
                times.timestamps_s + shift_s
                for each, shift_s in zip(read, shifts_s, strict=True)
                for times in each.times
            ]
        ),
        aux_triggers_s=tuple(
            np.concatenate(
                [
                    times.aux_triggers_s[line] + shift_s
                    for each, shift_s in zip(read, shifts_s, strict=True)
                    for times in each.times
                ]
            )
            for line in range(NUM_AUX_TRIGGERS)
        ),
    )


def _read(number: int, tifs: Sequence[ScanImageTif]) -> _Acquisition:
    ranges: list[FrameRange] = []
    all_times: list[FrameTimes] = []
    num_lost = 0
    for tif in tifs:
        times = read_frame_times(tif)
        if tif.header.frame_clock == "none" and ranges:
            # Files of 3.x number no frames: those of one acquisition follow one another without a gap.
            times = _after(times, ranges[-1].last_s + 1 / tif.header.frame_rate_hz)
        frames = frame_range(tif, times)
        before = check_goes_on(ranges[-1], frames) if ranges else frames.num_lost_before
        _check_whole_volumes(tif, times, frames, before)
        num_lost += before + frames.num_lost
        ranges.append(frames)
        all_times.append(times)
    return _Acquisition(number, tuple(ranges), tuple(all_times), num_lost)


def _after(times: FrameTimes, start_s: float) -> FrameTimes:
    return replace(times, timestamps_s=times.timestamps_s + start_s)


def _check_whole_volumes(tif: ScanImageTif, times: FrameTimes, frames: FrameRange, num_before: int) -> None:
    """Refuse a file of volumes in which, or before which, frames are missing."""
    if not tif.header.is_volumetric or tif.header.is_z_stack:
        return
    if len(np.unique(times.acquisition_numbers)) > 1:
        raise _lost(tif, f"acquisitions {times.acquisition_numbers[0]} to {times.acquisition_numbers[-1]}")
    gaps = np.flatnonzero(np.diff(times.frame_numbers) > frames.step)
    if gaps.size:
        first, second = times.frame_numbers[gaps[0] : gaps[0] + 2]
        raise _lost(tif, f"frame {first} and then {second}")
    if num_before:
        raise _lost(tif, f"{num_before} frames missing before frame {frames.first_number}, its first")


def _lost(tif: ScanImageTif, found: str) -> FormatError:
    return FormatError(
        "Frames of volumes are missing, so that later ones would count as other planes",
        path=tif.path,
        found=found,
        allowed=f"every frame of each volume of {tif.header.frames_per_volume}",
        remedy=_NOT_OF_A_VOLUME,
    )
