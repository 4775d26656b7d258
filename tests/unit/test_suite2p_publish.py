import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imaging_pipeline import progress
from imaging_pipeline.errors import Responsible, StoreError
from imaging_pipeline.suite2p_runner import publish as publish_module
from imaging_pipeline.suite2p_runner.publish import publish
from imaging_pipeline.suite2p_runner.scratch import require_space, run_folder
from tests.makers.suite2p_output import write_output


def files_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_an_output_arrives_whole_and_without_its_movie(tmp_path):
    source = tmp_path / "scratch"
    write_output(source / "suite2p")
    (tmp_path / "share").mkdir()
    written = files_below(source)
    (source / "suite2p/plane0/data.bin").write_bytes(b"\0" * 1000)

    publish(source, tmp_path / "share/combined_x/default")

    assert files_below(tmp_path / "share/combined_x/default") == written
    assert [path.name for path in (tmp_path / "share/combined_x").iterdir()] == ["default"]


def test_an_older_output_is_kept_under_another_name(tmp_path):
    source, target = tmp_path / "scratch", tmp_path / "share/default"
    write_output(source / "suite2p")
    target.mkdir(parents=True)
    (target / "notes.txt").write_text("by hand")

    publish(source, target)

    aside = next(path for path in target.parent.iterdir() if path != target)
    assert re.fullmatch(r"default\.superseded-\d{8}T\d+", aside.name)
    assert (aside / "notes.txt").read_text() == "by hand"
    assert (target / "suite2p/plane0/F.npy").is_file()


def refuse_renames(monkeypatch, code, refused):
    """Make the system refuse to rename some folders, as Windows does while a file of theirs is open."""
    rename = Path.rename

    def guarded(path, to):
        if refused(path):
            raise OSError(code, os.strerror(code), str(path))
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", guarded)
    monkeypatch.setattr(publish_module, "_PAUSES_S", (0.0, 0.0))


@pytest.mark.parametrize("code", [errno.EACCES, errno.EBUSY])
def test_an_output_that_somebody_has_open_stays_and_the_run_is_tried_again(tmp_path, monkeypatch, code):
    source, target = tmp_path / "scratch", tmp_path / "share/default"
    write_output(source / "suite2p")
    target.mkdir(parents=True)
    refuse_renames(monkeypatch, code, lambda path: path == target)

    with pytest.raises(StoreError, match=r"Close the programs.*tried again") as caught:
        publish(source, target)

    assert caught.value.responsible is Responsible.RETRY
    assert [path.name for path in target.parent.iterdir()] == ["default"]


def test_a_folder_that_is_refused_once_is_renamed_a_little_later(tmp_path, monkeypatch):
    source, target = tmp_path / "scratch", tmp_path / "share/default"
    write_output(source / "suite2p")
    refusals = iter([True])
    refuse_renames(monkeypatch, errno.EACCES, lambda path: next(refusals, False))

    publish(source, target)

    assert (target / "suite2p/plane0/F.npy").is_file()


def test_an_older_output_is_put_back_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    source, target = tmp_path / "scratch", tmp_path / "share/default"
    write_output(source / "suite2p")
    target.mkdir(parents=True)
    (target / "notes.txt").write_text("by hand")
    refuse_renames(monkeypatch, errno.EIO, lambda path: ".partial-" in path.name)

    with pytest.raises(OSError, match="partial"):
        publish(source, target)

    assert files_below(target.parent) == {"default/notes.txt"}


