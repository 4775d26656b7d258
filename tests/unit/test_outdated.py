"""What is out of date is told in one wording, wherever a purge begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from imaging_pipeline.ingest.folder_changes import FolderChanges
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import Request
from tests.makers.folders import COPIED, PAGES, START, Timeseries, aged, write_folder, write_tif
from tests.makers.registered import COMBINED, Registered, write_run
from tests.makers.suite2p_output import curate

OPTIONS = {"fast": {"tau": 1.0}, "slow": {"tau": 2.0}}
OPEN_FIELD = Timeseries("openfield", files=(2,))
WHEEL = Timeseries("wheel", START + timedelta(hours=1))
FAST = replace(COMBINED, ops_name="fast")


@pytest.fixture
def registered(tmp_path: Path) -> Registered:
    """Return a registered folder with its Suite2p output."""
    folder = write_folder(tmp_path / "day1", OPEN_FIELD)
    write_run(folder, OPEN_FIELD)
    registered = Registered()
    register(registered, tmp_path, FAST)
    return registered


def register(registered: Registered, share: Path, request: Request) -> FolderChanges:
    plan = make_plan(request, scan(share / "day1"), registered.files("combined"), OPTIONS)
    return registered.register(plan)


def purged(changes: FolderChanges) -> dict[str, set[str]]:
    """Return the reasons by where a purge begins."""
    reasons: dict[str, set[str]] = {}
    for purge in changes.purges:
        reasons.setdefault(str(purge.seed), set()).add(purge.reason)
    return reasons


def test_a_replaced_tif_is_the_one_reason_for_all_that_goes(registered: Registered, tmp_path: Path) -> None:
    tif = tmp_path / "day1" / OPEN_FIELD.tif_names[1]
    aged(write_tif(tif, OPEN_FIELD.start, seed=99, frames_before=PAGES), COPIED + timedelta(days=1))
    reason = {f"'openfield': replaced {tif.name}"}
    found = purged(register(registered, tmp_path, FAST))
    assert found == {"dataset": reason, "links": reason, "files": reason, "run": reason}


def test_a_session_that_joins_with_another_option_set_is_told_so_of_output_and_run(
    registered: Registered, tmp_path: Path
) -> None:
    write_folder(tmp_path / "day1", WHEEL)
    reason = {"session 'wheel' joined; the option set is now slow, no longer fast"}
    found = purged(register(registered, tmp_path, replace(COMBINED, ops_name="slow")))
    assert found == {"dataset": reason, "run": reason}


def test_a_curation_is_the_one_reason_for_all_that_goes(registered: Registered, tmp_path: Path) -> None:
    registered.import_cells(range(5))
    (plane,) = (tmp_path / "day1").rglob("plane0")
    curate(plane, [True, False, True, False, True])
    reason = {"'fast/plane0' curated: 0 cells added, 2 removed"}
    assert purged(register(registered, tmp_path, FAST)) == {"links": reason, "files": reason}


def test_labels_that_are_again_as_registered_replace_others_that_were_imported(
    registered: Registered, tmp_path: Path
) -> None:
    registered.import_cells([3, 4])
    (plane,) = (tmp_path / "day1").rglob("plane0")
    curate(plane, [True] * 5)
    reason = {"'fast/plane0' curated: 3 cells added, 0 removed"}
    assert purged(register(registered, tmp_path, FAST)) == {"links": reason}
