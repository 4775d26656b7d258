"""Folders of DeepLabCut beside a miniscope's recordings."""

from __future__ import annotations

from pathlib import Path

from imaging_pipeline.schemas import imaging
from tests.makers.folders import OPEN_FIELD, WHEEL, write_file, write_folder
from tests.makers.lab import Lab, register
from tests.makers.preprocessed import FILTERED_POSES, MULTI_ANIMAL_POSES, write_poses


def poses_by_session(datasettype: str = "dlc") -> dict[str, list[str]]:
    """Return the files of DeepLabCut's datasets in order, by timeseries name."""
    data = imaging.Session * imaging.Session.Data * imaging.Dataset * imaging.PhysicalFile
    files: dict[str, list[str]] = {}
    for row in (data & {"datasettype": datasettype}).to_dicts(order_by="timeseries_name, file_order"):
        files.setdefault(row["timeseries_name"], []).append(Path(row["file_path"]).name)
    return files


def test_a_folder_of_deeplabcut_is_a_dataset_of_the_session_whose_name_it_carries(lab: Lab) -> None:
    folder = write_folder(lab.share / "day1", OPEN_FIELD, WHEEL)
    write_poses(folder, OPEN_FIELD.name)
    write_poses(folder, WHEEL.name, ("wheel",))

    register(lab, folder, combined=True)

    names = [f"v{video}DLC_resnet50" for video in (1, 2)]
    assert poses_by_session() == {
        OPEN_FIELD.name: [
            "config.yaml",
            *(f"{name}.h5" for name in names),
            *(f"{name}_meta.pickle" for name in names),
        ],
        WHEEL.name: ["config.yaml", "wheelDLC_resnet50.h5", "wheelDLC_resnet50_meta.pickle"],
    }
    videos = imaging.Dataset & {"datasettype": "tracking_video"}
    assert len(imaging.Session.Data & videos) == 2


def test_an_incomplete_folder_of_deeplabcut_is_reported_and_joins_when_it_is_whole(lab: Lab) -> None:
    folder = write_folder(lab.share / "day1", OPEN_FIELD)
    lost = write_poses(folder, OPEN_FIELD.name) / "v2DLC_resnet50_meta.pickle"
    lost.unlink()
    request = register(lab, folder, combined=True)

    files = imaging.MakeDatasetSessions.File & {"basefolder_id": request, "file_verdict": "unknown"}
    reasons = files.to_arrays("file_reason").tolist()
    assert len(reasons) == 4
    assert all("1 config .yaml, 2 .h5 and 1 meta .pickle" in reason for reason in reasons)
    assert poses_by_session() == {}

    write_file(lost)
    register(lab, folder, combined=True)
    assert len(poses_by_session()[OPEN_FIELD.name]) == 5
    assert len(imaging.Session()) == 1


def test_filtered_positions_and_those_of_several_animals_are_registered_beside_what_is_ignored(
    lab: Lab,
) -> None:
    folder = write_folder(lab.share / "day1", OPEN_FIELD, WHEEL)
    write_poses(folder, OPEN_FIELD.name, endings=FILTERED_POSES)
    write_poses(folder, WHEEL.name, ("wheel",), MULTI_ANIMAL_POSES)

    request = register(lab, folder, combined=True)

    raw, filtered = poses_by_session(), poses_by_session("dlc_filtered")
    assert [len(raw[name]) for name in (OPEN_FIELD.name, WHEEL.name)] == [5, 3]
    assert "wheelDLC_resnet50_el.h5" in raw[WHEEL.name]
    assert filtered == {OPEN_FIELD.name: [f"v{video}DLC_resnet50_filtered.h5" for video in (1, 2)]}
    verdicts = (imaging.MakeDatasetSessions.File & {"basefolder_id": request}).to_arrays("file_verdict")
    assert verdicts.tolist().count("unknown") == 0
    assert verdicts.tolist().count("ignored") == 8

    # What was filtered later is new, and changes nothing else.
    assert not (imaging.MakeDatasetSessions.Purge & {"basefolder_id": register(lab, folder, combined=True)})
