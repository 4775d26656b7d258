"""What somebody, a disk or a share does to a run of Suite2p, and how it is undone."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pytest

from imaging_pipeline.errors import PipelineError, Responsible
from imaging_pipeline.progress import Progress
from imaging_pipeline.suite2p_runner import run as run_module
from tests.makers.scanimage import truncate
from tests.makers.small_disk import SmallDisk
from tests.makers.suite2p_runs import Runs


@dataclass
class Scene:
    """A recording that is about to be run, and what a mishap may turn.

    Attributes
    ----------
    disk
        The small disk that is the scratch or the share, where the mishap wants one.
    content
        Of the first tif, before anything happened.
    undo
        What brings everything back.
    """

    runs: Runs
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    disk: SmallDisk | None = None
    content: bytes = b""
    undo: list[Callable[[], object]] = field(default_factory=list)

    @property
    def small(self) -> SmallDisk:
        assert self.disk is not None
        return self.disk

    def sized(self, text: str) -> str:
        """Return a text with the bytes of the first tif put in, some added or taken away."""
        size = len(self.content)
        return re.sub(r"\{size([+-]\d+)?\}", lambda match: str(size + int(match[1] or 0)), text)

    def bring_back(self) -> None:
        """Undo what happened, the last first."""
        while self.undo:
            self.undo.pop()()


def scene_of(
    runs: Runs,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    disk: SmallDisk | None = None,
    *,
    is_scratch: bool = False,
) -> Scene:
    """Return the scene of a recording, whose scratch lies on the small disk if that is for it."""
    if disk is not None and is_scratch:
        runs = replace(runs, request=replace(runs.request, scratch=disk.path / "scratch"))
    return Scene(runs, folder, monkeypatch, disk, runs.tifs[0].read_bytes())


Act = Callable[[Scene], object]


def _nothing(_scene: Scene) -> None:
    """Do nothing."""


def _none(_scene: Scene, _step: Progress) -> None:
    """Do nothing while it runs."""


@dataclass(frozen=True)
class Mishap:
    """One thing that goes wrong.

    Attributes
    ----------
    found, also_found, remedy, responsible, what, allowed, allowed_part, kind
        Parts of the error, and its class; ``{size}`` stands for the bytes of the first tif as it was, and
        ``{size+4}`` for four more. Of ``also_found`` and ``allowed_part`` any part is meant.
    path
        Which file or folder the error names.
    order, details
        What the stand-in is told to do.
    before, on_step
        What happens before the run, and at a step of it.
    small
        Which disk is a small one.
    left
        What must be true of scratch and target afterwards.
    then
        What the same request does when everything is back.
    """

    found: str
    remedy: str
    responsible: Responsible
    what: str = ""
    allowed: str = ""
    allowed_part: str = ""
    also_found: str = ""
    kind: type[PipelineError] = PipelineError
    path: Callable[[Runs], Path] = lambda runs: runs.tifs[0]
    order: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    before: Act = _nothing
    on_step: Callable[[Scene, Progress], object] = _none
    small: Literal["", "scratch", "share"] = ""
    left: Callable[[Runs], object] = Runs.assert_nothing_is_left
    then: Callable[[Runs], object] = Runs.assert_it_succeeds_now


def scratch(runs: Runs) -> Path:
    return runs.request.scratch


def target(runs: Runs) -> Path:
    return runs.request.target


def fill(disk: Path, leave_bytes: int = 0) -> None:
    """Let somebody else write to a disk until it is full, but for so many bytes."""
    (disk / "other.bin").write_bytes(bytes(shutil.disk_usage(disk).free - leave_bytes))


def unmount(scene: Scene) -> None:
    """Leave an empty mount point, as a share does that went away."""
    share = scene.runs.share
    away = share.with_name("share away")
    share.rename(away)
    share.mkdir()
    scene.undo.append(lambda: (share.rmdir(), away.rename(share)))


def at(step_name: str, act: Act) -> Callable[[Scene, Progress], None]:
    """Act at the first report of a step."""

    def on_step(scene: Scene, step: Progress) -> None:
        if step.step.startswith(step_name) and not scene.undo:
            scene.undo.append(lambda: None)
            act(scene)

    return on_step


def once_half_is_copied(act: Act) -> Callable[[Scene, Progress], None]:
    """Act at the first report in which half of the output is copied."""

    def on_step(scene: Scene, step: Progress) -> None:
        if step.step == "copying the output" and 2 * step.done > step.total and not scene.undo:
            act(scene)

    return on_step


def while_it_waits(act: Act) -> Callable[[Scene, Progress], None]:
    """Act while the stand-in waits, and let it go on."""

    def on_step(scene: Scene, step: Progress) -> None:
        if step.message == "the stand-in waits":
            act(scene)
            scene.runs.stand_in.order()

    return on_step


def need_no_spare_room(scene: Scene) -> None:
    scene.monkeypatch.setattr(run_module, "_SPARE_BYTES", 0)


def enlarge_afterwards(scene: Scene) -> None:
    scene.undo.append(lambda: scene.small.remount("size=900m"))


def fill_share(scene: Scene) -> None:
    fill(scene.small.path, leave_bytes=100_000)
    scene.undo.append((scene.small.path / "other.bin").unlink)


def fill_share_to_the_end(scene: Scene) -> None:
    fill(scene.small.path)
    scene.undo.append((scene.small.path / "other.bin").unlink)


def fill_scratch(scene: Scene) -> None:
    """Fill the disk, which is thrown away afterwards."""
    fill(scene.small.path)


def make_read_only(scene: Scene) -> None:
    scene.small.remount("ro")
    scene.undo.append(lambda: scene.small.remount("rw"))


def clear_scratch(scene: Scene) -> None:
    shutil.rmtree(scene.runs.request.scratch)


def remove_output_folder(scene: Scene) -> None:
    shutil.rmtree(scene.runs.request.target.parent)


def replace_by_file(scene: Scene) -> None:
    place = scene.runs.request.target.parent
    aside = place.with_name("moved away")
    place.rename(aside)
    place.write_bytes(b"a file")
    scene.undo.append(lambda: (place.unlink(), aside.rename(place)))


def refuse_a_copy(code: int) -> Act:
    def act(scene: Scene) -> None:
        copy = shutil.copyfile

        def refuse(source: Path, copied: Path) -> object:
            if "F.npy" in str(source):
                raise OSError(code, os.strerror(code), str(copied))
            return copy(source, copied)

        scene.monkeypatch.setattr(shutil, "copyfile", refuse)
        scene.undo.append(lambda: scene.monkeypatch.setattr(shutil, "copyfile", copy))

    return act


def remove_second_tif(scene: Scene) -> None:
    tif = scene.runs.tifs[1]
    content, time_ns = tif.read_bytes(), tif.stat().st_mtime_ns
    tif.unlink()
    scene.undo.append(lambda: (tif.write_bytes(content), os.utime(tif, ns=(time_ns, time_ns))))


def change_first_tif(scene: Scene) -> None:
    scene.runs.tifs[0].write_bytes(scene.content[:-2] + b"\1\1")


def grow_first_tif(scene: Scene) -> None:
    scene.runs.tifs[0].write_bytes(scene.content + b"more")
    scene.undo.append(lambda: scene.runs.tifs[0].write_bytes(scene.content))


def truncate_first_tif(missing_bytes: int) -> Act:
    return lambda scene: truncate(scene.runs.tifs[0], missing_bytes)


def assert_no_scratch(runs: Runs) -> None:
    assert not runs.request.scratch.exists()
    runs.assert_place_is_untouched()


def assert_no_output_folder(runs: Runs) -> None:
    assert list(runs.request.target.parent.parent.iterdir()) == []


def assert_empty_mount_point(runs: Runs) -> None:
    """The place itself is away, and looked at when the share is back."""
    assert list(runs.request.scratch.iterdir()) == []
    assert list(runs.share.iterdir()) == []


def accept_anything(_runs: Runs) -> None:
    """Whatever there is."""
