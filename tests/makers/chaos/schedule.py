"""When what happens to a lab: folders are requested one after the other, with mishaps in between."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle, islice

from tests.makers.chaos import mishaps
from tests.makers.chaos.disturbed_lab import DisturbedLab
from tests.makers.chaos.mishaps import Mishap
from tests.makers.chaos.table_contents import num_left

Planned = Callable[[DisturbedLab], Mishap]

_TICK_S = 0.002
_LOOK_S = 0.2
_AT_ONCE = 2


def plan(chance: random.Random, num_kills: int, num_others: int) -> list[Planned]:
    """Draw what will happen, in order: so many kills of anything at any moment, and so many of all else."""
    aimed = [(aim, role) for aim in mishaps.AIMS for role in mishaps.ROLES]
    aimed = [(aim, role) for aim, role in aimed if role != "Suite2p" or aim == "in Suite2p"]
    planned: list[Planned] = [
        partial(mishaps.kill, aim=aim, role=role)
        for aim, role in islice(cycle(chance.sample(aimed, len(aimed))), num_kills)
    ]
    others: tuple[Planned, ...] = (
        mishaps.restart_database,
        mishaps.take_share_away,
        partial(mishaps.suspend, aim="in Suite2p"),
    )
    planned += others * num_others
    chance.shuffle(planned)
    return planned


def disturb(disturbed: DisturbedLab, planned: Sequence[Planned], deadline_s: float) -> Iterator[str]:
    """Let all mishaps happen, yield what each did, and wait until all is made."""
    deadline = time.monotonic() + deadline_s
    running: list[Mishap] = []
    upcoming = deque(planned)
    folders_each = len(disturbed.folders) / len(planned)
    while upcoming or running:
        if upcoming and len(running) < _AT_ONCE:
            running.append(upcoming.popleft()(disturbed))
            while len(disturbed.folders) > folders_each * len(upcoming):
                disturbed.request_folder()
        yield from _step(disturbed, running)
        assert time.monotonic() < deadline, (
            f"a mishap does not end: {num_left()} left, {disturbed.unsettled()}"
        )
        time.sleep(_TICK_S)
    while not disturbed.is_settled():
        disturbed.service.restart_ended()
        assert time.monotonic() < deadline, f"not settled: {num_left()} left, {disturbed.unsettled()}"
        time.sleep(_LOOK_S)


def _step(disturbed: DisturbedLab, running: list[Mishap]) -> Iterator[str]:
    disturbed.service.restart_ended()
    for mishap in running.copy():
        try:
            next(mishap)
        except StopIteration as end:
            running.remove(mishap)
            yield end.value
