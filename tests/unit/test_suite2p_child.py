import errno
import json
import subprocess
import sys

import pytest

from imaging_pipeline.errors import RunError
from imaging_pipeline.suite2p_runner.child_process import run_child
from tests.makers.stand_in_suite2p import stand_in_suite2p


@pytest.fixture(autouse=True)
def _stand_in(tmp_path, monkeypatch):
    """Importing Suite2p itself takes seconds."""
    stand_in_suite2p(tmp_path / "packages", monkeypatch)


def test_the_process_ends_with_its_parent_and_takes_its_folder_along(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "imaging_pipeline.suite2p_runner.child"], stdin=subprocess.PIPE, text=True
    )

    # What the system does with the pipe of a parent that was killed.
    process.communicate(json.dumps({"folder": str(folder)}) + "\n", timeout=60)

    assert process.returncode == 1
    assert not folder.exists()


def test_what_fails_in_the_process_is_told_with_its_traceback(tmp_path):
    with pytest.raises(RunError, match="set_num_threads") as failure:
        run_child({"threads": -1}, tmp_path)

    assert "call_suite2p" in "".join(failure.value.__notes__)


def test_a_file_that_cannot_be_read_is_told_with_the_system_s_number(tmp_path):
    job = {
        "threads": 1,
        "sources": [],
        "num_pages": 1,
        "planes": [0],
        "log_file": str(tmp_path / "nowhere/run.log"),
    }

    with pytest.raises(RunError, match="FileNotFoundError") as failure:
        run_child(job, tmp_path)

    assert isinstance(failure.value.__cause__, OSError)
    assert failure.value.__cause__.errno == errno.ENOENT
