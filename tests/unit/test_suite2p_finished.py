import dataclasses
import json

import numpy as np
import pytest

from imaging_pipeline.demo.scanimage_file import ScanImageSettings, write_stack
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.suite2p.output import MARKER_NAME, read_output
from imaging_pipeline.suite2p_runner.finished import describe, find_finished, write_marker
from imaging_pipeline.suite2p_runner.options import translate
from imaging_pipeline.suite2p_runner.preflight import check_inputs
from imaging_pipeline.suite2p_runner.request import RunResult, Trim
from tests.makers.suite2p_output import write_output

IDENTITY = {
    "ops_name": "default",
    "settings_hash": "0123456789abcdef",
    "metasession_name": "fedcba9876543210",
}
OPTIONS = {"registration": {"nonrigid": False}, "fs": 10}


@pytest.fixture
def inputs(tmp_path):
    pages = np.random.default_rng(0).integers(0, 99, (21, 12, 16)).astype(np.int16)
    write_stack(tmp_path / "a_00001.tif", pages, ScanImageSettings(30.0, num_planes=2))
    return check_inputs([read_tif(tmp_path / "a_00001.tif")], [1])


@pytest.fixture
def finished(tmp_path, inputs):
    target = tmp_path / "default"
    write_output(target / "suite2p")
    result = RunResult(
        target=target,
        adopted=False,
        num_frames=10,
        num_rois=5,
        settings_used={"fs": 15.0},
        overridden={"fs": (10, 15.0)},
        trimmed=inputs.trimmed,
        seconds=12.5,
        seconds_by_stage={"registration": 7.0},
        versions={"suite2p": "1.1.0"},
        machine="vm",
        threads=2,
    )
    write_marker(target, describe(IDENTITY, inputs, translate(OPTIONS)), result)
    return result


def test_an_equal_request_adopts_the_output_with_all_that_was_noted(inputs, finished):
    adopted = find_finished(finished.target, describe(IDENTITY, inputs, translate(OPTIONS)))

    assert adopted == dataclasses.replace(finished, adopted=True)
    assert adopted.trimmed == (Trim("a_00001.tif", 1),)


def test_the_note_tells_other_readers_whose_output_it_is(finished):
    marker = read_output(finished.target / "suite2p").marker

    assert {name: marker[name] for name in IDENTITY} == IDENTITY


@pytest.mark.parametrize(
    "options", [{}, OPTIONS | {"tau": 0.7}, {"registration": {"nonrigid": True}, "fs": 10}]
)
def test_other_options_adopt_nothing(inputs, finished, options):
    assert find_finished(finished.target, describe(IDENTITY, inputs, translate(options))) is None


@pytest.mark.parametrize("name", ["ops_name", "metasession_name", "settings_hash"])
def test_equal_options_and_files_are_adopted_under_other_names(inputs, finished, name):
    identity = IDENTITY | {name: "fast"}

    assert find_finished(finished.target, describe(identity, inputs, translate(OPTIONS))) is not None


def test_files_of_other_content_adopt_nothing(inputs, finished):
    identity = IDENTITY | {"contents_hash": "0" * 16}

    assert find_finished(finished.target, describe(identity, inputs, translate(OPTIONS))) is None


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS | {"nplanes": None, "nchannels": None, "functional_chan": None, "ignore_flyback": None},
        OPTIONS | {"fs": 30.0},
        OPTIONS | {"tau": 1.0, "detection": {}},
        {"registration": {"nonrigid": False, "block_size": [128, 128]}},
    ],
)
def test_options_that_another_version_wrote_otherwise_are_the_same(inputs, finished, options):
    _note(finished, options=options)

    assert find_finished(finished.target, describe(IDENTITY, inputs, translate(OPTIONS))) is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"options": OPTIONS | {"functional_chan": 2}},
        {"options": OPTIONS | {"an_option_of_tomorrow": 1}},
        {"options": None},
        {"identity": None},
        {"note_version": 2},
        {"bad_frames": [3]},
    ],
)
def test_a_marker_that_means_another_run_or_is_not_understood_adopts_nothing(inputs, finished, changed):
    _note(finished, **changed)

    assert find_finished(finished.target, describe(IDENTITY, inputs, translate(OPTIONS))) is None


def _note(finished, **changed):
    path = finished.target / MARKER_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def test_a_file_recorded_at_another_time_adopts_nothing(inputs, finished):
    part = inputs.parts[0]
    header = dataclasses.replace(part.tif.header, start=part.tif.header.start.replace(hour=3))
    other = dataclasses.replace(part, tif=dataclasses.replace(part.tif, header=header))

    description = describe(IDENTITY, dataclasses.replace(inputs, parts=(other,)), translate(OPTIONS))

    assert find_finished(finished.target, description) is None


@pytest.mark.parametrize("name", ["F.npy", "stat.npy", "db.npy"])
def test_an_output_that_is_no_longer_whole_is_not_adopted(inputs, finished, name):
    path = finished.target / "suite2p/plane0" / name
    path.write_bytes(path.read_bytes()[:-20])

    assert find_finished(finished.target, describe(IDENTITY, inputs, translate(OPTIONS))) is None


def test_an_output_without_a_note_is_not_adopted(tmp_path, inputs):
    write_output(tmp_path / "by_hand/suite2p")

    description = describe(IDENTITY, inputs, translate(OPTIONS))

    assert find_finished(tmp_path / "by_hand", description) is None


def test_a_place_where_nothing_is_has_nothing_to_adopt(tmp_path, inputs):
    assert find_finished(tmp_path / "nothing", describe(IDENTITY, inputs, translate(OPTIONS))) is None


@pytest.mark.parametrize(
    "result", [None, [], {}, {"overridden": [1]}, {"overridden": {}, "trimmed": [{"a": 1}]}]
)
def test_an_output_whose_note_was_edited_is_not_adopted(inputs, finished, result):
    _note(finished, result=result)

    assert find_finished(finished.target, describe(IDENTITY, inputs, translate(OPTIONS))) is None
