"""The whole path: a folder is registered by its Windows path, workers do the rest, an analyst looks.

Suite2p itself runs once: the second database adopts what the first one's worker left on the share.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.analysis.spikes import filtered_spikes
from imaging_pipeline.config.config import Config
from imaging_pipeline.demo.field_of_view import FieldSettings
from imaging_pipeline.demo.laboratory import OPS_SETTINGS
from imaging_pipeline.demo.results import session_results
from imaging_pipeline.demo.share import Share, write_synthetic_share
from imaging_pipeline.demo.timeseries import Layout
from imaging_pipeline.demo.timeseries import Timeseries as Recorded
from imaging_pipeline.lanes import LANES
from imaging_pipeline.schemas import imaging, suite2p_jobs, tables
from imaging_pipeline.schemas.administer.administration import add_options
from imaging_pipeline.suite2p_runner.run import is_available
from imaging_pipeline.workers.messages import Event, Finished
from imaging_pipeline.workers.run import run_worker
from tests.makers.filled import empty_places
from tests.makers.lab import Lab, emptied_lab, row_counts

pytestmark = [
    pytest.mark.skipif(not is_available(), reason="Suite2p is not installed"),
    pytest.mark.slow(reason="Suite2p itself runs, and every table is filled by workers"),
]

OPS_NAME = "small"
FIELD = FieldSettings(height_px=96, width_px=96, num_cells=12)
LAYOUTS = (
    Layout("90218-openfield", datetime(2026, 3, 14, 10, 12, 5, 250_000), (360, 240), 200),
    Layout("90218-object", datetime(2026, 3, 14, 10, 41, 37, 500_000), (450,), 1000),
)

COLONY = "the colony's file is read by tests of its own"
BY_HAND = "people fill it in"
ONE_CHANNEL = "the recording has one channel"
RIGID = "the option set has no nonrigid registration"
NOT_CHANGED = "nothing of the folder changed"
# What stands in docs/tables.md, and has no row or value here.
EMPTY = {
    **dict.fromkeys(("AnimalColor", "Strain", "Gene", "Genotype"), COLONY),
    **{f"Animal.{name}": COLONY for name in ("BackgroundStrain", "Death", "Generation", "Litter", "Purpose")},
    **{f"Animal.{name}": COLONY for name in ("Strain", "animal_dob", "color", "animal_notes")},
    **dict.fromkeys(("Animal.FormerName", "Animal.Gone", "Sync", "Sync.Change", "Sync.Problem"), COLONY),
    **{f"User.{name}": BY_HAND for name in ("email", "last_name")},
    "Repository.repository_note": BY_HAND,
    "Tif.Plane.field_name": "the recording has one field of view",
    **dict.fromkeys(("Apparatus", "CueCard", "ArenaObject", "Intervention", "Scope", "Setup"), BY_HAND),
    **{f"Apparatus.{name}": BY_HAND for name in ("Geometry", "Treadmill")},
    **dict.fromkeys(("ArenaObject.Picture", "Scope.Picture"), BY_HAND),
    **{f"Setup.{name}": BY_HAND for name in ("Sync", "Tracking1D", "Tracking2D", "Treadmill")},
    **{f"Setup.{name}": BY_HAND for name in ("Scanimage", "Labview")},
    **{f"Session.{name}": BY_HAND for name in ("SessionType", "Apparatus", "ArenaObject", "CueCard")},
    "Session.Intervention": BY_HAND,
    **{f"BaseFolder.{name}": "the request names none" for name in ("setup", "scope_name", "sessiontype")},
    "BaseFolder.awaited_animal": "the animal was there",
    "Upgrade": "the tables are of this version",
    "PhysicalFile.pages_taken": "no tif is damaged",
    "PhysicalFile.content_hash": "no array of an output is large",
    **{
        name: "pixels are int16"
        for name in ("Suite2Py.run_pixel_conversion", "ImagingAnalysis.Suite2py.ops_pixel_conversion")
    },
    **{f"MetaSession.{name}": "the request names none" for name in ("Note", "Scope", "Setup")},
    **{
        f"MakeDatasetSessions.{name}": NOT_CHANGED for name in ("Purge", "JobReset", "Dataset.dataset_reason")
    },
    "MakeDatasetSessions.Finding": "nothing is wrong with the output",
    **dict.fromkeys(("ImagingAnalysis.Suite2p", "ImagingAnalysis.measured_hash"), "Suite2p is not MATLAB's"),
    **dict.fromkeys(("Mesc", "PhysicalFile.file_part", "PhysicalFile.file_parts"), "it is of ScanImage"),
    "Projection.Plane.mean_image_second": ONE_CHANNEL,
    **{f"Cell.Rois.{name}": ONE_CHANNEL for name in ("redcell", "redcell_prob")},
    **{f"Projection.Motion.{name}": RIGID for name in ("block_mocor_x", "block_mocor_y")},
    **dict.fromkeys(("Cell.Merged", "Cell.Rois.imerge"), "nobody merged regions"),
    "Curation": NOT_CHANGED,
    **{f"Retirement{part}": "nothing was wrong" for part in ("", ".Session", ".Note", ".Purge")},
    **dict.fromkeys(("Account", "SignIn", "SignInFailure", "Change"), "nobody signs in"),
    **dict.fromkeys(("JobAction", "JobAction.Job"), "no job failed"),
    **dict.fromkeys(
        ("Worker", "Worker.Process", "Worker.Lack"), "a worker that has ended takes its rows away"
    ),
}


@dataclass(frozen=True)
class Worked:
    """A lab after its worker had nothing left to do, and the share that it worked on."""

    lab: Lab
    share: Share
    events: list[Event]
    summary: str

    def traces(self, recorded: Recorded, name: str) -> np.ndarray:
        """Return a session's part of an array of Suite2p's own output."""
        folder = self.share.root / imaging.MetaSession().fetch1("suite2p_folder")
        array = np.load(folder / OPS_NAME / "suite2p" / "plane0" / f"{name}.npy")
        before = sum(each.num_frames for each in self.share.timeseries if each.start < recorded.start)
        return array[:, before : before + recorded.num_frames]


@pytest.fixture(scope="session")
def share(tmp_path_factory: pytest.TempPathFactory) -> Share:
    """Write a small laboratory's share, for all backends together."""
    return write_synthetic_share(
        tmp_path_factory.mktemp("path") / "share", field_settings=FIELD, layouts=LAYOUTS
    )


