"""A folder of DeepLabCut is one dataset of the recording whose name it carries."""

from __future__ import annotations

import pytest

from imaging_pipeline.experiments.deeplabcut import recognise_deeplabcut
from imaging_pipeline.experiments.recognised import Unknown, Used

WHOLE = (
    "dlc_m/config.yaml",
    *(f"dlc_m/{video}DLC{end}" for video in ("v1", "v2") for end in (".h5", "_meta.pickle")),
)


def test_config_positions_and_metadata_stand_in_the_order_of_the_videos() -> None:
    found = recognise_deeplabcut([*reversed(WHOLE), "m_00001.tif"], {"m"})

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

    found = recognise_deeplabcut(names, {"m"})

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
    found = recognise_deeplabcut(names, {"m"})

    for verdict in found.values():
        assert isinstance(verdict, Unknown)
        assert verdict.lacks_recording
        assert told in verdict.reason


def test_a_folder_of_no_recording_is_reported_with_the_name_that_is_like_it() -> None:
    found = recognise_deeplabcut(["dlc_openfeld/config.yaml"], {"openfield"})

    (verdict,) = found.values()
    assert isinstance(verdict, Unknown)
    assert "no recording 'openfeld'; similar: openfield" in verdict.reason


def test_what_lies_deeper_or_is_of_another_kind_is_unknown() -> None:
    found = recognise_deeplabcut([*WHOLE, "dlc_m/plots/a.png", "dlc_m/labeled.mp4"], {"m"})

    for name in ("dlc_m/plots/a.png", "dlc_m/labeled.mp4"):
        verdict = found[name]
        assert isinstance(verdict, Unknown)
        assert "no config, positions or metadata" in verdict.reason
