"""Whether what is stored of a recording is what was written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tests.altered.bad_frames import bad_frames_differences
from tests.altered.cut_tifs import cut_differences
from tests.altered.pages import SHAPE, Frame, image_of
from tests.altered.recordings import FEMTONICS, PREPROCESSED, SCANIMAGE, Written
from tests.altered.registering import StoredStack

# Times of frames are written in nanoseconds, the start of an acquisition in milliseconds.
_FRAME_TOLERANCE_S, _START_TOLERANCE_S = 1e-6, 0.002
_MOST_IN_MEAN = 50

OTHER_START = "the session's start is another one"


def differences(written: Written, stack: StoredStack) -> Iterator[str]:
    """Yield in words what is stored otherwise than it was written.

    Of tifs whose pages tell nothing of their frames, nobody can know which frame a page is: only that all
    pages that are there are counted, and how they were taken.
    """
    written = _of_its_settings(written, stack)
    frames = _frames(written, stack)
    yield from _layout(written, stack)
    yield from _lost(written, stack)
    yield from cut_differences(written, stack)
    yield from _channels(written, frames)
    if written.tells_frames:
        yield from _order(frames)
        yield from _numbers(written, stack, frames)
        yield from _places(written, frames)
    yield from _start(written, stack, frames)
    yield from _run(written, stack)
    yield from bad_frames_differences(written, stack)
    yield from _mean(written, stack)


def _of_its_settings(written: Written, stack: StoredStack) -> Written:
    """Return what was written with the settings of the stack's first page: a file may be of another day.

    Where files have no header, what lies beside them says how all of them were taken.
    """
    if written.experiment == PREPROCESSED:
        raw = _first_raw(written, stack)
        return written if raw is None else replace(written, settings=raw.settings)
    if written.experiment != SCANIMAGE:
        return written
    pages = (written.frames.get(page or 0) for pages in stack.pages for page in pages)
    first = next((page for page in pages if page is not None), None)
    return written if first is None else replace(written, settings=first.settings)


def _first_raw(written: Written, stack: StoredStack) -> Frame | None:
    """Return the first page of a session's raw tifs: nothing in a corrected one tells what it is of."""
    name = f"{stack.session.timeseries_name}_"
    raw = [tif for path, tif in sorted(written.tifs.items()) if tif.generation and path.startswith(name)]
    return raw[0].frames[0] if raw else None


def _frames(written: Written, stack: StoredStack) -> list[list[Frame | None]]:
    """Return what the pages of each stored frame are, a list of its channels."""
    num_channels = len(written.settings.channels)
    found = []
    for count, pages in zip(stack.row["frames_per_tif"], stack.pages, strict=True):
        for frame in range(count):
            of_frame = pages[frame * num_channels : (frame + 1) * num_channels]
            found.append([None if page is None else written.frames.get(page) for page in of_frame])
    return found


def _layout(written: Written, stack: StoredStack) -> Iterator[str]:
    settings = written.settings
    volume = settings.frames_per_volume
    expected = {
        "num_frames": sum(stack.row["frames_per_tif"]),
        "num_files": len(stack.tifs),
        "height": SHAPE[0],
        "width": SHAPE[1],
        "datatype": "int16",
        "frames_per_volume": volume,
    }
    for column, value in expected.items():
        if stack.row[column] != value:
            yield f"{column} is another one"
    if not np.isclose(stack.row["tif_rate_hz"], settings.frame_rate_hz / volume, rtol=1e-6):
        yield "tif_rate_hz is another one"
    if stack.scanimage is not None:
        yield from _scanimage_layout(written, stack.scanimage)


def _scanimage_layout(written: Written, row: dict[str, object]) -> Iterator[str]:
    settings = written.settings
    expected = {
        "num_channels": len(settings.channels),
        "channels_saved": list(settings.channels),
        "num_scanning_depths": settings.num_planes,
        "num_flyback_frames": settings.flyback_frames,
    }
    for column, value in expected.items():
        if row[column] != value:
            yield f"{column} is another one"


def _lost(written: Written, stack: StoredStack) -> Iterator[str]:
    """Compare the pages that are read with those whose pixels are in the files."""
    num_channels = len(written.settings.channels)
    following = (*stack.acquisitions[1:], None)
    for number, (path, count, pages) in enumerate(
        zip(stack.tifs, stack.row["frames_per_tif"], stack.pages, strict=True)
    ):
        if _there(written, path.read_bytes(), pages, is_cut=stack.cut[number]) - set(pages):
            yield "pages that are in a file are not read"
        if len(pages) - count * num_channels >= num_channels:
            yield "pages that are read are not counted"
        # An acquisition may break off amid a frame.
        is_last = stack.acquisitions[number] != following[number]
        if len(pages) % num_channels and not is_last:
            yield "a file ends amid a frame, and another follows it"


def _there(written: Written, content: bytes, pages: Sequence[int | None], *, is_cut: bool) -> set[int]:
    """Return the pages whose pixels are in a file; of a damaged one, up to the last that is read."""
    places = {
        identity: place
        for identity in written.frames
        if (place := content.find(image_of(identity).astype("<i2").tobytes())) >= 0
    }
    end = max((places.get(page or 0, 0) for page in pages), default=0) if is_cut else len(content)
    return {identity for identity, place in places.items() if place <= end}


