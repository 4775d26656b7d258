"""Suite2p's window is opened with what the pipeline imports, or an error says what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imaging_pipeline.errors import InputError, NothingFoundError, OutputError, PipelineError
from imaging_pipeline.suite2p_runner.window import rois_file
from tests.makers.folders import write_suite2p
from tests.makers.stand_in_suite2p import StandIn, stand_in_suite2p
from tests.makers.suite2p_output import Suite2pSpec

ONE_PLANE = Suite2pSpec(file_list=["90218-day_00001_00001.tif"], frames_per_file=[6])
TWO_PLANES = {"file_list": ONE_PLANE.file_list, "frames_per_file": [6], "num_planes": 2}
COMMAND = "from imaging_pipeline.cli import main; main()"


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Importing Suite2p itself takes seconds, and its window needs a display."""
    return stand_in_suite2p(tmp_path / "packages", monkeypatch)


def run(output: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COMMAND, "suite2p", str(output)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("given", ["", "fast", "fast/suite2p", "fast/suite2p/plane0"])
def test_the_one_output_of_a_folder_is_found(tmp_path: Path, given: str) -> None:
    write_suite2p(tmp_path / "fast" / "suite2p", ONE_PLANE)
    assert rois_file(tmp_path / given) == tmp_path / "fast" / "suite2p" / "plane0" / "stat.npy"


def test_merged_planes_are_preferred_as_the_import_does(tmp_path: Path) -> None:
    write_suite2p(tmp_path / "suite2p", Suite2pSpec(**TWO_PLANES, combined=True))
    assert rois_file(tmp_path) == tmp_path / "suite2p" / "combined" / "stat.npy"


def test_of_planes_that_were_not_merged_one_is_to_be_named(tmp_path: Path) -> None:
    write_suite2p(tmp_path / "suite2p", Suite2pSpec(**TWO_PLANES, combined=False))
    with pytest.raises(InputError, match=r"plane0, .*plane1"):
        rois_file(tmp_path)
    assert rois_file(tmp_path / "suite2p" / "plane1").parent.name == "plane1"


def test_of_several_outputs_one_is_to_be_named(tmp_path: Path) -> None:
    for name in ("fast", "slow"):
        write_suite2p(tmp_path / name / "suite2p", ONE_PLANE)
    with pytest.raises(InputError, match=r"fast.*slow"):
        rois_file(tmp_path)


def test_what_is_no_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError, match="no output of Suite2p"):
        rois_file(tmp_path)
    with pytest.raises(NothingFoundError, match="not there"):
        rois_file(tmp_path / "nowhere")
    root = write_suite2p(tmp_path / "suite2p", ONE_PLANE)
    with pytest.raises(PipelineError, match="folder"):
        rois_file(root / "plane0" / "F.npy")


def test_an_output_without_regions_is_not_finished(tmp_path: Path) -> None:
    root = write_suite2p(tmp_path / "suite2p", ONE_PLANE)
    (root / "plane0" / "stat.npy").unlink()
    with pytest.raises(OutputError, match=r"no stat\.npy"):
        rois_file(root)


@pytest.mark.usefixtures("stand_in")
def test_the_command_opens_the_window_with_the_output(tmp_path: Path) -> None:
    root = write_suite2p(tmp_path / "fast" / "suite2p", ONE_PLANE)
    done = run(tmp_path / "fast")
    assert (done.returncode, done.stdout.strip()) == (0, f"window of {root / 'plane0' / 'stat.npy'}"), done


def test_without_what_the_window_needs_the_command_says_how_to_install_it(
    tmp_path: Path, stand_in: StandIn
) -> None:
    write_suite2p(tmp_path / "fast" / "suite2p", ONE_PLANE)
    stand_in.order("lack pyqtgraph")
    done = run(tmp_path / "fast")
    assert done.returncode == 1
    assert "No module named 'pyqtgraph'" in done.stderr
    assert "pip install 'suite2p[gui]==1.1.0'" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
@pytest.mark.usefixtures("stand_in")
def test_without_a_display_the_command_says_so_before_qt_ends_the_process(tmp_path: Path) -> None:
    write_suite2p(tmp_path / "fast" / "suite2p", ONE_PLANE)
    done = run(tmp_path / "fast", DISPLAY="", WAYLAND_DISPLAY="", QT_QPA_PLATFORM="")
    assert done.returncode == 1
    assert "shows no windows" in done.stderr