def test_a_file_that_was_not_copied_whole_is_named_and_the_older_output_stays(tmp_path, monkeypatch):
    source, target = tmp_path / "scratch", tmp_path / "share/default"
    write_output(source / "suite2p")
    target.mkdir(parents=True)
    (target / "notes.txt").write_text("by hand")

    def copied_in_part(original, copy):
        Path(copy).write_bytes(Path(original).read_bytes()[:-1])

    monkeypatch.setattr(shutil, "copyfile", copied_in_part)

    with pytest.raises(StoreError, match=r"not copied whole.*Found: \d+ bytes.*Allowed: \d+ bytes"):
        publish(source, target)

    assert files_below(target.parent) == {"default/notes.txt"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a file that cannot be copied")
def test_a_copy_that_fails_leaves_nothing_and_touches_nothing(tmp_path):
    source, target = tmp_path / "scratch", tmp_path / "share/default"
    write_output(source / "suite2p")
    target.mkdir(parents=True)
    os.mkfifo(source / "suite2p/plane0/pipe")

    with pytest.raises(OSError, match="pipe"):
        publish(source, target)

    assert [path.name for path in target.parent.iterdir()] == ["default"]


def test_a_disk_without_room_is_named_with_both_amounts(tmp_path):
    with pytest.raises(StoreError, match=r"the movie.*GB free.*1000000\.000 GB or more.*Make room"):
        require_space(tmp_path / "not/yet/there", 10**15, "the movie", "Make room.")


def test_a_run_s_folder_is_gone_after_an_error(tmp_path):
    def fail():
        with run_folder(tmp_path) as folder:
            (folder / "data.bin").write_bytes(b"\0")
            raise RuntimeError("in the run")

    with pytest.raises(RuntimeError, match="in the run"):
        fail()

    assert list(tmp_path.iterdir()) == []


# Waits in a run's folder, or with a copy of one half done, until it is killed.
IN_RUN = """
import sys
from pathlib import Path
from imaging_pipeline.suite2p_runner.scratch import run_folder
with run_folder(Path(sys.argv[1])) as folder:
    (folder / "data.bin").write_bytes(bytes(1))
    print(folder.name, flush=True)
    sys.stdin.read()
"""
IN_COPY = """
import sys
from pathlib import Path
from imaging_pipeline import progress
from imaging_pipeline.suite2p_runner.publish import publish
def wait(step):
    print("", flush=True)
    sys.stdin.read()
with progress.listening(wait):
    publish(Path(sys.argv[1]), Path(sys.argv[2]))
"""
ELSEWHERE = ("unshare", "--pid", "--fork", "--kill-child")


@pytest.fixture(params=["of this container", "of another container"])
def start(request):
    """Return a function that starts a process and waits for its first line; it is killed in the end."""
    if os.name == "nt":
        pytest.skip("processes are killed by signals")
    before = ELSEWHERE if request.param == "of another container" else ()
    if before and subprocess.run([*before, "true"], check=False).returncode:
        pytest.skip("this account may not number processes anew")
    started = []

    def start(code, *arguments):
        command = [*before, sys.executable, "-c", code, *map(str, arguments)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        kill(process)


def kill(process):
    """Kill a process and what it started, and wait until all have closed their output."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_what_a_killed_process_left_is_removed_and_the_folder_of_a_living_one_stays(tmp_path, start):
    process, name = start(IN_RUN, tmp_path)
    with run_folder(tmp_path) as folder:
        assert folders_in(tmp_path) == {name, folder.name}
    kill(process)
    with run_folder(tmp_path) as folder:
        assert folders_in(tmp_path) == {folder.name}


def folders_in(folder):
    return {path.name for path in folder.iterdir() if path.is_dir()}


def test_runs_of_one_process_leave_each_others_folders(tmp_path):
    with run_folder(tmp_path) as first, run_folder(tmp_path) as second, run_folder(tmp_path) as third:
        assert folders_in(tmp_path) == {first.name, second.name, third.name}


def test_a_copy_of_a_killed_process_is_removed_and_that_of_a_living_one_stays(tmp_path, start):
    source, target = tmp_path / "scratch/finished", tmp_path / "share/small"
    write_output(source / "suite2p")
    target.parent.mkdir()
    process, _ = start(IN_COPY, source, target)
    publish(source, target)
    assert len(list(target.parent.iterdir())) == 2, "the output and the copy in the making"
    kill(process)
    publish(source, target)
    assert [path for path in target.parent.iterdir() if "partial" in path.name] == []
    assert [path.name for path in source.parent.iterdir()] == ["finished"]


def test_a_copy_whose_process_ends_while_another_copies_is_removed_too(tmp_path, start):
    source, target = tmp_path / "scratch/finished", tmp_path / "share/small"
    write_output(source / "suite2p")
    target.parent.mkdir()
    process, _ = start(IN_COPY, source, target)

    with progress.listening(lambda _told: kill(process)):
        publish(source, target)

    assert [path.name for path in target.parent.iterdir()] == ["small"]


def test_a_copy_that_the_share_took_away_is_removed_once_it_is_back(tmp_path):
    source, target = tmp_path / "scratch/finished", tmp_path / "share/combined_x/default"
    write_output(source / "suite2p")
    target.parent.mkdir(parents=True)

    def unmount(step):
        if step.step == "copying the output" and step.done:
            (tmp_path / "share").rename(tmp_path / "away")

    with progress.listening(unmount), pytest.raises(StoreError, match="The share went away"):
        publish(source, target)
    (tmp_path / "away").rename(tmp_path / "share")
    publish(source, target)
    assert [path.name for path in target.parent.iterdir()] == ["default"]


def test_a_folder_without_a_lock_is_removed_after_a_week(tmp_path):
    for name, days in (("suite2p-run-desktop-17-0011aabb", 8), ("suite2p-run-desktop-18-0011aabb", 6)):
        (tmp_path / name).mkdir()
        time_s = time.time() - days * 86400
        os.utime(tmp_path / name, (time_s, time_s))
    with run_folder(tmp_path) as folder:
        assert folders_in(tmp_path) == {folder.name, "suite2p-run-desktop-18-0011aabb"}


def test_a_run_that_goes_from_the_scratch_disk_is_not_told_as_the_shares_fault(tmp_path):
    source = tmp_path / "scratch"
    write_output(source / "suite2p")
    (tmp_path / "share").mkdir()

    def lose_the_run(step):
        if step.step == "copying the output":
            shutil.rmtree(source, ignore_errors=True)

    with progress.listening(lose_the_run), pytest.raises(StoreError, match="scratch disk") as caught:
        publish(source, tmp_path / "share/combined_x/default")

    assert str(source) in str(caught.value)
    assert caught.value.responsible is Responsible.ADMINISTRATOR
    assert caught.value.__cause__ is None, "no job waits for a share that is there"
    assert list((tmp_path / "share/combined_x").iterdir()) == []
