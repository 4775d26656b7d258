from datetime import datetime, timedelta

import numpy as np
import pytest
import tifffile

from imaging_pipeline import progress
from imaging_pipeline.demo.field_of_view import FieldSettings
from imaging_pipeline.demo.laboratory import OPS_SETTINGS
from imaging_pipeline.demo.movie import MovieSettings
from imaging_pipeline.demo.share import LAYOUTS, synthetic_truths, write_share_of_movie, write_synthetic_share
from imaging_pipeline.demo.timeseries import Layout
from imaging_pipeline.demo.user_movie import open_movie
from imaging_pipeline.errors import InputError
from imaging_pipeline.readers.scanimage.frames import read_frame_times
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.suite2p_runner.options import translate

LAYOUT = (
    Layout("90218-openfield", datetime(2026, 3, 14, 10, 12, 5, 250_000), (25, 15), 10),
    Layout("90218-object", datetime(2026, 3, 14, 10, 41, 37, 500_000), (30,), 100),
)


def small_share(root, seed=0):
    return write_synthetic_share(
        root, seed, FieldSettings(height_px=48, width_px=48, num_cells=3), MovieSettings(), LAYOUT
    )


def test_the_folder_is_named_and_filled_as_an_experimenter_would(tmp_path):
    share = small_share(tmp_path)
    assert share.folder == tmp_path / "90218" / "2026-03-14"
    assert sorted(path.name for path in share.folder.iterdir()) == [
        "90218-object_00001_00001.tif",
        "90218-object_0001.csv",
        "90218-openfield_00001_00001.tif",
        "90218-openfield_00001_00002.tif",
        "90218-openfield_00001_00003.tif",
        "90218-openfield_00002_00001.tif",
        "90218-openfield_00002_00002.tif",
        "90218-openfield_0001.csv",
        "90218-openfield_0002.csv",
        "notes.txt",
    ]


def test_each_tif_holds_its_stated_frames(tmp_path):
    share = small_share(tmp_path)
    openfield, other = share.timeseries
    assert openfield.frames_per_tif == (10, 10, 5, 10, 5)
    assert (openfield.num_frames, other.num_frames) == (40, 30)
    for series in share.timeseries:
        tifs = [read_tif(path) for path in series.tifs]
        assert tuple(tif.num_frames for tif in tifs) == series.frames_per_tif
        assert tifs[0].header.start == series.start
        assert tifs[0].header.frame_rate_hz == share.frame_rate_hz


def test_frame_numbers_continue_over_files_and_restart_with_an_acquisition(tmp_path):
    tifs = small_share(tmp_path).timeseries[0].tifs
    times = [read_frame_times(read_tif(path)) for path in tifs]
    assert [int(t.frame_numbers[0]) for t in times] == [1, 11, 21, 1, 11]
    assert times[1].timestamps_s[0] - times[0].timestamps_s[-1] == pytest.approx(1 / 15, abs=1e-6)
    first, second = (read_tif(tifs[index]).header.start for index in (0, 3))
    assert second - first == timedelta(seconds=20) + timedelta(milliseconds=1667)


def test_pixels_are_those_of_the_seed(tmp_path):
    one, again, other = (small_share(tmp_path / name, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    tifs = [share.timeseries[1].tifs[0].read_bytes() for share in (one, again, other)]
    assert tifs[0] == tifs[1]
    assert tifs[0] != tifs[2]


def test_both_timeseries_show_the_same_cells_with_other_activity(tmp_path):
    first, second = (series.truth for series in small_share(tmp_path).timeseries)
    np.testing.assert_array_equal(first.centres_px, second.centres_px)
    assert (first.spikes.shape, second.spikes.shape) == ((3, 40), (3, 30))
    assert (first.calcium[:, :30] != second.calcium).any()


def test_files_are_as_old_as_the_recording(tmp_path):
    share = small_share(tmp_path)
    ages = [datetime.fromtimestamp(path.stat().st_mtime) for path in share.folder.iterdir()]
    assert {age.date() for age in ages} == {datetime(2026, 3, 14).date()}


def test_tracking_files_hold_positions_in_the_box_for_as_long_as_the_acquisition(tmp_path):
    series = small_share(tmp_path).timeseries[0]
    lines = series.tracking[0].read_text().splitlines()
    assert lines[1:4] == [
        "Tracking height (px): 500 | Tracking width (px): 500",
        "First frame system timestamp:  2026-03-14_10-12-05",
        "frame,cam_timestamp,sys_timestamp,green_x,green_y,red_x,red_y",
    ]
    columns = np.loadtxt(series.tracking[0], delimiter=",", skiprows=4, dtype=np.int64)
    assert np.ptp(columns[:, 1]) / 1e9 == pytest.approx(25 / 15, abs=0.04)
    assert (columns[:, 3:] >= 0).all()
    assert (columns[:, 3:] < 500).all()


def test_truths_are_known_without_the_files():
    truths = synthetic_truths()
    assert {name: truth.num_frames for name, truth in truths.items()} == {
        "90218-openfield": 1200,
        "90218-object": 900,
    }


def test_the_demos_own_timeseries_are_of_unequal_length_in_two_acquisitions_and_several_files():
    first, second = LAYOUTS
    assert first.num_frames != second.num_frames
    assert len(first.frames_per_acquisition) == 2
    assert first.frames_per_file < first.frames_per_acquisition[0]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "90218" / "2026-03-14").mkdir(parents=True)
    mine = tmp_path / "90218" / "2026-03-14" / "mine.txt"
    mine.write_text("mine")
    with pytest.raises(InputError, match="already"):
        small_share(tmp_path)
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]


def test_a_persons_movie_becomes_two_timeseries_with_all_its_frames(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 900, (210, 40, 50)).astype(np.int16)
    np.save(tmp_path / "mine.npy", pixels)
    share = write_share_of_movie(tmp_path / "share", open_movie(tmp_path / "mine.npy"), frame_rate_hz=20)
    assert [series.frames_per_tif for series in share.timeseries] == [(40, 30, 40, 10), (90,)]
    assert [series.truth for series in share.timeseries] == [None, None]
    written = [tifffile.imread(path, key=slice(None)) for series in share.timeseries for path in series.tifs]
    np.testing.assert_array_equal(np.concatenate(written), pixels)


def test_a_frame_rate_out_of_range_is_refused(tmp_path):
    np.save(tmp_path / "mine.npy", np.random.default_rng(0).integers(0, 9, (100, 40, 40)).astype(np.int16))
    with pytest.raises(InputError, match="frame rate"):
        write_share_of_movie(tmp_path / "share", open_movie(tmp_path / "mine.npy"), frame_rate_hz=0)


def test_writing_reports_how_far_it_is(tmp_path):
    reports = []
    with progress.listening(reports.append):
        small_share(tmp_path)
    assert {(report.step, report.total) for report in reports} == {
        ("writing 90218-openfield", 40),
        ("writing 90218-object", 30),
    }


def test_the_demos_option_set_is_one_that_suite2p_takes():
    assert translate(OPS_SETTINGS).settings == OPS_SETTINGS
