import os
import re

import pytest

from imaging_pipeline.errors import StoreError
from imaging_pipeline.suite2p_runner.publish import publish
from imaging_pipeline.suite2p_runner.scratch import require_space, run_folder
from tests.makers.suite2p_output import write_output


def files_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_an_output_arrives_whole_and_without_its_movie(tmp_path):
    source = tmp_path / "scratch"
    write_output(source / "suite2p")
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
    with pytest.raises(StoreError, match=r"the movie.*GB free.*1000000\.0 GB or more"):
        require_space(tmp_path / "not/yet/there", 10**15, "the movie")


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
