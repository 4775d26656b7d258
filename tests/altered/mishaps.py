"""What people and programs do to the pages and files of a recording, before it is written anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

from tests.altered.pages import Frame
from tests.altered.recordings import Written, draw


@dataclass(frozen=True)
class Mishap:
    """Something that was done to a folder.

    Attributes
    ----------
    what
        In words, as findings list it.
    names
        Of the files concerned, one of which an error must name; empty where it may be any.
    """

    what: str
    names: tuple[str, ...] = ()


Edit = Callable[[Random, Written], Mishap | None]
"""Changes what is to be written; None where the recording has nothing that this can be done to."""


def drop_page(random: Random, written: Written) -> Mishap | None:
    return _edit_pages(random, written, "drop a page", lambda frames, at: frames[:at] + frames[at + 1 :])


def drop_frame(random: Random, written: Written) -> Mishap | None:
    """Drop all channels of a frame."""

    def without(frames: list[Frame], at: int) -> list[Frame]:
        dropped = frames[at]
        return [frame for frame in frames if frame.number != dropped.number]

    return _edit_pages(random, written, "drop a frame", without)


def duplicate_page(random: Random, written: Written) -> Mishap | None:
    return _edit_pages(
        random, written, "duplicate a page", lambda frames, at: [*frames[: at + 1], *frames[at:]]
    )


def duplicate_frame(random: Random, written: Written) -> Mishap | None:
    """Write all channels of a frame twice."""

    def twice(frames: list[Frame], at: int) -> list[Frame]:
        same = [frame for frame in frames if frame.number == frames[at].number]
        first = frames.index(same[0])
        return frames[:first] + same + frames[first:]

    return _edit_pages(random, written, "duplicate a frame", twice)


def swap_pages(random: Random, written: Written) -> Mishap | None:
    """Swap pages of two frames: those of one frame do not tell of which channel they are."""

    def swapped(frames: list[Frame], at: int) -> list[Frame]:
        others = [index for index, frame in enumerate(frames) if frame.number != frames[at].number]
        other = random.choice(others or [at])
        frames[at], frames[other] = frames[other], frames[at]
        return frames

    return _edit_pages(random, written, "swap two pages", swapped)


def keep_first_pages(random: Random, written: Written) -> Mishap | None:
    return _edit_pages(random, written, "end after a page", lambda frames, at: frames[: at + 1])


def drop_first_pages(random: Random, written: Written) -> Mishap | None:
    return _edit_pages(random, written, "begin at a later page", lambda frames, at: frames[at:])


def swap_files(random: Random, written: Written) -> Mishap | None:
    """Exchange the names of two files, as it is when they are renamed by hand."""
    if len(written.tifs) < 2:
        return None
    one, other = random.sample(sorted(written.tifs), 2)
    return _exchange(written, "swap two files", one, other)


def swap_neighbours(random: Random, written: Written) -> Mishap | None:
    names = sorted(written.tifs)
    if len(names) < 2:
        return None
    at = random.randrange(len(names) - 1)
    return _exchange(written, "swap two neighbouring files", names[at], names[at + 1])


def copy_over(random: Random, written: Written) -> Mishap | None:
    """Have one file twice, in the place of another one too."""
    if len(written.tifs) < 2:
        return None
    one, other = random.sample(sorted(written.tifs), 2)
    written.tifs[other] = written.tifs[one]
    return Mishap("have a file in the place of another", (one, other))


def copy_as_next(random: Random, written: Written) -> Mishap | None:
    """Have one file again under the next free number."""
    one = random.choice(sorted(written.tifs))
    new = _next_name(written, one)
    if new is None:
        return None
    written.tifs[new] = written.tifs[one]
    return Mishap("have a file again under the next number", (one, new))


def delete_file(random: Random, written: Written) -> Mishap | None:
    name = random.choice(written.names)
    if list(written.tifs) == [name]:
        return None
    written.tifs.pop(name, None)
    written.others.pop(name, None)
    return Mishap("delete a file", (name, *written.names))


def rename_file(random: Random, written: Written) -> Mishap | None:
    """Give a file another number, or another timeseries."""
    name = random.choice(sorted(written.tifs))
    stem = name.removesuffix(".tif")
    new = random.choice(
        (f"{stem}x.tif", f"x{stem.rpartition('/')[2]}.tif", f"{stem[:-1]}7.tif", f"{stem}.TIF")
    )
    if new in written.tifs:
        return None
    written.tifs[new] = written.tifs.pop(name)
    return Mishap("rename a file", (name, new))


def mix_in_other_day(random: Random, written: Written) -> Mishap | None:
    """Have files of another day's recording in the place of those of the same names, or beside them."""
    other = draw(Random(random.random()), written.experiment, day=1, first=2000)
    written.frames |= other.frames
    name = random.choice(sorted(other.tifs))
    what = "have a file of another day in its place" if name in written.tifs else "have a file of another day"
    written.tifs[name] = other.tifs[name]
    return Mishap(what, (name,))


