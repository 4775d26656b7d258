"""Whether the tifs of a recording follow one another, by the first and last frame of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from imaging_pipeline.errors import FormatError

# Times of one clock are told apart down to this; the microscope writes nanoseconds.
_SAME_MOMENT_S = 1e-6


@dataclass(frozen=True)
class FrameRange:
    """The first and the last frame of a tif, and how many it holds.

    Attributes
    ----------
    path
        The file.
    clock_start
        Wall time at which the clock of its frames showed 0.
    acquisition_number
        As ScanImage counts, from 1; 1 where the version does not say.
    frames_before
        Frames of its acquisition before the first one; None where the version does not number them.
    first_number, last_number
        As ScanImage counts; None where the version does not.
    step
        By how much the number of a frame is above that of the frame before, where none is lost.
    first_s, last_s
        When they were taken, on the clock of the frames.
    num_frames
        Frames of one channel in the file.
    frames_per_volume
        1 where there is one plane.
    """

    path: Path
    clock_start: datetime
    acquisition_number: int
    frames_before: int | None
    first_number: int | None
    last_number: int | None
    step: int
    first_s: float
    last_s: float
    num_frames: int
    frames_per_volume: int

    @property
    def num_lost(self) -> int:
        """Frames that are missing between the first and the last."""
        if self.first_number is None or self.last_number is None:
            return 0
        return (self.last_number - self.first_number) // self.step - (self.num_frames - 1)

    @property
    def num_lost_before(self) -> int:
        """Frames that are missing before the first one, if the file begins its acquisition."""
        if self.frames_before is not None:
            return self.frames_before
        # Whether numbers restart is not known of these versions; a volume begins with a whole number of them.
        return 0 if self.first_number is None else (self.first_number - 1) % self.frames_per_volume


def check_goes_on(earlier: FrameRange, later: FrameRange) -> int:
    """Check that a file continues the one before it in the same acquisition.

    Returns
    -------
    int
        Frames that are missing between the two.

    Raises
    ------
    FormatError
        It is of another acquisition, or its frames do not come after those of the file before.
    """
    if (earlier.clock_start, earlier.acquisition_number) != (later.clock_start, later.acquisition_number):
        raise FormatError(
            "A tif is of another acquisition than the one before it, of which its name makes it a piece",
            path=later.path,
            found=_acquisition(later),
            allowed=f"{_acquisition(earlier)}, as in {earlier.path.name}",
            remedy="Name the files as the microscope did, or copy both again from its computer.",
        )
    if earlier.last_number is None or later.first_number is None:
        # Nothing tells where a file of 3.x stands in its acquisition.
        return 0
    step = max(earlier.step, later.step)
    if later.first_number <= earlier.last_number or later.first_s <= earlier.last_s:
        raise FormatError(
            "The frames of a tif do not come after those of the tif before it",
            path=later.path,
            found=f"{_frames(later)} after {_frames(earlier)} in {earlier.path.name}",
            allowed="numbers and times that go up from file to file",
            remedy=_remedy(earlier, later),
        )
    return (later.first_number - earlier.last_number) // step - 1


def check_comes_after(earlier: FrameRange, later: FrameRange, zone: tzinfo) -> float:
    """Check that an acquisition begins when the one before it has ended.

    Parameters
    ----------
    earlier, later
        The last file of an acquisition, and the first one of the next.
    zone
        The time zone of the lab.

    Returns
    -------
    float
        Seconds from when the clock of the earlier one's frames showed 0 until that of the later one's did.

    Raises
    ------
    FormatError
        It begins before.
    """
    for between_s in _seconds_between(earlier.clock_start, later.clock_start, zone):
        if between_s + later.first_s > earlier.last_s + _SAME_MOMENT_S:
            return between_s
    raise FormatError(
        "An acquisition began before the one before it had ended",
        path=later.path,
        found=f"{_moments(later)}, after {_moments(earlier)} in {earlier.path.name}",
        allowed="acquisitions in the order of the numbers in their files' names",
        remedy=_remedy(earlier, later),
    )


def _seconds_between(earlier: datetime, later: datetime, zone: tzinfo) -> Iterator[float]:
    """Yield the seconds between two wall times: in the hour that autumn repeats, there are two answers."""
    start = earlier.replace(tzinfo=zone).astimezone(UTC)
    for fold in (0, 1):
        yield (later.replace(tzinfo=zone, fold=fold).astimezone(UTC) - start) / timedelta(seconds=1)


def _acquisition(frames: FrameRange) -> str:
    return f"acquisition {frames.acquisition_number}, started at {frames.clock_start}"


def _frames(frames: FrameRange) -> str:
    return (
        f"frames {frames.first_number} to {frames.last_number}, {frames.first_s:.3f} to {frames.last_s:.3f} s"
    )


def _moments(frames: FrameRange) -> str:
    first, last = (frames.clock_start + timedelta(seconds=each) for each in (frames.first_s, frames.last_s))
    return f"{first:%Y-%m-%d %H:%M:%S.%f} to {last:%H:%M:%S.%f}"


def _remedy(earlier: FrameRange, later: FrameRange) -> str:
    return (
        f"Compare {earlier.path.name} and {later.path.name}: one may be a copy of the other, or they may have"
        " changed names. Let all files have the names that the microscope gave them."
    )
