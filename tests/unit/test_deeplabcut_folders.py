"""A folder of DeepLabCut is one dataset of the recording whose name it carries."""

from __future__ import annotations

from pathlib import Path

import pytest

from imaging_pipeline.experiments.deeplabcut import named_as, recognise_deeplabcut
from imaging_pipeline.experiments.recognised import Ignored, Unknown, Used
from imaging_pipeline.experiments.registry import experiment_type
from tests.makers.preprocessed import FILTERED_POSES, MULTI_ANIMAL_POSES

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
    assert found[names[3]] == Ignored("an intermediate result of DeepLabCut")


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


def of_videos(endings: tuple[str, ...], *videos: str) -> dict[str, str]:
    """Return the verdict on each file of some videos, by what stands behind the network's name."""
    names = ["dlc_m/config.yaml", *(f"dlc_m/{video}DLC_net{end}" for video in videos for end in endings)]
    found = recognise_deeplabcut(names, named_as({"m"}))
    return {
        name.removeprefix("dlc_m/"): f"{each.datasettype} {each.file_number}"
        if isinstance(each, Used)
        else type(each).__name__
        for name, each in found.items()
    }


def test_filtered_positions_are_a_dataset_of_their_own_and_tables_of_text_are_ignored() -> None:
    assert of_videos(FILTERED_POSES, "v2", "v1") == {
        "config.yaml": "dlc 1",
        "v1DLC_net.h5": "dlc 2",
        "v2DLC_net.h5": "dlc 3",
        "v1DLC_net_meta.pickle": "dlc 4",
        "v2DLC_net_meta.pickle": "dlc 5",
        "v1DLC_net_filtered.h5": "dlc_filtered 1",
        "v2DLC_net_filtered.h5": "dlc_filtered 2",
        **{f"{video}DLC_net{end}.csv": "Ignored" for video in ("v1", "v2") for end in ("", "_filtered")},
    }


def test_of_several_animals_positions_are_registered_and_what_led_to_them_is_ignored() -> None:
    assert of_videos((*MULTI_ANIMAL_POSES, "_el_filtered.h5"), "v") == {
        "config.yaml": "dlc 1",
        "vDLC_net_el.h5": "dlc 2",
        "vDLC_net_meta.pickle": "dlc 3",
        "vDLC_net_el_filtered.h5": "dlc_filtered 1",
        **{
            f"vDLC_net{end}": "Ignored"
            for end in ("_full.pickle", "_assemblies.pickle", "_el.pickle", "_el.csv")
        },
    }


def test_positions_of_two_methods_of_following_leave_open_which_count() -> None:
    found = of_videos(("_el.h5", "_bx.h5", "_meta.pickle"), "v")
    assert set(found.values()) == {"Unknown"}


def test_positions_and_metadata_of_two_videos_make_no_pair() -> None:
    names = ["dlc_m/config.yaml", "dlc_m/aDLC.h5", "dlc_m/bDLC_meta.pickle", "dlc_m/aDLC_filtered.h5"]
    for verdict in recognise_deeplabcut(names, named_as({"m"})).values():
        assert isinstance(verdict, Unknown)
        assert "'aDLC.h5' and 'bDLC_meta.pickle' are not of one video" in verdict.reason


def test_metadata_follow_their_positions_where_names_are_ordered_otherwise() -> None:
    names = [f"dlc_m/{video}{end}" for video in ("a", "aB") for end in (".h5", "_meta.pickle")]
    found = recognise_deeplabcut([*names, "dlc_m/c.yaml"], named_as({"m"}))
    numbers = {name: each.file_number for name, each in found.items() if isinstance(each, Used)}
    assert [numbers[name] for name in names] == [2, 4, 3, 5]


def test_filtered_positions_without_those_that_were_filtered_are_unknown() -> None:
    names = [*WHOLE, "dlc_m/v3DLC_filtered.h5", "dlc_m/v1DLC_filtered.h5"]
    found = recognise_deeplabcut(names, named_as({"m"}))
    lone = found["dlc_m/v3DLC_filtered.h5"]
    assert isinstance(lone, Unknown)
    assert "no 'v3DLC.h5' that was filtered" in lone.reason
    assert found["dlc_m/v1DLC_filtered.h5"] == Used("dlc_filtered", "h5", "m", 0, 1)


FEMTONICS = experiment_type("femtonics")
UNITS = ("90218.mesc/MSession_0/MUnit_2", "90218.mesc/MSession_1/MUnit_2", "90218.mesc/MSession_0/MUnit_3")


def test_filtered_positions_of_a_measurement_are_a_dataset_as_well() -> None:
    names = [f"dlc_MUnit_3/v{end}" for end in FILTERED_POSES]
    found = FEMTONICS.recognise(Path("day1"), [UNITS[2], "dlc_MUnit_3/config.yaml", *names])
    verdicts = {each.path: each.verdict for each in found}
    assert verdicts["dlc_MUnit_3/v_filtered.h5"] == Used("dlc_filtered", "h5", "90218_MUnit_3", 0, 1)
    assert isinstance(verdicts["dlc_MUnit_3/v_filtered.csv"], Ignored)


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
