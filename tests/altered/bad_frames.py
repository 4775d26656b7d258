"""Lists of frames that Suite2p is to leave out, and which frames it leaves out then.

A list counts the frames of the tifs beside it. Of which tifs a person counted them, no file tells: where tifs
were changed since, its numbers are of what is there now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import groupby
from pathlib import PurePosixPath
from random import Random

import numpy as np

from imaging_pipeline.readers.suite2p.bad_frames import FILE_NAME
from tests.altered.recordings import FEMTONICS, Written
from tests.altered.registering import Page, StoredStack

_LISTED, _MOST = 0.4, 3


def list_bad_frames(random: Random, written: Written) -> None:
    """Put a list of a few frames beside the tifs of a session, where all that lie there are of one run."""
    if random.random() > _LISTED or (len(written.starts) > 1 and written.experiment != FEMTONICS):
        return
    name = min(written.tifs)
    num_volumes = _num_volumes(written, written.tifs[name].frames[0].session)
    content = BytesIO()
    np.save(content, random.sample(range(num_volumes), random.randint(1, min(_MOST, num_volumes))))
    written.others[str(PurePosixPath(name).with_name(FILE_NAME))] = content.getvalue()


def _num_volumes(written: Written, session: str) -> int:
    numbers = {
        (frame.acquisition, (frame.number - 1) // written.settings.frames_per_volume)
        for frame in written.frames.values()
        if frame.session == session
    }
    return len(numbers)


def bad_frames_differences(written: Written, stack: StoredStack) -> Iterator[str]:
    """Yield in words what is left out otherwise than it was listed; written as the stack was."""
    run = stack.run
    if run is None:
        return
    if run.listed != _listed(written, stack):
        yield "the list of frames is another one"
    per_volume = len(written.settings.channels) * written.settings.frames_per_volume
    recorded, used = _volumes(_pages(stack), per_volume), _volumes(run.pages, per_volume)
    # A run gets the whole volumes of each acquisition.
    wanted = [recorded[number] for number in sorted(run.listed) if recorded[number] in used]
    if wanted != [used[number] for number in run.left_out]:
        yield "Suite2p leaves other frames out"


def _listed(written: Written, stack: StoredStack) -> tuple[int, ...]:
    """Return what a list says that lies beside a stack's tifs as it was written; else what was read of it."""
    assert stack.run is not None
    if stack.bad_frames is None:
        return ()
    content = stack.bad_frames.read_bytes()
    if content not in written.others.values():
        return stack.run.listed
    return tuple(sorted(np.load(BytesIO(content)).tolist()))


def _pages(stack: StoredStack) -> list[Page]:
    return [
        (acquisition, page)
        for acquisition, pages in zip(stack.acquisitions, stack.pages, strict=True)
        for page in pages
    ]


def _volumes(pages: Sequence[Page], per_volume: int) -> list[tuple[int, int, tuple[Page, ...]]]:
    """Return the volumes of each acquisition, numbered in it, with their pages: the last may not be whole."""
    volumes = []
    for acquisition, group in groupby(pages, key=lambda page: page[0]):
        own = tuple(group)
        volumes += [
            (acquisition, number, own[first : first + per_volume])
            for number, first in enumerate(range(0, len(own), per_volume))
        ]
    return volumes
