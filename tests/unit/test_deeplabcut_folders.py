"""A folder of DeepLabCut is one dataset of the recording whose name it carries."""

from __future__ import annotations

from pathlib import Path

import pytest

from imaging_pipeline.experiments.deeplabcut import named_as, recognise_deeplabcut
from imaging_pipeline.experiments.recognised import Unknown, Used
from imaging_pipeline.experiments.registry import experiment_type

WHOLE = (
    "dlc_m/config.yaml",
    *(f"dlc_m/{video}DLC{end}" for video in ("v1", "v2") for end in (".h5", "_meta.pickle")),
)


def test_config_positions_and_metadata_stand_in_the_order_of_the_videos() -> None:
    found = recognise_deeplabcut([*reversed(WHOLE), "m_00001.tif"], named_as({"m"}))

    assert found == {
        name: Used("dlc", "mixed", "m", 0, number)
        for number, name in enumerate(
            (
                WHOLE[0],
                "dlc_m/v1DLC.h5",
                "dlc_m/v2DLC.h5",
                "dlc_m/v1DLC_meta.pickle",
                "dlc_m/v2DLC_meta.pickle",
            ),
            1,
        )
    }


def test_metadata_of_older_versions_and_other_pickles_are_told_apart() -> None:
    names = ("dlc_m/c.yaml", "dlc_m/v.h5", "dlc_m/vincludingmetadata.pickle", "dlc_m/v_full.pickle")

    found = recognise_deeplabcut(names, named_as({"m"}))

    assert found[names[2]] == Used("dlc", "mixed", "m", 0, 3)
    assert isinstance(found[names[3]], Unknown)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (WHOLE[:-1], "1 config .yaml, 2 .h5 and 1 meta .pickle"),
        (WHOLE[1:], "0 config .yaml"),
        ((*WHOLE, "dlc_m/other.yml"), "2 config .yaml"),
        (WHOLE[:1], "0 .h5 and 0 meta .pickle"),
    ],
)
def test_an_incomplete_folder_is_reported_with_the_counts(names: tuple[str, ...], told: str) -> None:
    found = recognise_deeplabcut(names, named_as({"m"}))

    for verdict in found.values():
        assert isinstance(verdict, Unknown)
        assert verdict.lacks_recording
        assert told in verdict.reason


def test_a_folder_of_no_recording_is_reported_with_the_name_that_is_like_it() -> None:
    found = recognise_deeplabcut(["dlc_openfeld/config.yaml"], named_as({"openfield"}))

    (verdict,) = found.values()
    assert isinstance(verdict, Unknown)
    assert "no recording 'openfeld'; similar: openfield" in verdict.reason


def test_what_lies_deeper_or_is_of_another_kind_is_unknown() -> None:
    found = recognise_deeplabcut([*WHOLE, "dlc_m/plots/a.png", "dlc_m/labeled.mp4"], named_as({"m"}))

    for name in ("dlc_m/plots/a.png", "dlc_m/labeled.mp4"):
        verdict = found[name]
        assert isinstance(verdict, Unknown)
        assert "no config, positions or metadata" in verdict.reason


FEMTONICS = experiment_type("femtonics")
UNITS = ("90218.mesc/MSession_0/MUnit_2", "90218.mesc/MSession_1/MUnit_2", "90218.mesc/MSession_0/MUnit_3")


def of_femtonics(folder: str, *units: str) -> set[str]:
    """Return what is said of the files of a folder of DeepLabCut beside measurements."""
    names = [f"{folder}/{name}" for name in ("config.yaml", "v.h5", "v_meta.pickle")]
    found = {each.path: each.verdict for each in FEMTONICS.recognise(Path("day1"), [*units, *names])}
    verdicts = [found[name] for name in names]
    return {each.reason if isinstance(each, Unknown) else each.timeseries_name for each in verdicts}


@pytest.mark.parametrize(
    ("folder", "timeseries_name"),
    [
        ("dlc_90218_MUnit_3", "90218_MUnit_3"),
        ("dlc_MUnit_3", "90218_MUnit_3"),
        ("dlc_90218_MUnit_2", "90218_MUnit_2"),
        ("dlc_MSession_1_MUnit_2", "90218_MSession_1_MUnit_2"),
    ],
)
def test_a_folder_of_femtonics_says_its_measurement_as_other_companions_do(
    folder: str, timeseries_name: str
) -> None:
    assert of_femtonics(folder, *UNITS) == {timeseries_name}


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("dlc_MUnit_2", "MUnit_2 is in MSession_0 and MSession_1"),
        ("dlc_MUnit_3", "of which file it is"),
        ("dlc_openfield", "of which measurement"),
    ],
)
def test_a_folder_of_femtonics_that_does_not_say_it_is_unknown(folder: str, reason: str) -> None:
    second = ["evening.mesc/MSession_0/MUnit_3"] if "file" in reason else []
    (told,) = of_femtonics(folder, *UNITS, *second)
    assert reason in told