def mix_alike(random: Random, written: Written) -> Mishap | None:
    """Have a file of another day, recorded with the same settings, in the place of the one of its name."""
    name = random.choice(sorted(written.tifs))
    tif = written.tifs[name]
    day = timedelta(days=1)
    frames = [replace(frame, identity=frame.identity + 6000, start=frame.start + day) for frame in tif.frames]
    written.frames |= {frame.identity: frame for frame in frames}
    settings = None if tif.settings is None else replace(tif.settings, start=tif.settings.start + day)
    written.tifs[name] = replace(tif, settings=settings, frames=tuple(frames))
    return Mishap("have a file of another day in its place", tuple(_beside(written, name)))


def change_settings(random: Random, written: Written) -> Mishap | None:
    """Let the header of a file say of its pages what is not so, as one that was copied from another file."""
    names = [name for name, tif in written.tifs.items() if tif.settings is not None]
    # Of a file that is alone, nothing else tells.
    if len(names) < 2 or len({written.tifs[name].frames[0].session for name in names}) > 1:
        return None
    name = random.choice(sorted(names))
    tif = written.tifs[name]
    assert tif.settings is not None
    changes: dict[str, dict[str, Any]] = {
        "channels": {"channels": (1,) if len(tif.settings.channels) > 1 else (1, 2)},
        "planes": {"num_planes": tif.settings.num_planes + 1},
        "rate": {"frame_rate_hz": tif.settings.frame_rate_hz * 2},
    }
    what = random.choice(sorted(changes))
    if what == "planes" and not (tif.generation and tif.generation.has_volumes):
        return None
    written.tifs[name] = replace(tif, settings=replace(tif.settings, **changes[what]))
    return Mishap(f"have other {what} in a header", tuple(_beside(written, name)))


def set_clock_back(random: Random, written: Written) -> Mishap | None:
    """Let the microscope's clock go back an hour before an acquisition, as on a night in autumn."""
    frames = [frame for frame in written.frames.values() if frame.acquisition > 1]
    if written.generation is None or not frames:
        return None
    first = random.choice(frames)
    names = []
    for name, tif in written.tifs.items():
        of_it = [
            (frame.session, frame.acquisition) == (first.session, first.acquisition) for frame in tif.frames
        ]
        if tif.settings is None or not all(of_it):
            continue
        hour = timedelta(hours=1)
        # What is true of the frames is left as it is: the files say something else.
        told = [replace(frame, start=frame.start - hour) for frame in tif.frames]
        settings = replace(tif.settings, start=tif.settings.start - hour)
        written.tifs[name] = replace(tif, settings=settings, frames=tuple(told))
        names.append(name)
    return Mishap("set the microscope's clock back an hour", tuple(_beside(written, *names)))


EDITS: Sequence[Edit] = (
    drop_page,
    drop_frame,
    duplicate_page,
    duplicate_frame,
    swap_pages,
    keep_first_pages,
    drop_first_pages,
    swap_files,
    swap_neighbours,
    copy_over,
    copy_as_next,
    delete_file,
    rename_file,
    mix_in_other_day,
    mix_alike,
    change_settings,
    set_clock_back,
)


def _edit_pages(
    random: Random, written: Written, what: str, edit: Callable[[list[Frame], int], list[Frame]]
) -> Mishap | None:
    name = random.choice(sorted(written.tifs))
    frames = list(written.tifs[name].frames)
    if len(frames) < 2:
        return None
    edited = edit(frames, random.randrange(len(frames)))
    if not edited:
        return None
    written.tifs[name] = written.tifs[name].with_frames(edited)
    return Mishap(what, tuple(_beside(written, name)))


def _exchange(written: Written, what: str, one: str, other: str) -> Mishap:
    written.tifs[one], written.tifs[other] = written.tifs[other], written.tifs[one]
    return Mishap(what, (one, other))


def _next_name(written: Written, name: str) -> str | None:
    """Return a name with the next free number in the place of its last one."""
    stem, _, rest = name.rpartition("_")
    digits = rest.removesuffix(".tif")
    for number in range(1, 100):
        new = f"{stem}_{number:0{len(digits)}d}.tif"
        if digits.isdigit() and new not in written.tifs:
            return new
    return None


def _beside(written: Written, *names: str) -> list[str]:
    """Return files and those before and behind them: an error of their order may name either."""
    present = sorted(written.tifs)
    near = set(names)
    for name in names:
        if name in present:
            at = present.index(name)
            near |= set(present[max(at - 1, 0) : at + 2])
    return sorted(near)
