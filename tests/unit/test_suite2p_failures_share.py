"""A share that goes away: while the tifs are read, while the output is copied."""

import errno
import os
import shutil
import socket
from pathlib import Path

import pytest

from imaging_pipeline.errors import (
    NothingFoundError,
    NotMountedError,
    Responsible,
    StillCopyingError,
    StoreError,
)
from imaging_pipeline.workers.messages import Outcome
from imaging_pipeline.workers.policies.waiting import Waiting
from tests.makers.stand_in_suite2p import stand_in_suite2p
from tests.makers.suite2p_runs import Runs, assert_told, write_runs


@pytest.fixture
def runs(tmp_path, monkeypatch):
    return write_runs(tmp_path, stand_in_suite2p(tmp_path / "packages", monkeypatch))


def away(runs: Runs) -> Path:
    return runs.share.with_name("share away")


def unmount(runs: Runs) -> None:
    """Leave an empty mount point, as a share does that went away."""
    runs.share.rename(away(runs))
    runs.share.mkdir()


def mount(runs: Runs) -> None:
    runs.share.rmdir()
    away(runs).rename(runs.share)


def once_half_is_copied(act):
    """Act at the first report in which half of the output is copied."""
    acted = []

    def on_step(step):
        if step.step == "copying the output" and 2 * step.done > step.total and not acted:
            acted.append(step)
            act()

    return on_step


def while_suite2p_reads(runs: Runs, act):
    """Act while the stand-in waits after its first tif."""
    runs.stand_in.order("wait", "reading tifs")

    def on_step(step):
        if step.message == "the stand-in waits":
            act()
            runs.stand_in.order()

    return on_step


def test_a_share_that_goes_away_amid_the_copy_gets_the_finished_run_when_it_is_back(runs: Runs):
    error = runs.failed(once_half_is_copied(lambda: unmount(runs)))

    assert isinstance(error, StoreError)
    assert "the finished run is kept" in error.what
    assert_told(
        error,
        path=runs.request.target,
        found="No such file or directory",
        remedy="Mount the share again",
        responsible=Responsible.RETRY,
    )
    assert Waiting().decide(error).outcome is Outcome.WAITING
    assert list(runs.share.iterdir()) == [], "nothing is written below an empty mount point"

    again = runs.failed()
    assert_told(
        again,
        path=runs.tifs[0].parent,
        found="None",
        remedy="Mount the share again",
        responsible=Responsible.RETRY,
    )

    mount(runs)
    left = [path.name for path in runs.request.target.parent.iterdir() if ".partial-" in path.name]
    assert len(left) == 1
    runs.assert_the_finished_run_is_copied_now()


def test_a_folder_that_becomes_a_file_amid_the_copy_is_told(runs: Runs):
    place = runs.request.target.parent
    aside = place.with_name("moved away")

    def replace_by_file():
        place.rename(aside)
        place.write_bytes(b"a file")

    error = runs.failed(once_half_is_copied(replace_by_file))

    assert_told(
        error,
        path=runs.request.target,
        found="Not a directory",
        remedy="Mount the share again",
        responsible=Responsible.RETRY,
    )
    place.unlink()
    aside.rename(place)
    runs.assert_the_finished_run_is_copied_now()


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE])
def test_a_share_that_fails_amid_the_copy_is_tried_again(runs: Runs, monkeypatch, code):
    copy = shutil.copyfile

    def refuse(source, copied):
        if "F.npy" in str(source):
            raise OSError(code, os.strerror(code), str(copied))
        return copy(source, copied)

    monkeypatch.setattr(shutil, "copyfile", refuse)

    error = runs.failed()

    assert_told(
        error,
        path=runs.request.target,
        found=os.strerror(code),
        remedy="Mount the share again",
        responsible=Responsible.RETRY,
    )
    runs.assert_place_is_untouched()
    monkeypatch.setattr(shutil, "copyfile", copy)
    runs.assert_the_finished_run_is_copied_now()


def test_a_share_that_goes_away_while_suite2p_reads_is_waited_for(runs: Runs):
    error = runs.failed(while_suite2p_reads(runs, lambda: unmount(runs)))

    assert isinstance(error, NotMountedError)
    assert_told(
        error,
        path=runs.tifs[0].parent,
        found="None",
        remedy="Mount the share again",
        responsible=Responsible.RETRY,
    )
    assert list(runs.request.scratch.iterdir()) == []
    assert list(runs.share.iterdir()) == []
    mount(runs)
    runs.assert_place_is_untouched()
    runs.assert_it_succeeds_now()


def test_a_tif_that_vanishes_while_suite2p_reads_is_named(runs: Runs):
    tif = runs.tifs[1]
    content, time_ns = tif.read_bytes(), tif.stat().st_mtime_ns

    error = runs.failed(while_suite2p_reads(runs, tif.unlink))

    assert isinstance(error, NothingFoundError)
    assert_told(error, path=tif, found="None", remedy="Put it back", responsible=Responsible.EXPERIMENTER)
    runs.assert_nothing_is_left()
    tif.write_bytes(content)
    os.utime(tif, ns=(time_ns, time_ns))
    runs.assert_it_succeeds_now()


def test_a_tif_that_is_written_to_while_suite2p_reads_makes_no_output(runs: Runs):
    tif = runs.tifs[0]
    content = tif.read_bytes()

    error = runs.failed(while_suite2p_reads(runs, lambda: tif.write_bytes(content[:-2] + b"\1\1")))

    assert isinstance(error, StillCopyingError)
    assert error.path == str(tif)
    assert "as when the run began" in str(error.allowed)
    assert (error.responsible, "Leave the files alone" in error.remedy) == (Responsible.RETRY, True)
    runs.assert_nothing_is_left()
    runs.assert_it_succeeds_now()


def test_a_tif_that_grows_while_suite2p_reads_is_told_with_both_sizes(runs: Runs):
    tif = runs.tifs[0]
    content = tif.read_bytes()

    error = runs.failed(while_suite2p_reads(runs, lambda: tif.write_bytes(content + b"more")))

    assert error.allowed == f"{len(content)} bytes"
    assert_told(
        error,
        path=tif,
        found=f"{len(content) + 4} bytes",
        remedy="Leave the files alone",
        responsible=Responsible.RETRY,
    )
    runs.assert_nothing_is_left()
    tif.write_bytes(content)
    runs.assert_it_succeeds_now()


def test_copies_of_processes_that_ended_are_removed_and_those_of_others_are_not(runs: Runs):
    place = runs.request.target.parent
    here = socket.gethostname()
    names = {
        "ended": f".small.partial-{here}-4194999-0011aabb",
        "of this process": f".small.partial-{here}-{os.getpid()}-0011aabb",
        "of a living one": f".small.partial-{here}-{os.getppid()}-0011aabb",
        "of another machine": ".small.partial-other-4194999-0011aabb",
        "of another machine, long ago": ".small.partial-other-4194998-0011aabb",
        "of another option set": f".large.partial-{here}-4194999-0011aabb",
    }
    for name in names.values():
        (place / name / "suite2p").mkdir(parents=True)
        (place / name / "suite2p" / "F.npy").write_bytes(b"half")
    old = place / names["of another machine, long ago"]
    for path in (*old.rglob("*"), old):
        os.utime(path, (1e9, 1e9))

    runs.run()

    left = {path.name for path in place.iterdir() if path.name.startswith(".")}
    assert left == {
        names["of a living one"],
        names["of another machine"],
        names["of another option set"],
    }
