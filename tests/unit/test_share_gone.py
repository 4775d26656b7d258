"""A share that goes away in the middle of reading makes files look removed: nobody may believe that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.errors import FormatError, NotMountedError, PipelineError, Responsible
from imaging_pipeline.readers.suite2p import output as suite2p
from imaging_pipeline.workers.messages import Outcome
from imaging_pipeline.workers.policies.policy import RetryDecision, first_decision, load_policies
from tests.makers.registered_readers import REGISTERED_READERS, RegisteredReader
from tests.makers.suite2p_output import Suite2pSpec, write_output


@pytest.fixture
def share(tmp_path: Path) -> Path:
    (tmp_path / "share" / "day1").mkdir(parents=True)
    return tmp_path / "share"


def unmount(share: Path) -> None:
    share.rename(share.with_name("elsewhere"))


def unmount_from_folder(share: Path) -> None:
    """Leave the empty folder that a share was mounted on, as Linux does."""
    unmount(share)
    share.mkdir()


ways = pytest.mark.parametrize("unmount_share", [unmount, unmount_from_folder])


@ways
@pytest.mark.parametrize(
    "read",
    [
        suite2p.read_rois,
        suite2p.read_traces,
        suite2p.read_cell_labels,
        suite2p.read_merges,
        suite2p.read_red_cells,
        suite2p.read_projections,
        lambda plane: suite2p.read_motion(replace(plane, plane=0)),
        suite2p.missing_files,
        lambda plane: suite2p.read_output(plane.folder.parent),
        lambda plane: suite2p.find_outputs(plane.folder.parent),
    ],
)
@pytest.mark.parametrize("generation", ["0.x", "1.x"])
@pytest.mark.parametrize("num_planes", [1, 2])
def test_of_an_output_that_went_away_nothing_is_taken_for_missing(
    share: Path,
    generation: Any,
    num_planes: int,
    read: Callable[[suite2p.PlaneOutput], object],
    unmount_share: Callable[[Path], None],
) -> None:
    root = write_output(share / "day1" / "suite2p", Suite2pSpec(generation=generation, num_planes=num_planes))
    plane = suite2p.read_output(root).imported[0]
    unmount_share(share)
    with pytest.raises((NotMountedError, FileNotFoundError)) as raised:
        read(plane)
    assert decided(raised.value, share).outcome is Outcome.WAITING


@ways
@pytest.mark.parametrize(
    "reader", [reader for reader in REGISTERED_READERS if reader.names_file], ids=lambda reader: reader.name
)
def test_a_job_that_finds_no_file_waits_for_its_share(
    share: Path, reader: RegisteredReader, unmount_share: Callable[[Path], None]
) -> None:
    reader.write(share / "day1" / reader.path)
    unmount_share(share)
    with pytest.raises((PipelineError, FileNotFoundError)) as raised:
        reader.read(share / "day1" / reader.path)
    decision = decided(raised.value, share)
    assert (decision.outcome, decision.responsible) == (Outcome.WAITING, Responsible.RETRY)
    assert str(share) in decision.what


def test_a_file_that_is_wrong_on_a_share_that_is_there_is_an_error(share: Path) -> None:
    error = FormatError("The stack is damaged", path=share / "day1" / "a.tif", remedy="Copy it again.")
    assert decided(error, share).outcome is Outcome.ERROR


def test_another_share_that_is_away_says_nothing_of_a_file(share: Path, tmp_path: Path) -> None:
    error = FormatError("The stack is damaged", path=share / "day1" / "a.tif", remedy="Copy it again.")
    assert decided(error, share, tmp_path / "other").outcome is Outcome.ERROR


def decided(error: BaseException, *repositories: Path) -> RetryDecision:
    policies = load_policies(repositories=repositories)
    return first_decision((policy.decide(error) for policy in policies), RetryDecision(Outcome.ERROR))
