import errno
import os
import re
import shutil
import socket
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


def test_a_copy_whose_process_ends_while_another_copies_is_removed_too(tmp_path):
    source, target = tmp_path / "scratch", tmp_path / "share/small"
    write_output(source / "suite2p")
    target.parent.mkdir()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        left = target.with_name(f".small.partial-{socket.gethostname()}-{other.pid}-0011aabb")
        left.mkdir()

        def let_it_end(_told):
            assert left.exists()
            other.kill()
            other.wait()

        with progress.listening(let_it_end):
            publish(source, target)

    assert [path.name for path in target.parent.iterdir()] == ["small"]


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


def test_what_a_dead_process_left_is_removed_and_a_living_one_s_is_not(tmp_path):
    with run_folder(tmp_path) as living:
        dead = living.with_name(living.name.replace(f"-{os.getpid()}-", "-4194999-"))
        dead.mkdir()
        (dead / "data.bin").write_bytes(b"\0")

        with run_folder(tmp_path) as folder:
            assert {path.name for path in tmp_path.iterdir()} == {living.name, folder.name}


@pytest.fixture
def zombie():
    """Return the number of a process that was killed, and whose parent has not asked for it yet."""
    if os.name == "nt":
        pytest.skip("Windows has no zombies")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        yield process.pid


def test_what_a_killed_process_left_is_removed_before_its_parent_asks_for_it(tmp_path, zombie):
    (tmp_path / f"suite2p-run-{socket.gethostname()}-{zombie}-0011aabb").mkdir()
    with run_folder(tmp_path) as folder:
        assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_a_copy_of_a_killed_process_is_removed_before_its_parent_asks_for_it(tmp_path, zombie):
    source, target = tmp_path / "scratch", tmp_path / "share/small"
    write_output(source / "suite2p")
    target.parent.mkdir()
    target.with_name(f".small.partial-{socket.gethostname()}-{zombie}-0011aabb").mkdir()

    publish(source, target)

    assert [path.name for path in target.parent.iterdir()] == ["small"]


def test_a_folder_that_is_older_than_the_process_of_its_number_is_removed(tmp_path):
    stale = tmp_path / f"suite2p-run-{socket.gethostname()}-{os.getpid()}-before"
    stale.mkdir()
    a_year_ago_s = time.time() - 365 * 86400
    os.utime(stale, (a_year_ago_s, a_year_ago_s))

    with run_folder(tmp_path) as folder:
        assert [path.name for path in tmp_path.iterdir()] == [folder.name]


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
