"""Lists of frames that Suite2p is to leave out, from the file beside the tifs to the sessions of a folder."""

from dataclasses import replace

import numpy as np
import pytest

from imaging_pipeline.errors import FormatError, NamingError
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import Request
from imaging_pipeline.readers.suite2p.bad_frames import FILE_NAME, read_bad_frames
from tests.makers.femtonics import write_femtonics
from tests.makers.folders import OPEN_FIELD, WHEEL, aged, write_folder
from tests.makers.plain_tifs import write_plain_tifs

REQUEST = Request("moser", "90218/day1", "2Pminiscope_A", True, "90218", 0)


def write_list(folder, frames=(3, 7)):
    np.save(folder / FILE_NAME, np.array(frames))
    return aged(folder / FILE_NAME)


def plan_of(folder, **changes):
    return make_plan(replace(REQUEST, **changes), scan(folder), {}, {})


def lists_of(plan):
    return {
        session.timeseries_name: [file.path for file in dataset.files]
        for metasession in plan.metasessions
        for session in metasession.sessions
        for dataset in session.datasets
        if dataset.datasettype == "bad_frames"
    }


def report_of(plan):
    (report,) = (report for report in plan.files if report.path.endswith(FILE_NAME))
    return report


def test_a_list_is_of_each_session_that_is_analysed_with_the_others(tmp_path):
    write_list(write_folder(tmp_path / "day1", OPEN_FIELD, WHEEL))

    plan = plan_of(tmp_path / "day1")

    path = f"90218/day1/{FILE_NAME}"
    assert lists_of(plan) == {OPEN_FIELD.name: [path], WHEEL.name: [path]}
    assert (report_of(plan).verdict, report_of(plan).datasettype) == ("used", "bad_frames")


@pytest.mark.parametrize(
    ("experiment_type", "write"),
    [("2Pminiscope_A", lambda path: write_folder(path, OPEN_FIELD)), ("plain tifs", write_plain_tifs)],
)
def test_a_list_is_of_the_only_session_of_a_folder(tmp_path, experiment_type, write):
    write_list(write(tmp_path / "day1"))

    plan = plan_of(tmp_path / "day1", experiment_type=experiment_type, combined=False)

    assert list(lists_of(plan).values()) == [[f"90218/day1/{FILE_NAME}"]]


def test_exported_tifs_of_a_measurement_have_a_list_of_their_own(tmp_path):
    folder = write_femtonics(tmp_path / "day1")
    write_list(folder / "MUnit_2")

    plan = plan_of(folder, experiment_type="femtonics", combined=False)

    assert lists_of(plan) == {"90218_MUnit_2": [f"90218/day1/MUnit_2/{FILE_NAME}"]}


def test_a_list_beside_tifs_of_several_runs_is_refused_by_name(tmp_path):
    write_list(write_folder(tmp_path / "day1", OPEN_FIELD, WHEEL))

    told = rf"not all analysed in one run.*{FILE_NAME}.*{OPEN_FIELD.name}, {WHEEL.name}.*as combined"
    with pytest.raises(NamingError, match=told):
        plan_of(tmp_path / "day1", combined=False)


def test_a_list_without_tifs_beside_it_is_unknown(tmp_path):
    folder = write_folder(tmp_path / "day1", OPEN_FIELD)
    (folder / "older").mkdir()
    write_list(folder / "older")

    assert report_of(plan_of(folder)).verdict == "unknown"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (np.array([True, False]), r"values of type bool.*np\.flatnonzero"),
        (np.repeat([0, 1, 0], [4, 2, 54]), r"60 numbers, all 0 or 1: a mask.*np\.flatnonzero"),
        (np.repeat([0.0, 1.0, 0.0], [4, 2, 54]), r"60 numbers, all 0 or 1: a mask"),
        (np.ones((60, 1), np.uint8), r"60 numbers, all 0 or 1: a mask"),
        (np.array([[10, 20], [50, 60]]), r"shape \(2, 2\), which may be intervals"),
        (np.array([[10, 20]]), r"shape \(1, 2\), which may be intervals"),
        (np.array([-1, 3]), "Found: -1"),
        (np.array([0.5]), "values of type float64"),
        (np.array([3, np.inf]), "values of type float64"),
        (np.array([3, np.nan]), "values of type float64"),
        (np.array(["3"]), "values of type <U1"),
        (np.array([{"frames": 3}], dtype=object), FILE_NAME),
    ],
    ids=[
        *("mask", "mask of whole numbers", "mask of floats", "mask of ones", "intervals", "interval"),
        *("negative", "fraction", "infinity", "NaN", "text", "object"),
    ],
)
def test_a_list_of_anything_but_numbers_of_frames_is_refused(tmp_path, content, told):
    folder = write_folder(tmp_path / "day1", OPEN_FIELD)
    np.save(folder / FILE_NAME, content)
    aged(folder / FILE_NAME)

    with pytest.raises(FormatError, match=told):
        plan_of(folder)


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, np.float64])
def test_numbers_are_read_once_each_in_rising_order(tmp_path, dtype):
    np.save(tmp_path / FILE_NAME, np.array([[7], [3], [7]], dtype))

    assert read_bad_frames(tmp_path / FILE_NAME) == (3, 7)


@pytest.mark.parametrize("frames", [[], [0], [1], [0, 1], [[0], [1]], [[3, 4, 5]], [0, 1, 2], 5])
def test_few_frames_are_no_mask(tmp_path, frames):
    np.save(tmp_path / FILE_NAME, np.array(frames))

    assert read_bad_frames(tmp_path / FILE_NAME) == tuple(np.ravel(frames).tolist())
