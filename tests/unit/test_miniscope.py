from pathlib import Path

import pytest

from imaging_pipeline.errors import InputError, NamingError
from imaging_pipeline.experiments.recognised import Unknown, Used
from imaging_pipeline.experiments.registry import EXPERIMENT_TYPES, experiment_type
from imaging_pipeline.experiments.scanimage_names import TifName, split_tif_name

FOLDER = Path("day1")
MINISCOPE = experiment_type("2Pminiscope_A")


def verdicts(*names):
    return {file.path: file.verdict for file in MINISCOPE.recognise(FOLDER, names)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("90218-openfield1m_00001_00001.tif", TifName("90218-openfield1m", 1, 1)),
        ("90853_3L_00001.tif", TifName("90853_3L", 1, None)),
        ("90218_00002_00013.tif", TifName("90218", 2, 13)),
        ("90218_00002.tif", TifName("90218", 2, None)),
        ("open_field_1_00001_00002.TIF", TifName("open_field_1", 1, 2)),
        ("90218_00001_10000.tif", TifName("90218", 1, 10_000)),
        ("a__00001.tif", TifName("a_", 1, None)),
        ("a_0001.tif", None),
        ("a.tif", None),
        ("00001_00002.tif", TifName("00001", 2, None)),
        ("_00001.tif", None),
    ],
)
def test_a_tif_name_is_taken_apart(name, expected):
    assert split_tif_name(FOLDER, name) == expected


@pytest.mark.parametrize("name", ["a_12345_00001.tif", "a_00001_00002_00003.tif"])
def test_a_tif_name_without_one_certain_split_is_refused(name):
    with pytest.raises(NamingError, match=name):
        split_tif_name(FOLDER, name)


def test_companions_are_told_apart_by_their_ends():
    found = verdicts(
        "m_00001_00001.tif", "m_0001.h5", "m_0001.csv", "m_0001_WHEEL.csv", "m_0001_wheel.CSV", "m_0001.mp4"
    )

    assert found["m_0001.h5"] == Used("wavesurfer", "h5", "m", 1)
    assert found["m_0001.csv"] == Used("tracking_openfield", "csv", "m", 1)
    assert found["m_0001_WHEEL.csv"] == Used("tracking_wheel", "csv", "m", 1)
    assert found["m_0001.mp4"] == Used("tracking_video", "mp4", "m", 1)
    assert isinstance(found["m_0001_wheel.CSV"], Unknown)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("m_0002.h5", "no tif of acquisition 2 of 'm'"),
        ("mouse_0001.h5", "no tif of acquisition 1 of 'mouse'"),
        ("m_0001-0010.h5", "acquisition number"),
        ("m_0001_WHEEL.avi", "acquisition number"),
        ("m.csv", "acquisition number"),
        ("m_00001_preproc.tif", "five digits"),
        ("m_0001.txt", "'.txt'"),
        ("README", "no suffix"),
        ("sub/m_00002_00001.tif", "folder of its own"),
    ],
)
def test_what_belongs_to_no_recording_is_unknown_with_the_reason(name, told):
    found = verdicts("m_00001_00001.tif", name)[name]

    assert isinstance(found, Unknown)
    assert told in found.reason


def test_a_name_that_is_nearly_a_timeseries_is_told():
    found = verdicts("openfield_00001.tif", "Openfield_0001.csv")["Openfield_0001.csv"]

    assert isinstance(found, Unknown)
    assert "similar: openfield" in found.reason


def test_experiment_types_have_different_names():
    names = [experiment.name for experiment in EXPERIMENT_TYPES]

    assert len(set(names)) == len(names)


def test_an_unknown_experiment_type_is_refused_with_those_that_are_known():
    with pytest.raises(InputError, match="2Pminiscope_A"):
        experiment_type("electrophysiology")
