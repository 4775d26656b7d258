"""Cases of recordings: a folder of an experiment type, registered once or twice, and imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Protocol

from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.ingest.damaged_tifs import DamagedTifs
from imaging_pipeline.readers.suite2p.bad_frames import FILE_NAME
from tests.altered.bad_frames import list_bad_frames
from tests.altered.cases import SAME, TOLD, Outcome, Subject, judge_error
from tests.altered.comparing import OTHER_START, differences
from tests.altered.damages import DAMAGES
from tests.altered.mishaps import EDITS, Mishap
from tests.altered.pages import Tif
from tests.altered.recordings import Written, draw
from tests.altered.registering import Folder, StoredStack
from tests.makers.folders import COPIED
from tests.makers.registered_experiments import REGISTERED_EXPERIMENTS

# Shares of cases that are registered before something happens, of these that are registered again, and of all
# in which files are edited, and damaged.
_REGISTERED_BEFORE, _REGISTERED_AGAIN, _EDITED, _DAMAGED = 0.4, 0.8, 0.6, 0.35


class Registered(Protocol):
    """A folder of recordings that can be registered and imported.

    ``said`` is what the report tells of it, and ``damaged`` which files below it are damaged as it tells.
    """

    @property
    def said(self) -> Sequence[str]: ...

    @property
    def damaged(self) -> Sequence[str]: ...

    def register(self) -> object:
        """Register what the folder holds now."""

    def stacks(self) -> list[StoredStack]:
        """Import the tifs of every session."""


def run(random: Random, place: Path, experiment: str) -> Outcome:
    """Write a recording, register it perhaps, change it, register and import it, and judge what is stored."""
    path = place / "share" / "day1"
    folder = Folder(path, experiment, draw_damaged_tifs(random, experiment))
    return judge(random, draw(random, experiment), path, folder)


def draw_damaged_tifs(random: Random, experiment: str) -> DamagedTifs:
    """Return what a request says of damaged tifs."""
    refuses = experiment_type(experiment).refuses_damaged
    return DamagedTifs.REFUSE if refuses else random.choice(list(DamagedTifs))


def judge(random: Random, written: Written, path: Path, registered: Registered) -> Outcome:
    """Do the same with a recording that is drawn, in whatever the folder is registered."""
    mishaps: list[Mishap] = []
    list_bad_frames(random, written)
    try:
        is_registered = random.random() < _REGISTERED_BEFORE
        if is_registered:
            written.write(path)
            registered.register()
        _change(random, written, path, mishaps)
        if not is_registered or random.random() < _REGISTERED_AGAIN:
            registered.register()
        stacks = registered.stacks()
        found = [
            difference
            for stack in stacks
            if not _is_refused(stack, registered.said)
            for difference in differences(written, stack)
        ]
        if set(registered.damaged) - {name for mishap in mishaps for name in mishap.names}:
            found.append("a file is told to be damaged that is not")
        stored = {tif for stack in stacks for tif in stack.tifs}
        if not mishaps and {path / name for name in written.analysed} - stored:
            found.append("tifs are passed over")
    except Exception as error:
        names = tuple(name for mishap in mishaps for name in mishap.names)
        # The numbers of a list are of all tifs.
        if mishaps:
            names += tuple(name for name in written.others if name.endswith(FILE_NAME))
        names += tuple(_corrected(written, names))
        # What has no file of its own may be told of any.
        if any(not mishap.names for mishap in mishaps):
            names = (*names, *_all_files(path))
        return judge_error(error, _words(mishaps), names, path)
    # A registered session keeps its start, and the report says that its files begin at another time.
    is_said = set(found) == {OTHER_START} and any("the files begin at" in said for said in registered.said)
    return Outcome(TOLD if is_said else "; ".join(dict.fromkeys(found)) or SAME, _words(mishaps))


def _is_refused(stack: StoredStack, said: Sequence[str]) -> bool:
    """Return True if the report says that a person has to decide about a session, which stays as it was."""
    own = [message for message in said if message.startswith(f"'{stack.session.timeseries_name}': ")]
    return any("imaging-pipeline retire" in message for message in own)


def _change(random: Random, written: Written, path: Path, mishaps: list[Mishap]) -> None:
    """Do to the folder what may happen to it, and note it as soon as it is done."""
    before, names = dict(written.tifs), written.names
    edit = random.choice(EDITS)
    edited = edit(random, written) if random.random() < _EDITED else None
    mishaps += [edited] if edited else []
    _date(written, before)
    for name in set(names) - set(written.names):
        (path / name).unlink(missing_ok=True)
    written.write(path)
    if random.random() < _DAMAGED:
        mishaps += _damage(random, written, path)


def _date(written: Written, before: Mapping[str, Tif]) -> None:
    """Set when files were written: one that was renamed or copied keeps its time, as most programs do it."""
    moments = {id(tif): written.modified.get(name) for name, tif in before.items()}
    for number, (name, tif) in enumerate(sorted(written.tifs.items())):
        if before.get(name) is not tif:
            changed = COPIED + timedelta(days=1, seconds=number)
            written.modified[name] = moments.get(id(tif)) or changed


def _damage(random: Random, written: Written, path: Path) -> list[Mishap]:
    contents = {name: (path / name).read_bytes() for name in written.names}
    mishap = random.choice(DAMAGES)(random, written, path)
    for name, content in contents.items():
        if (path / name).read_bytes() != content:
            written.modified[name] += timedelta(days=2)
    written.age(path)
    return [mishap] if mishap else []


def _corrected(written: Written, names: Sequence[str]) -> Iterator[str]:
    """Yield the corrected tifs of raw ones: an import that finds other frames in one names it."""
    for name in names:
        corrected = f"{name.rpartition('_')[0]}_preproc.tif"
        if corrected in written.tifs:
            yield corrected


def _words(mishaps: list[Mishap]) -> tuple[str, ...]:
    return tuple(mishap.what for mishap in mishaps)


def _all_files(path: Path) -> list[str]:
    return [file.name for file in path.rglob("*")] if path.is_dir() else []


RECORDINGS = tuple(
    Subject(f"recordings of {experiment.name}", partial(run, experiment=experiment.name))
    for experiment in REGISTERED_EXPERIMENTS
)
