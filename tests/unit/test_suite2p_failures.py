"""Runs of Suite2p that fail: each is told in full, leaves nothing behind, and succeeds once it can."""

import pytest

from imaging_pipeline.errors import (
    FormatError,
    Responsible,
    RunError,
    StoreError,
)
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.workers.messages import Outcome
from imaging_pipeline.workers.policies.waiting import Waiting
from tests.makers import mishap as acts
from tests.makers.mishap import Mishap, Scene, once_half_is_copied
from tests.makers.small_disk import small_disk
from tests.makers.stand_in_suite2p import stand_in_suite2p
from tests.makers.suite2p_mishaps import MISHAPS, MOUNT
from tests.makers.suite2p_runs import assert_told, write_runs


@pytest.fixture
def scene(request, tmp_path, monkeypatch):
    """Return a recording, with a small disk where one is wanted."""
    small = getattr(getattr(request, "param", None), "small", "")
    stand_in = stand_in_suite2p(tmp_path / "packages", monkeypatch)
    if not small:
        yield acts.scene_of(write_runs(tmp_path, stand_in), tmp_path, monkeypatch)
        return
    with small_disk(tmp_path / "small", {"scratch": 2_000_000, "share": 4_000_000}[small]) as disk:
        runs = write_runs(tmp_path, stand_in, output_share=disk.path if small == "share" else None)
        yield acts.scene_of(runs, tmp_path, monkeypatch, disk, is_scratch=small == "scratch")


@pytest.mark.parametrize(
    ("scene", "mishap"), [(mishap, mishap) for mishap in MISHAPS.values()], ids=MISHAPS, indirect=["scene"]
)
def test_a_mishap_is_told_leaves_nothing_and_can_be_recovered_from(scene: Scene, mishap: Mishap):
    mishap.before(scene)
    scene.runs.stand_in.order(*mishap.order, **mishap.details)

    error = scene.runs.failed(lambda step: mishap.on_step(scene, step))

    assert isinstance(error, mishap.kind)
    assert mishap.what in error.what
    assert error.allowed == scene.sized(mishap.allowed) or not mishap.allowed
    assert mishap.allowed_part in str(error.allowed)
    assert mishap.also_found in str(error.found)
    assert_told(
        error,
        path=mishap.path(scene.runs),
        found=scene.sized(mishap.found),
        remedy=mishap.remedy,
        responsible=mishap.responsible,
    )
    mishap.left(scene.runs)
    scene.bring_back()
    mishap.then(scene.runs)


def test_an_error_keeps_where_in_suite2p_it_was_raised_and_what_was_logged_last(scene: Scene):
    scene.runs.stand_in.order("raise", "registration", error="ValueError", message="axis 2 is out of bounds")

    error = scene.runs.failed()

    assert isinstance(error, RunError)
    assert "----------- REGISTRATION" in str(error.found)
    assert "run_s2p" in "".join(error.__notes__)


@pytest.mark.parametrize("missing_bytes", [10, 2000])
def test_a_tif_that_is_cut_short_is_refused_by_its_reader_too(scene: Scene, missing_bytes: int):
    """Suite2p would read what is there, and say nothing."""
    acts.truncate_first_tif(missing_bytes)(scene)

    with pytest.raises(FormatError, match=rf"truncated.*{scene.runs.tifs[0].name}"):
        read_tif(scene.runs.tifs[0])


def test_a_share_that_goes_away_amid_the_copy_gets_the_finished_run_when_it_is_back(scene: Scene):
    runs = scene.runs

    error = runs.failed(lambda step: once_half_is_copied(acts.unmount)(scene, step))

    assert isinstance(error, StoreError)
    assert "the finished run is kept" in error.what
    assert_told(
        error,
        path=runs.request.target,
        found="No such file or directory",
        remedy=MOUNT,
        responsible=Responsible.RETRY,
    )
    assert Waiting().decide(error).outcome is Outcome.WAITING
    assert list(runs.share.iterdir()) == [], "nothing is written below an empty mount point"

    again = runs.failed()
    assert_told(again, path=runs.tifs[0].parent, found="None", remedy=MOUNT, responsible=Responsible.RETRY)

    scene.bring_back()
    left = [path.name for path in runs.request.target.parent.iterdir() if ".partial-" in path.name]
    assert len(left) == 1
    runs.assert_the_finished_run_is_copied_now()
