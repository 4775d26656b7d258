"""Cases of recordings: a folder of an experiment type, registered once or twice, and imported."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

from imaging_pipeline.errors import PipelineError
from tests.altered.cases import SAME, Outcome, Subject, judge_error
from tests.altered.comparing import differences
from tests.altered.mishaps import DAMAGES, EDITS, Mishap
from tests.altered.recordings import Written, draw
from tests.altered.registering import Folder
from tests.makers.folders import COPIED
from tests.makers.registered_experiments import REGISTERED_EXPERIMENTS

# Of ten cases: how many have an edit, how many damage, and how many are registered before that.
_EDITED, _DAMAGED, _REGISTERED_BEFORE = 0.6, 0.35, 0.4
_NAMES_OF_ERRORS = 2


def run(random: Random, folder: Path, experiment: str) -> Outcome:
    """Write a recording, register it perhaps, change it, register and import it, and judge what is stored."""
    written = draw(random, experiment)
    path = folder / "share" / "day1"
    registered = Folder(path, experiment)
    mishaps: list[Mishap] = []
    try:
        if random.random() < _REGISTERED_BEFORE:
            written.write(path)
            registered.register()
        _change(random, written, path, mishaps)
        registered.register()
        stacks = registered.stacks()
        found = [difference for stack in stacks for difference in differences(written, stack)]
    except (PipelineError, Exception) as error:
        names = tuple(name for mishap in mishaps for name in mishap.names)
        # What has no file of its own may be told of any.
        if any(not mishap.names for mishap in mishaps):
            names = (*names, *_all_files(path))
        return judge_error(error, _words(mishaps), names, path)
    return Outcome("; ".join(dict.fromkeys(found)) or SAME, _words(mishaps))


def _change(random: Random, written: Written, path: Path, mishaps: list[Mishap]) -> None:
    """Do to the folder what may happen to it, and note it as soon as it is done."""
    before = {id(tif): written.modified.get(name) for name, tif in written.tifs.items()}
    kept = dict(written.tifs)
    if random.random() < _EDITED:
        edit = random.choice(EDITS)
        mishap = edit(random, written)
        if mishap is not None:
            mishaps.append(mishap)
    for number, (name, tif) in enumerate(sorted(written.tifs.items())):
        if kept.get(name) is not tif:
            # A file that was renamed or copied keeps its time; one that was changed gets a new one.
            moment = before.get(id(tif)) or COPIED + timedelta(days=1, seconds=number)
            written.modified[name] = moment
    for name in kept.keys() - written.tifs.keys():
        (path / name).unlink(missing_ok=True)
    for gone in [known for known in written.modified if known not in written.names]:
        (path / gone).unlink(missing_ok=True)
    written.write(path)
    if random.random() < _DAMAGED:
        damage = random.choice(DAMAGES)
        sizes = {name: (path / name).read_bytes() for name in written.names}
        mishap = damage(random, written, path)
        if mishap is not None:
            mishaps.append(mishap)
        for name in written.names:
            if (path / name).read_bytes() != sizes[name]:
                written.modified[name] += timedelta(days=2)
        written.age(path)


def _words(mishaps: list[Mishap]) -> tuple[str, ...]:
    return tuple(mishap.what for mishap in mishaps)


def _all_files(path: Path) -> list[str]:
    return [file.name for file in path.rglob("*")] if path.is_dir() else []


RECORDINGS = tuple(
    Subject(f"recordings of {experiment.name}", partial(run, experiment=experiment.name))
    for experiment in REGISTERED_EXPERIMENTS
)
