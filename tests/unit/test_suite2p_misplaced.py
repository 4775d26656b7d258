"""Outputs of Suite2p whose folders were renamed or copied over each other, or that lost a file of results."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.suite2p.output import missing_files, read_motion, read_output
from tests.makers.suite2p_output import Suite2pSpec, write_output


@pytest.mark.parametrize("generation", ["0.x", "1.x"])
@pytest.mark.parametrize("combined", [True, False])
def test_planes_whose_folders_were_exchanged_are_refused(
    tmp_path: Path, generation: str, combined: bool
) -> None:
    root = write_output(tmp_path, Suite2pSpec(generation, num_planes=2, combined=combined))
    (root / "plane0").rename(root / "aside")
    (root / "plane1").rename(root / "plane0")
    (root / "aside").rename(root / "plane1")
    with pytest.raises(OutputError, match=r"plane0.*save_path \S*plane1"):
        read_output(root)


@pytest.mark.parametrize("generation", ["0.x", "1.x"])
def test_a_plane_that_was_copied_over_another_is_refused(tmp_path: Path, generation: str) -> None:
    root = write_output(tmp_path, Suite2pSpec(generation, num_planes=2, combined=False))
    shutil.copytree(root / "plane0", root / "plane1", dirs_exist_ok=True)
    with pytest.raises(OutputError, match="plane1"):
        read_output(root)


@pytest.mark.parametrize("generation", ["0.x", "1.x"])
def test_planes_of_runs_of_one_plane_may_be_put_together_by_hand(tmp_path: Path, generation: str) -> None:
    root = write_output(tmp_path / "one", Suite2pSpec(generation))
    write_output(tmp_path / "other", Suite2pSpec(generation, seed=1))
    (tmp_path / "other" / "plane0").rename(root / "plane1")
    assert [plane.plane for plane in read_output(root).planes] == [0, 1]


def test_a_plane_without_the_results_of_its_registration_is_not_one_that_never_moved(tmp_path: Path) -> None:
    root = write_output(tmp_path, Suite2pSpec("1.x"))
    (root / "plane0" / "reg_outputs.npy").unlink()
    (plane,) = read_output(root).planes
    assert missing_files(plane) == ("reg_outputs.npy",)
    with pytest.raises(OutputError, match=r"reg_outputs\.npy"):
        read_motion(plane)


def test_a_run_without_registration_has_its_results(tmp_path: Path) -> None:
    root = write_output(tmp_path, Suite2pSpec("1.x", registered=False))
    (plane,) = read_output(root).planes
    assert missing_files(plane) == ()
    assert not read_motion(plane).x_offset.any()
