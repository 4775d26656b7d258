"""Suite2p's traps: what it finds lying about is not taken up, and what it would mix up does not go in."""

import multiprocessing
import signal

import numpy as np
import pytest

from imaging_pipeline.demo.scanimage_file import ScanImageSettings
from imaging_pipeline.errors import FormatError, Responsible
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.suite2p.output import find_outputs, read_motion, read_output, read_traces
from imaging_pipeline.readers.tiff.recorded import iter_pages
from imaging_pipeline.suite2p_runner.child_process import run_child
from imaging_pipeline.suite2p_runner.known_options import default_settings
from imaging_pipeline.suite2p_runner.request import Trim
from imaging_pipeline.suite2p_runner.run import run
from tests.makers.scanimage import truncate
from tests.makers.stand_in_suite2p import stand_in_suite2p
from tests.makers.suite2p_runs import Runs, assert_told, mean_rows, traces, write_runs


@pytest.fixture
def runs(tmp_path, monkeypatch):
    return write_runs(tmp_path, stand_in_suite2p(tmp_path / "packages", monkeypatch))


def killed_amid_a_run(runs: Runs) -> None:
    """Let a process run Suite2p, and kill both after the first tif."""
    runs.stand_in.order("kill all", "reading tifs")
    process = multiprocessing.get_context("spawn").Process(target=run, args=(runs.request,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def test_a_run_that_was_killed_with_its_worker_is_begun_anew(runs: Runs):
    killed_amid_a_run(runs)
    (left,) = runs.request.scratch.iterdir()
    half = np.fromfile(left / "output" / "suite2p" / "plane0" / "data.bin", np.int16)
    assert half.size == 12 * 12 * 16, "one tif of two was read"
    runs.assert_place_is_untouched()

    runs.assert_it_succeeds_now()


def test_a_half_read_movie_would_be_taken_for_whole_if_it_were_there(runs: Runs, tmp_path):
    """The trap that the test above is about: Suite2p goes on with a binary that it finds."""
    killed_amid_a_run(runs)
    (left,) = runs.request.scratch.iterdir()
    (tmp_path / "again").mkdir()
    runs.stand_in.order()
    db = {"nplanes": 1, "nchannels": 1, "ignore_flyback": None, "file_list": [str(tif) for tif in runs.tifs]}
    db |= {"data_path": [str(tmp_path / "again")]}
    job = {
        "db": {**db, "save_path0": str(left / "output"), "save_folder": "suite2p"},
        "settings": default_settings(),
        "originals": [],
        "num_pages": 26,
        "planes": [0],
        "threads": 1,
        "log_file": str(tmp_path / "again" / "run.log"),
    }

    run_child(job, tmp_path / "again")

    assert traces(left / "output").shape == (5, 12)


def test_a_list_of_bad_frames_that_lies_beside_the_tifs_is_not_heeded(runs: Runs):
    np.save(runs.tifs[0].parent / "bad_frames.npy", np.array([3, 4]))

    (plane,) = read_output(runs.run().target / "suite2p").planes

    assert not read_motion(plane).bad_frames.any()


def test_planes_do_not_swap_where_an_acquisition_ends_amid_a_volume(tmp_path, monkeypatch):
    stand_in = stand_in_suite2p(tmp_path / "packages", monkeypatch)
    runs = write_runs(tmp_path, stand_in, pages=(25, 24), settings=ScanImageSettings(20.0, num_planes=2))

    result = runs.run()

    (root,) = find_outputs(result.target)
    output = read_output(root)
    assert result.trimmed == (Trim(runs.tifs[0].name, 1),)
    assert output.file_list == tuple(tif.name for tif in runs.tifs)
    for plane in output.planes:
        pages = [page for tif in runs.request.tifs for page in iter_pages(tif, range(plane.plane, 24, 2))]
        assert plane.frames_per_file == (12, 12)
        np.testing.assert_array_equal(read_traces(plane).fluo, mean_rows(pages))


@pytest.mark.parametrize("missing_bytes", [10, 2000])
def test_a_first_tif_that_is_cut_short_never_reaches_suite2p(runs: Runs, missing_bytes):
    """Suite2p would read what is there, and say nothing."""
    content = runs.tifs[0].read_bytes()
    truncate(runs.tifs[0], missing_bytes)

    error = runs.failed()

    assert_told(
        error,
        path=runs.tifs[0],
        found=f"{len(content) - missing_bytes} bytes",
        remedy="Leave the files alone",
        responsible=Responsible.RETRY,
    )
    assert error.allowed == f"{len(content)} bytes"
    with pytest.raises(FormatError, match=rf"truncated.*{runs.tifs[0].name}"):
        read_tif(runs.tifs[0])
    assert not runs.request.scratch.exists()
    runs.assert_place_is_untouched()