def _channels(written: Written, frames: list[list[Frame | None]]) -> Iterator[str]:
    if written.experiment == FEMTONICS or not written.tells_frames:
        return
    for of_frame in frames:
        known = [(channel, frame) for channel, frame in enumerate(of_frame) if frame is not None]
        if any(frame.channel != channel for channel, frame in known):
            yield "a page is of another channel"
            return
        if len({(frame.start, frame.number) for _, frame in known}) > 1:
            yield "the channels of a frame are of different frames"
            return


def _order(frames: list[list[Frame | None]]) -> Iterator[str]:
    firsts = [frame for of_frame in frames if (frame := of_frame[0]) is not None]
    for before, after in pairwise(firsts):
        if (before.start, before.number) == (after.start, after.number):
            yield "a frame is there twice"
        elif (before.start, before.number) > (after.start, after.number):
            yield "frames are not in the order in which they were taken"
        else:
            continue
        return


def _numbers(written: Written, stack: StoredStack, frames: list[list[Frame | None]]) -> Iterator[str]:
    row = stack.scanimage
    if row is None:
        yield "nothing of ScanImage is stored"
        return
    if len(row["frame_numbers"]) != len(frames) or len(row["frame_timestamps_s"]) != len(frames):
        yield "there are more or fewer numbers or times than frames"
        return
    known = [(index, of_frame[0]) for index, of_frame in enumerate(frames) if of_frame[0] is not None]
    if any(row["frame_numbers"][index] != frame.number for index, frame in known if frame is not None):
        yield "a frame's number is another one"
    yield from _times(
        row["frame_timestamps_s"], [(index, frame) for index, frame in known if frame is not None]
    )


def _times(clock: NDArray[np.float64], frames: Sequence[tuple[int, Frame]]) -> Iterator[str]:
    """Compare times with those of the first frame whose pixels are whole, and of its acquisition's first."""
    firsts: dict[datetime, tuple[int, Frame]] = {}
    for index, frame in frames:
        at, first = firsts.setdefault(frame.start, (index, frame))
        if abs(clock[index] - clock[at] - (frame.time_s - first.time_s)) > _FRAME_TOLERANCE_S:
            yield "a frame's time in its acquisition is another one"
            return
    moments = [
        (
            index,
            (frame.start - frames[0][1].start) / timedelta(seconds=1) + frame.time_s - frames[0][1].time_s,
        )
        for index, frame in firsts.values()
    ]
    if any(
        abs(clock[index] - clock[frames[0][0]] - moment) > _START_TOLERANCE_S for index, moment in moments
    ):
        yield "an acquisition's time in its session is another one"


def _places(written: Written, frames: list[list[Frame | None]]) -> Iterator[str]:
    """Compare the plane of each frame, which is stored by the frame's position in its acquisition."""
    volume = written.settings.frames_per_volume
    if volume == 1:
        return
    position, acquisition = 0, None
    for of_frame in frames:
        frame = of_frame[0]
        if frame is not None and frame.acquisition != acquisition:
            position, acquisition = 0, frame.acquisition
        if frame is not None and (frame.number - 1) % volume != position % volume:
            yield "a frame is of another plane"
            return
        position += 1


def _start(written: Written, stack: StoredStack, frames: list[list[Frame | None]]) -> Iterator[str]:
    name = stack.session.timeseries_name
    first = next((frame for of_frame in frames for frame in of_frame[:1] if frame is not None), None)
    expected = written.starts.get(name)
    if written.experiment == PREPROCESSED:
        raw = _first_raw(written, stack)
        expected = None if raw is None else raw.start
    elif written.generation is not None and first is not None:
        expected = first.start
    if expected is not None and stack.session.start != expected:
        yield OTHER_START


def _run(written: Written, stack: StoredStack) -> Iterator[str]:
    """Compare which page Suite2p takes for which channel and plane."""
    if stack.run is None or not written.tells_frames:
        return
    settings = written.settings
    num_channels, volume = len(settings.channels), settings.frames_per_volume
    for position, (_, identity) in enumerate(stack.run.pages):
        frame = written.frames.get(identity or 0)
        if frame is None:
            continue
        if frame.channel != position % num_channels:
            yield "Suite2p takes a page for another channel's"
            return
        if (frame.number - 1) % volume != position // num_channels % volume:
            yield "Suite2p takes a frame for another plane's"
            return


def _mean(written: Written, stack: StoredStack) -> Iterator[str]:
    """Compare the mean image of the first file with the pages that it must be made of."""
    settings = written.settings
    num_channels, volume = len(settings.channels), settings.frames_per_volume
    first = [None if page is None else written.frames.get(page) for page in stack.pages[0]]
    if None in first or not written.tells_frames:
        return
    chosen = [
        frame.identity
        for frame in first[: stack.row["frames_per_tif"][0] * num_channels]
        if frame is not None and frame.channel == 0 and (frame.number - 1) % volume == 0
    ]
    is_made_of_them = bool(chosen) and np.isclose(stack.mean_image[0, 0], np.mean(chosen), atol=0.01)
    if len(chosen) <= _MOST_IN_MEAN and not is_made_of_them:
        yield "the mean image is of other frames"
