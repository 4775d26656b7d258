"""What people, copying and crashes do to files is stored as it was written, or told, and never otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.altered.bad_frames import list_bad_frames
from tests.altered.comparing import differences
from tests.altered.damages import DAMAGES, Damage
from tests.altered.mishaps import EDITS, Edit
from tests.altered.recordings import SCANIMAGE, Written, draw
from tests.altered.registering import Folder, StoredStack
from tests.altered.running import Case, make_case, run_cases
from tests.altered.subjects import SUBJECTS
from tests.makers.registered_experiments import REGISTERED_EXPERIMENTS

SEED = 20_240_517
NUM_CASES = 105
# Volumes, of which three may be listed.
_ENOUGH_FOR_A_RUN = 13


def test_what_is_stored_of_altered_files_is_what_was_written_or_an_error_names_the_file() -> None:
    results = run_cases(SUBJECTS, NUM_CASES, SEED)
    report = f"seed {SEED}\n{results.table}"
    print(report)
    assert results.num_cases == NUM_CASES
    assert not results.findings, report


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_a_case_is_the_same_whenever_it_is_made(subject: Any) -> None:
    for number in range(3):
        one, other = (make_case(Case(subject.name, SEED, number)) for _ in range(2))
        assert (one.kind, one.mishaps) == (other.kind, other.mishaps)


def test_every_experiment_type_is_altered() -> None:
    names = {subject.name for subject in SUBJECTS}
    assert {f"recordings of {experiment.name}" for experiment in REGISTERED_EXPERIMENTS} <= names


def recording(accepts: Callable[[Written], bool] = lambda written: len(written.tifs) > 1) -> Written:
    return next(written for number in range(1000) if accepts(written := draw(Random(number), SCANIMAGE)))


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_edit_changes_what_is_written(edit: Edit) -> None:
    written = recording(lambda each: any(frame.acquisition > 1 for frame in each.frames.values()))
    before = {**written.tifs, **written.others}
    for number in range(20):
        mishap = edit(Random(number), written)
        if mishap is not None and {**written.tifs, **written.others} != before:
            assert mishap.what
            return
    raise AssertionError("it changes nothing")


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_changes_files_or_their_times(damage: Damage, tmp_path: Path) -> None:
    written = recording()
    written.write(tmp_path)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    assert damage(Random(1), written, tmp_path) is not None
    written.age(tmp_path)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()} != before


def _of_scanimage(stack: StoredStack, **columns: Any) -> StoredStack:
    assert stack.scanimage is not None
    return replace(stack, scanimage=stack.scanimage | columns)


def _fewer_frames(stack: StoredStack) -> StoredStack:
    counts = stack.row["frames_per_tif"]
    return replace(stack, row=stack.row | {"frames_per_tif": [counts[0] - 1, *counts[1:]]})


def _of_run(stack: StoredStack, **changes: Any) -> StoredStack:
    assert stack.run is not None
    return replace(stack, run=replace(stack.run, **changes))


def _first_page_unread(stack: StoredStack) -> StoredStack:
    """Return the stack with a file that is cut, whose first page is passed over."""
    pages = (stack.pages[0][1:], *stack.pages[1:])
    return replace(_fewer_frames(stack), pages=pages, cut=(True, *stack.cut[1:]))


def _files_exchanged(stack: StoredStack) -> StoredStack:
    row = stack.row | {"frames_per_tif": stack.row["frames_per_tif"][::-1]}
    return replace(stack, row=row, tifs=stack.tifs[::-1], pages=stack.pages[::-1])


def _pages_unread(stack: StoredStack) -> StoredStack:
    shorter = _fewer_frames(stack)
    return replace(shorter, pages=(stack.pages[0][:-1], *stack.pages[1:]))


_FAULTS: dict[str, Callable[[StoredStack], StoredStack]] = {
    "a frame's number is another one": lambda stack: _of_scanimage(
        stack, frame_numbers=stack.scanimage["frame_numbers"] + 1
    ),
    "a frame's time in its acquisition is another one": lambda stack: _of_scanimage(
        stack, frame_timestamps_s=stack.scanimage["frame_timestamps_s"] * 1.001
    ),
    "num_scanning_depths is another one": lambda stack: _of_scanimage(stack, num_scanning_depths=7),
    "tif_rate_hz is another one": lambda stack: replace(stack, row=stack.row | {"tif_rate_hz": 2.0}),
    "pages that are read are not counted": _fewer_frames,
    "pages that are in a file are not read": _pages_unread,
    "frames are not in the order in which they were taken": _files_exchanged,
    "the session's start is another one": lambda stack: replace(
        stack, session=replace(stack.session, start=stack.session.start + timedelta(hours=1))
    ),
    "the mean image is of other frames": lambda stack: replace(
        stack, row=stack.row | {"mean_image": stack.mean_image + np.float32(1)}
    ),
    "Suite2p takes a frame for another plane's": lambda stack: _of_run(stack, pages=stack.run.pages[1:]),
    "the list of frames is another one": lambda stack: _of_run(stack, listed=(0, 1)),
    "Suite2p leaves other frames out": lambda stack: _of_run(stack, left_out=(1, 2)),
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Written, StoredStack]:
    """Return a recording of volumes with a list of bad frames, and what is stored of it."""
    written = recording(
        lambda each: (
            each.settings.num_planes > 1
            and len(each.starts) == 1
            and len(each.tifs) > 2
            and len(each.settings.channels) == 1
            and each.generation is not None
            and each.generation.has_times
            and len(each.frames) >= _ENOUGH_FOR_A_RUN * each.settings.frames_per_volume
        )
    )
    number = 0
    while not written.others:
        list_bad_frames(Random(number), written)
        number += 1
    folder = tmp_path_factory.mktemp("whole") / "day1"
    written.write(folder)
    registered = Folder(folder, written.experiment)
    registered.register()
    (stack,) = registered.stacks()
    assert stack.run is not None
    assert stack.run.left_out
    return written, stack


def test_a_whole_recording_is_stored_as_it_was_written(stored: tuple[Written, StoredStack]) -> None:
    written, stack = stored
    assert list(differences(written, stack)) == []


def test_a_page_before_the_damage_that_is_not_read_is_found(stored: tuple[Written, StoredStack]) -> None:
    written, stack = stored
    assert "pages that are in a file are not read" in list(differences(written, _first_page_unread(stack)))
    cut = replace(_pages_unread(stack), cut=(True, *stack.cut[1:]))
    assert "pages that are in a file are not read" not in list(differences(written, cut))


@pytest.mark.parametrize("kind", _FAULTS)
def test_what_is_stored_otherwise_is_found(stored: tuple[Written, StoredStack], kind: str) -> None:
    written, stack = stored
    assert kind in list(differences(written, _FAULTS[kind](stack)))