@pytest.fixture(scope="module")
def worked(server_config: Config, share: Share, tmp_path_factory: pytest.TempPathFactory) -> Worked:
    """Register the folder and run a worker to its end."""
    lab = emptied_lab(server_config, tmp_path_factory.mktemp("lab"), share.root)
    add_options(tables.default_tables(), OPS_NAME, OPS_SETTINGS)
    request(lab, share)
    return work(lab, share)


def request(lab: Lab, share: Share) -> None:
    wanted = lab.request(share.folder, combined=True)
    assert wanted["path"] == "N:\\moser\\90218\\2026-03-14"
    imaging.BaseFolder.add(**wanted, ops_name=OPS_NAME, register_uncurated=True)


def work(lab: Lab, share: Share) -> Worked:
    events: list[Event] = []
    summary = run_worker(LANES, once=True, idle_s=1.0, config=lab.config, on_event=events.append)
    return Worked(lab, share, events, str(summary))


def key_of(recorded: Recorded) -> dict[str, str]:
    sessions = imaging.Session & {"timeseries_name": recorded.name}
    return dict((imaging.ImagingAnalysis & sessions).proj().fetch1())


def test_everything_is_done_without_an_error(worked: Worked) -> None:
    messages = [event.message for event in worked.events if isinstance(event, Finished)]
    assert worked.summary.endswith("errors 0, left 0"), messages
    assert len(suite2p_jobs.Suite2Py()) == 1
    assert list(worked.share.root.rglob("*.superseded-*")) == []
    # As requested, and once more by itself when Suite2p had run.
    assert len(imaging.MakeDatasetSessions()) == 2
    assert [row["timeseries_name"] for row in imaging.Session().to_dicts(order_by="session_order")] == [
        recorded.name for recorded in worked.share.timeseries
    ]


def test_every_file_of_the_folder_is_accounted_for(worked: Worked) -> None:
    reported = imaging.MakeDatasetSessions.File & {"basefolder_id": 1}
    verdicts = {Path(row["reported_path"]).name: row["file_verdict"] for row in reported.to_dicts()}
    for recorded in worked.share.timeseries:
        assert {verdicts[path.name] for path in (*recorded.tifs, *recorded.tracking)} == {"used"}
    assert verdicts[worked.share.notes.name] == "unknown"


def test_each_session_s_traces_are_its_part_of_suite2p_s(worked: Worked) -> None:
    assert len(imaging.Cell()) == len(worked.share.timeseries)
    for recorded in worked.share.timeseries:
        key = key_of(recorded)
        rows = (imaging.Cell.Traces & key).to_dicts(order_by="cell_id")
        ids = [row["cell_id"] for row in rows]
        assert {row["samples"] for row in rows} == {recorded.num_frames}
        np.testing.assert_array_equal([row["fluo"] for row in rows], worked.traces(recorded, "F")[ids])
        np.testing.assert_array_equal(
            imaging.Cell.array(key, "neuropil"), worked.traces(recorded, "Fneu")[ids]
        )
        assert (imaging.Tif & {"session_name": key["session_name"]}).fetch1(
            "num_frames"
        ) == recorded.num_frames


def test_spikes_are_filtered_within_each_session(worked: Worked) -> None:
    for recorded in worked.share.timeseries:
        rows = (imaging.FilteredSpikes.Cell & key_of(recorded)).to_dicts(order_by="cell_id")
        ids = [row["cell_id"] for row in rows]
        assert len(ids) == (imaging.Cell & key_of(recorded)).fetch1("num_cells")
        expected = filtered_spikes(worked.traces(recorded, "spks")[ids], 2.0).spikes
        np.testing.assert_array_equal([row["filtered_spikes"] for row in rows], expected)


def test_the_cells_are_those_of_the_movie(worked: Worked) -> None:
    truths = {recorded.name: recorded.truth for recorded in worked.share.timeseries}
    sessions = session_results(truths)
    assert len(sessions) == len(truths)
    for session in sessions:
        assert session.score is not None
        assert session.score.recall >= 0.9, session
        assert session.score.precision >= 0.9, session


def test_all_that_is_documented_is_filled_or_has_a_reason_not_to_be(worked: Worked) -> None:
    assert set(empty_places()) == set(EMPTY)


@pytest.mark.slow(reason="every lane is worked once more")
def test_registering_again_adds_nothing(worked: Worked) -> None:
    before = row_counts(worked.lab)
    request(worked.lab, worked.share)
    assert work(worked.lab, worked.share).summary.endswith("errors 0, left 0")
    changed = {name for name, rows in row_counts(worked.lab).items() if rows != before[name]}
    requests = ("base_folder", "make_dataset_sessions", "~~")
    assert {name for name in changed if not any(part in name for part in requests)} == set()
