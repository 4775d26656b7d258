"""A folder of plain tifs with a ``session.json``, from its registration to the cells that Suite2p finds."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import tifffile

from imaging_pipeline.ingest import copying
from imaging_pipeline.schemas import imaging, suite2p_jobs, tables
from imaging_pipeline.schemas.administer.administration import add_options
from tests.makers.folders import COPIED, aged, write_suite2p
from tests.makers.lab import Lab, register, row_counts
from tests.makers.plain_tifs import HEIGHT, SAID, WIDTH, write_plain_tifs, write_session_json
from tests.makers.recordings import IMPORTED, populate
from tests.makers.scanimage import truncate
from tests.makers.stand_in_suite2p import stand_in_suite2p
from tests.makers.suite2p_output import Suite2pSpec
from tests.makers.suite2p_runs import RIGID

OPS_NAME = "small"


@pytest.fixture
def folder(lab: Lab) -> Path:
    """Return a folder of two tifs that was registered once."""
    folder = write_plain_tifs(lab.share / "day1")
    add_options(tables.default_tables(), OPS_NAME, RIGID)
    register_it(lab, folder)
    return folder


def register_it(lab: Lab, folder: Path) -> int:
    return register(lab, folder, combined=False, experiment_type="plain tifs", ops_name=OPS_NAME)


def test_the_folder_is_one_session_that_starts_when_session_json_says(lab: Lab, folder: Path) -> None:
    session = imaging.Session().fetch1()
    assert session["session_timestamp"] == datetime.fromisoformat(SAID["start"])
    assert session["timeseries_name"] == SAID["timeseries_name"]
    rows = (imaging.Session.Data * imaging.Dataset * imaging.PhysicalFile).to_dicts(
        order_by="datasettype, file_order"
    )
    assert [(row["datasettype"], Path(row["file_path"]).name) for row in rows] == [
        ("session_json", "session.json"),
        ("tif", "movie_1.tif"),
        ("tif", "movie_2.tif"),
    ]


def test_the_same_folder_of_plain_tifs_again_writes_nothing_but_the_request(lab: Lab, folder: Path) -> None:
    before = row_counts(lab)
    register_it(lab, folder)
    own = ("base_folder", "make_dataset_sessions", "~~")
    changed = {name for name, rows in row_counts(lab).items() if rows != before[name]}
    assert [name for name in changed if not any(part in name for part in own)] == []


def test_plain_tifs_are_imported_with_the_rates_of_session_json(lab: Lab, folder: Path) -> None:
    populate("Tif")
    stack = imaging.Tif().fetch1()
    assert (stack["height"], stack["width"], stack["frames_per_tif"]) == (HEIGHT, WIDTH, [8, 5])
    assert (stack["tif_rate_hz"], bool(stack["motion_cor"])) == (30.0, False)
    assert stack["mean_image"].load().shape == (HEIGHT, WIDTH)
    assert len(imaging.Tif.SI()) == 0


def test_suite2p_runs_on_plain_tifs_and_its_cells_are_imported(
    lab: Lab, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_suite2p(tmp_path / "packages", monkeypatch)

    suite2p_jobs.Suite2Py.populate()

    run = suite2p_jobs.Suite2Py().fetch1()
    assert (run["run_num_frames"], run["run_settings"]["fs"]) == (13, 30.0)
    register_it(lab, folder)
    populate(*IMPORTED)
    assert imaging.ImagingAnalysis().fetch1("num_frames", "analysis_rate_hz") == (13, 30.0)
    np.testing.assert_allclose(imaging.Cell.times(imaging.Cell().keys()[0]), np.arange(13) / 30)
    assert imaging.Cell().fetch1("num_cells") == 5


@pytest.mark.parametrize(
    ("dtype", "told"),
    [("int16", ""), ("uint16", "uint16 // 2"), ("int32", "int32 // 2"), ("float32", "float32, cut to int16")],
)
def test_an_output_made_by_hand_says_what_suite2p_made_of_the_pixels(lab: Lab, dtype: str, told: str) -> None:
    folder = write_plain_tifs(lab.share / "day2", dtype=dtype)
    files = {"file_list": ["movie_1.tif", "movie_2.tif"], "frames_per_file": (8, 5)}
    write_suite2p(folder / "suite2p", Suite2pSpec(**files))
    register(lab, folder, combined=False, experiment_type="plain tifs")
    populate("Tif", "ImagingAnalysis")
    assert imaging.ImagingAnalysis.Suite2py().fetch1("ops_pixel_conversion") == told


def test_suite2p_runs_on_the_frames_of_a_cut_tif_that_are_imported(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No program can set the time at which a file arrived.
    monkeypatch.setattr(copying, "PATIENCE_S", 0.0)
    stand_in_suite2p(tmp_path / "packages", monkeypatch)
    folder = write_plain_tifs(lab.share / "day1", pages=(12, 1))
    movie = np.random.default_rng(2).integers(1, 3000, (5, HEIGHT, WIDTH), np.int16)
    with tifffile.TiffWriter(folder / "movie_2.tif") as tif:
        for page in movie:
            tif.write(page, contiguous=False, metadata=None)
    aged(truncate(folder / "movie_2.tif", 500))
    add_options(tables.default_tables(), OPS_NAME, RIGID)
    requested = {"experiment_type": "plain tifs", "ops_name": OPS_NAME, "damaged_tifs": "cut"}
    register(lab, folder, combined=False, **requested)

    suite2p_jobs.Suite2Py.populate()
    register(lab, folder, combined=False, **requested)
    populate(*IMPORTED)

    assert imaging.Tif().fetch1("frames_per_tif") == [12, 4]
    assert suite2p_jobs.Suite2Py().fetch1("run_num_frames") == 16
    assert imaging.ImagingAnalysis().fetch1("num_frames") == 16


def test_a_corrected_rate_lets_the_tifs_be_imported_and_run_again(
    lab: Lab, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_suite2p(tmp_path / "packages", monkeypatch)
    populate("Tif")
    suite2p_jobs.Suite2Py.populate()
    aged(write_session_json(folder, frame_rate_hz=15.0), COPIED + timedelta(days=1))

    # The second time, too, the output that lies there is not taken for one of the new rate.
    register_it(lab, folder)
    register_it(lab, folder)

    assert len(imaging.Session()) == 1
    assert (len(imaging.Tif()), len(suite2p_jobs.Suite2Py())) == (0, 0)
    assert len(imaging.Dataset & {"datasettype": "suite2p_python"}) == 0
    populate("Tif")
    suite2p_jobs.Suite2Py.populate()
    assert imaging.Tif().fetch1("tif_rate_hz") == 15.0
    run = suite2p_jobs.Suite2Py().fetch1()
    assert (run["adopted"], run["run_settings"]["fs"]) == (False, 15.0)


def test_a_wrong_session_json_is_refused_with_its_key_and_nothing_is_registered(lab: Lab) -> None:
    folder = write_plain_tifs(lab.share / "day2", frame_rate=30.0, frame_rate_hz=None)
    request = imaging.BaseFolder.add(
        **{**lab.request(folder, combined=False), "experiment_type": "plain tifs"}
    )

    imaging.MakeDatasetSessions.populate(reserve_jobs=True, suppress_errors=True)

    message = (imaging.MakeDatasetSessions.jobs & {"basefolder_id": request}).fetch1("error_message")
    for told in (str(folder / "session.json"), "'frame_rate'", "did you mean 'frame_rate_hz'?"):
        assert told in message
    assert len(imaging.Session()) == 0
