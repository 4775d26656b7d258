"""The folder of a recording on a share, and what people do there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

from tests.makers.folders import write_suite2p
from tests.makers.recordings import Recording, write_recording
from tests.makers.suite2p_output import Suite2pSpec, curate

FIRST = Recording("90218-openfield", ((12,),))
SECOND = Recording(
    "90218-object",
    ((11,),),
    replace(FIRST.settings, start=FIRST.settings.start + timedelta(minutes=40)),
)
NUM_ROIS = 5


class Share:
    """A share with one folder, in which two recordings lie.

    Parameters
    ----------
    root
        Its root.
    chance
        Decides on everything.

    Attributes
    ----------
    folder
        The folder as it is called now.
    """

    def __init__(self, root: Path, chance: Random) -> None:
        self._root = root
        self._chance = chance
        self._undo: list[Callable[[], None]] = []
        self.folder = root / "90218" / "day1"
        for recording in (FIRST, SECOND):
            write_recording(self.folder, recording)

    def output_by_hand(self) -> None:
        """Run Suite2p by hand, into a folder that has no output yet."""
        root = self.folder / self._chance.choice(("suite2p", "by hand"))
        if root.exists():
            return
        recordings = (FIRST, SECOND)
        spec = Suite2pSpec(
            file_list=[name for each in recordings for name in each.tif_names],
            frames_per_file=[count for each in recordings for count in each.volumes_per_tif],
            num_rois=NUM_ROIS,
            settings={"tau": self._chance.choice((1.0, 2.0))},
            seed=self._chance.randrange(1000),
        )
        write_suite2p(root, spec)

    def curate(self) -> None:
        """Choose the cells of an output anew."""
        planes = self._planes()
        if planes:
            plane = self._chance.choice(planes)
            former = (plane / "iscell.npy").read_bytes()
            curate(plane, [self._chance.random() < 0.6 for _ in range(NUM_ROIS)])
            self._undo.append(lambda: _write_again(plane / "iscell.npy", former))

    def copy(self) -> None:
        """Copy an output beside itself, as a backup."""
        outputs = self._outputs()
        if outputs:
            output = self._chance.choice(outputs)
            copy = output.with_name(f"{output.name} - Copy")
            if not copy.exists():
                shutil.copytree(output, copy)
                self._undo.append(lambda: shutil.rmtree(copy, ignore_errors=True))

    def rename_output(self) -> None:
        """Rename the folder of an output, or take it out of the recording's folder."""
        outputs = self._outputs()
        if outputs:
            output = self._chance.choice(outputs)
            places = (output.with_name(f"{output.name}_old"), self._root / "kept" / output.name)
            self._rename(output, self._chance.choice(places))

    def rename_folder(self) -> None:
        """Rename the recording's folder."""
        former, new = self.folder, self.folder.with_name(f"{self.folder.name}b")
        self._rename(former, new)
        self.folder = new

    def undo(self) -> None:
        """Undo what was done last on the share, if it still can be."""
        if self._undo:
            self._undo.pop()()
            self.folder = next(iter(sorted((self._root / "90218").glob("day1*"))))

    def _rename(self, former: Path, new: Path) -> None:
        if not new.exists():
            new.parent.mkdir(exist_ok=True)
            former.rename(new)
            self._undo.append(lambda: _rename_back(new, former))

    def _outputs(self) -> list[Path]:
        """Return the folders of outputs that people may copy or rename."""
        roots = {plane.parent for plane in self._planes()}
        # What Suite2p wrote by itself is named after the folder that it lies in.
        return sorted({root.parent if root.parent != self.folder else root for root in roots})

    def _planes(self) -> list[Path]:
        return sorted(path.parent for path in self.folder.rglob("iscell.npy"))


def _write_again(path: Path, content: bytes) -> None:
    if path.exists():
        path.write_bytes(content)


def _rename_back(new: Path, former: Path) -> None:
    if new.exists() and not former.exists():
        new.rename(former)
