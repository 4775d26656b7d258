"""What people, copying and crashes do to recordings, through a database."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from imaging_pipeline.ingest.damaged_tifs import DamagedTifs
from imaging_pipeline.ingest.records import SessionRecord
from imaging_pipeline.schemas import imaging
from imaging_pipeline.schemas.make.stacks import read_tifs, tif_dataset
from imaging_pipeline.schemas.tables import default_tables
from tests.altered.cases import SAME
from tests.altered.recording_cases import draw_damaged_tifs, judge
from tests.altered.recordings import PLAIN, PREPROCESSED, SCANIMAGE, draw
from tests.altered.registering import StoredStack, identities, tells_damage
from tests.makers.lab import Lab, register

# With a tif that is cut, one that is left out, and lists of bad frames.
SEED = 66
NUM_CASES = 4


class RegisteredFolder:
    """A folder of recordings in a lab's database."""

    def __init__(self, lab: Lab, path: Path, experiment: str, damaged_tifs: DamagedTifs) -> None:
        self._lab, self._path = lab, path
        self._place = path.relative_to(lab.share).as_posix()
        self._inputs = {"experiment_type": experiment, "damaged_tifs": damaged_tifs}
        self.said: tuple[str, ...] = ()
        self.damaged: tuple[str, ...] = ()

    def register(self) -> None:
        """Request the folder, and make its sessions."""
        request = register(self._lab, self._path, combined=False, **self._inputs)
        report = imaging.MakeDatasetSessions.Finding & {"basefolder_id": request}
        self.said = tuple(str(row) for row in report.to_dicts())
        files = imaging.MakeDatasetSessions.File & {"basefolder_id": request}
        damaged = [row["reported_path"] for row in files.to_dicts() if tells_damage(row["file_reason"])]
        self.damaged = tuple(path.removeprefix(f"{self._place}/") for path in damaged)

    def stacks(self) -> list[StoredStack]:
        """Import the tifs of the folder's sessions, and fetch what is stored of them."""
        # An earlier folder, whose tifs are refused, stays due.
        own = (imaging.MetaSession & {"metasession_folder": self._place}).proj()
        imaging.Tif.populate(own)
        keys = (imaging.Tif & own).keys()
        return [self._stack(dict(key)) for key in keys]

    def _stack(self, key: dict[str, Any]) -> StoredStack:
        session = (imaging.Session & {"session_name": key["session_name"]}).fetch1()
        scanimage = [_loaded(row) for row in (imaging.Tif.SI & key).to_dicts()]
        dataset = tif_dataset(default_tables(), key)
        return StoredStack(
            SessionRecord(key["session_name"], session["timeseries_name"], session["session_timestamp"], ()),
            _loaded((imaging.Tif & key).fetch1()),
            scanimage[0] if scanimage else None,
            tuple(Path(file.path) for file in dataset.tifs),
            tuple(file.acquisition for file in dataset.tifs),
            identities(read_tifs(dataset)),
            tuple(file.pages_taken is not None for file in dataset.tifs),
            Path(dataset.bad_frames[0].path) if dataset.bad_frames else None,
            None,
        )


def _loaded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.load() if hasattr(value, "load") else value for name, value in row.items()}


@pytest.mark.parametrize("experiment", [SCANIMAGE, PREPROCESSED, PLAIN])
def test_what_is_stored_of_altered_recordings_is_what_was_written_or_an_error_names_the_file(
    lab: Lab, experiment: str
) -> None:
    outcomes = []
    for number in range(NUM_CASES):
        random = Random(f"{SEED}/{experiment}/{number}")
        # Sessions of one animal that begin at one moment are one session.
        written = draw(random, experiment, day=10 * number)
        path = lab.share / "90218" / f"day{number}"
        folder = RegisteredFolder(lab, path, experiment, draw_damaged_tifs(random, experiment))
        outcome = judge(random, written, path, folder)
        print(f"seed {SEED}, {experiment} {number}: {outcome.kind} after {outcome.mishaps}")
        outcomes.append(outcome)
    assert [outcome for outcome in outcomes if outcome.is_finding] == []
    assert SAME in [outcome.kind for outcome in outcomes]
