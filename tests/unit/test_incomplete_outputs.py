"""Outputs that are incomplete or were made elsewhere: what a registration says of them, and what to do."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import Request
from tests.makers.folders import START, Timeseries, aged, write_folder, write_suite2p
from tests.makers.suite2p_output import Suite2pSpec

REQUEST = Request("moser", "day1", "2Pminiscope_A", True, "90218", 0, "fast")
OPEN_FIELD = Timeseries("90218-openfield", files=(2,))
WHEEL = Timeseries("90218-wheel", START + timedelta(hours=1))
TIFS = (*OPEN_FIELD.tif_names, *WHEEL.tif_names)
SPEC = Suite2pSpec(file_list=TIFS, frames_per_file=(4, 4, 4))


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "day1", OPEN_FIELD, WHEEL)


def plan_of(folder):
    return make_plan(REQUEST, scan(folder), {}, {"fast": {"tau": 1.0}})


def verdict_of(plan):
    (output,) = plan.outputs
    assert output.path == "day1/suite2p"
    return str(output.verdict), output.reason


def bundles(plan):
    return [dataset.bundle for metasession in plan.metasessions for dataset in metasession.datasets]


@pytest.mark.parametrize(
    "folder_of_tifs", ["F:\\experiment\\", "\\\\server\\moser\\day 1\\", "F:/experiment/", "/mnt/moser/"]
)
@pytest.mark.parametrize(("generation", "key"), [("1.x", "file_list"), ("0.x", "filelist")])
def test_an_output_of_any_system_s_paths_is_known_by_their_names(folder, generation, key, folder_of_tifs):
    root = write_suite2p(folder / "suite2p", replace(SPEC, generation=generation))
    for path in (root / "plane0").glob("[od][pb]*.npy"):
        values = np.load(path, allow_pickle=True).item()
        np.save(path, values | {key: [folder_of_tifs + name for name in TIFS]})
        aged(path)

    assert bundles(plan_of(folder)) == ["fast/plane0"]


NEEDED = ("F.npy", "Fneu.npy", "spks.npy", "stat.npy", "iscell.npy")


@pytest.mark.parametrize("name", NEEDED)
def test_an_output_that_lacks_a_file_is_incomplete_and_says_which(folder, name):
    root = write_suite2p(folder / "suite2p", SPEC)
    (root / "plane0" / name).unlink()

    plan = plan_of(folder)

    verdict, reason = verdict_of(plan)
    assert verdict == "incomplete"
    assert reason.startswith(f"not finished: plane0/{name}")
    assert reason.endswith(
        "not there or not whole; let Suite2p finish, or copy it anew, and register the folder again"
    )
    assert bundles(plan) == []


@pytest.mark.parametrize("name", [*NEEDED, "reg_outputs.npy", "detect_outputs.npy"])
def test_an_output_of_which_a_file_is_cut_off_is_incomplete_and_says_which(folder, name):
    root = write_suite2p(folder / "suite2p", SPEC)
    path = root / "plane0" / name
    path.write_bytes(path.read_bytes()[:-40])
    aged(path)

    plan = plan_of(folder)

    verdict, reason = verdict_of(plan)
    assert verdict == "incomplete"
    assert f"plane0/{name} (cut off)" in reason
    assert "register the folder again" in reason
    assert bundles(plan) == []


@pytest.mark.parametrize("name", ["db.npy", "settings.npy"])
def test_an_output_whose_description_is_cut_off_is_incomplete_and_says_which(folder, name):
    root = write_suite2p(folder / "suite2p", SPEC)
    path = root / "plane0" / name
    path.write_bytes(path.read_bytes()[:-40])
    aged(path)

    verdict, reason = verdict_of(plan_of(folder))

    assert verdict == "incomplete"
    assert str(path) in reason


def test_an_output_that_does_not_say_how_it_was_made_is_incomplete_and_says_what_is_missing(folder):
    root = write_suite2p(folder / "suite2p", SPEC)
    for name in ("ops.npy", "db.npy"):
        (root / "plane0" / name).unlink()

    verdict, reason = verdict_of(plan_of(folder))

    assert verdict == "incomplete"
    for told in (str(root), "no ops.npy, and no db.npy with settings.npy", "Let Suite2p finish"):
        assert told in reason
