"""What is imported of the outputs that Suite2p leaves: of each generation, of several planes and channels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import skew

from imaging_pipeline.demo.scanimage_settings import ScanImageSettings
from imaging_pipeline.errors import OutputError
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.make import fetching
from tests.makers.folders import START, aged, write_suite2p
from tests.makers.lab import Lab, register
from tests.makers.recordings import (
    IMPORTED,
    OBJECT,
    OPEN_FIELD,
    Recording,
    counted_through,
    import_all,
    populate,
    register_all,
    session_key,
    write_outputs,
    write_recording,
)
from tests.makers.scanimage_fields import Field, write_fields_tif
from tests.makers.suite2p_output import SETTINGS_1X, WIDTH, Suite2pSpec, curate, look_at_planes
from tests.makers.suite2p_window import change_stat, draw, merge

TWO_PLANES = Recording(
    "90218-planes",
    # The first acquisition ends amid a volume, of which Suite2p is given nothing.
    ((9,), (6,)),
    replace(ScanImageSettings(20.0), start=START, num_planes=2),
)
THREE_SLICES = replace(TWO_PLANES, settings=replace(TWO_PLANES.settings, num_planes=3))
TWO_CHANNELS = replace(OBJECT, settings=replace(OBJECT.settings, channels=(1, 2)))

each_generation = pytest.mark.parametrize("generation", ["1.x", "0.x"])


@each_generation
def test_an_output_of_either_generation_is_imported(lab: Lab, generation: str) -> None:
    root = import_all(lab, OPEN_FIELD, generation=generation, nonrigid=True)
    analysis = (imaging.ImagingAnalysis * imaging.ImagingAnalysis.Suite2py).fetch1()
    version = {"1.x": "1.1.0", "0.x": "0.14.6"}[generation]
    assert (analysis["ops_suite2p_version"], analysis["ops_fs"]) == (version, 10.0)
    assert (analysis["ops_tau"], analysis["ops_nonrigid"]) == (1.0, True)
    assert len(imaging.Cell.Rois()) == 5
    np.testing.assert_array_equal(
        imaging.Cell.array(imaging.Cell().keys()[0], "fluo"), np.load(root / "plane0" / "F.npy")
    )
    assert imaging.Projection.Plane().fetch1("max_img").load().shape == (48, 64)


def test_measures_of_regions_that_are_no_finite_numbers_are_null(lab: Lab) -> None:
    root = register_all(lab, OPEN_FIELD)
    odd = {"compact": np.inf, "radius": -np.inf, "skew": np.nan}
    change_stat(root / "plane0", 1, **odd)
    aged(root / "plane0" / "stat.npy")
    register(lab, root.parents[2], combined=False)
    populate(*IMPORTED)
    rois = imaging.Cell.Rois().to_dicts(order_by="cell_id")
    columns = ("compact", "radius", "run_skew")
    assert [rois[1][column] for column in columns] == [None, None, None]
    assert all(roi[column] is not None for roi in (rois[0], *rois[2:]) for column in columns)


@each_generation
def test_merged_planes_are_one_analysis_of_all_cells(lab: Lab, generation: str) -> None:
    root = import_all(lab, TWO_PLANES, generation=generation, num_planes=2, num_rois=3)
    analysis = imaging.ImagingAnalysis().fetch1()
    assert (analysis["plane"], analysis["num_frames"], analysis["analysis_rate_hz"]) == (None, 7, 10.0)
    rois = imaging.Cell.Rois().to_dicts(order_by="cell_id")
    assert [(row["cell_id"], row["center_plane"]) for row in rois] == [
        *((cell_id, 0) for cell_id in (0, 1, 2)),
        *((cell_id, 1) for cell_id in (3, 4, 5)),
    ]
    fluo = (imaging.Cell.Traces & {"cell_id": 4}).fetch1("fluo")
    np.testing.assert_array_equal(fluo, np.load(root / "plane1" / "F.npy")[1])
    # The mosaic is one image; how the frames moved is known of each plane.
    assert list(imaging.Projection.Plane().to_arrays("center_plane")) == [-1]
    motion = imaging.Projection.Motion().to_dicts(order_by="center_plane")
    assert [(row["center_plane"], row["x_mocor"].shape) for row in motion] == [(0, (7,)), (1, (7,))]


@each_generation
def test_planes_that_were_not_merged_are_an_analysis_each(lab: Lab, generation: str) -> None:
    root = import_all(lab, TWO_PLANES, generation=generation, num_planes=2, num_rois=3, combined_folder=False)
    analyses = imaging.ImagingAnalysis().to_dicts(order_by="plane")
    assert [row["plane"] for row in analyses] == [0, 1]
    for row in analyses:
        key = {"dataset_name": row["dataset_name"]}
        rois = (imaging.Cell.Rois & key).to_dicts(order_by="cell_id")
        assert [(roi["cell_id"], roi["center_plane"]) for roi in rois] == [
            (n, row["plane"]) for n in range(3)
        ]
        fluo = (imaging.Cell.Traces & key & {"cell_id": 2}).fetch1("fluo")
        np.testing.assert_array_equal(fluo, np.load(root / f"plane{row['plane']}" / "F.npy")[2])
        assert (imaging.Projection.Plane & key).fetch1("center_plane") == row["plane"]
        assert (imaging.Projection.Motion & key).fetch1("center_plane") == row["plane"]


@each_generation
def test_a_plane_that_was_left_out_does_not_shift_the_numbers_of_the_others(
    lab: Lab, generation: str
) -> None:
    import_all(lab, THREE_SLICES, generation=generation, num_planes=3, num_rois=2, flyback_planes=(0,))
    rois = imaging.Cell.Rois().to_dicts(order_by="cell_id")
    assert [row["center_plane"] for row in rois] == [1, 1, 2, 2]
    counts = imaging.ImagingAnalysis.Suite2py().fetch1("ops_nplanes", "num_planes_analysed")
    assert counts == (3, 2)
    assert list(imaging.Projection.Motion().to_arrays("center_plane", order_by="center_plane")) == [1, 2]


@each_generation
def test_fields_of_planes_are_counted_as_the_planes_of_the_tif_are(lab: Lab, generation: str) -> None:
    folder = lab.share / "90218" / "2024-05-17"
    folder.mkdir(parents=True)
    fields = (Field(48, 64), Field(48, 64, top=60))
    settings = replace(THREE_SLICES.settings, flyback_frames=0)
    recording = replace(THREE_SLICES, frames=((9,),), settings=settings)
    random = np.random.default_rng(0)
    frames = random.integers(0, 3000, (9, len(fields), 48, 64), np.int16)
    aged(write_fields_tif(folder / recording.tif_names[0], fields, frames, settings))
    register(lab, folder, combined=False)
    spec = {"num_planes": 6, "num_fields": 2, "num_rois": 2, "flyback_planes": (4, 5)}
    root = write_outputs(lab, recording, generation=generation, **spec)
    register(lab, folder, combined=False)
    populate(*IMPORTED)
    rois = imaging.Cell.Rois().to_dicts(order_by="cell_id")
    assert [row["center_plane"] for row in rois] == [0, 0, 1, 1, 2, 2, 3, 3]
    stat = np.load(root / "combined" / "stat.npy", allow_pickle=True)
    assert [[row["center_y"], row["center_x"]] for row in rois] == [roi["med"] for roi in stat]
    counts = imaging.ImagingAnalysis.Suite2py().fetch1("ops_nplanes", "num_planes_analysed")
    assert counts == (3, 4)


@each_generation
def test_an_option_of_three_values_is_stored_as_it_is(lab: Lab, generation: str) -> None:
    again = {"do_registration": 2}
    settings = again if generation == "0.x" else {"run": SETTINGS_1X["run"] | again}
    import_all(lab, OBJECT, generation=generation, settings=settings)
    assert imaging.ImagingAnalysis.Suite2py().fetch1("ops_do_registration") == 2


def test_the_rate_of_traces_is_that_of_the_tifs_whatever_suite2p_was_told(lab: Lab) -> None:
    import_all(lab, OBJECT, settings={"fs": 31.0})
    analysis = (imaging.ImagingAnalysis * imaging.ImagingAnalysis.Suite2py).fetch1()
    assert (analysis["analysis_rate_hz"], analysis["ops_fs"]) == (10.0, 31.0)


def test_a_second_channel_has_traces_of_its_own(lab: Lab) -> None:
    root = import_all(lab, TWO_CHANNELS, num_channels=2, is_cell=(True, False, True, True, True))
    assert imaging.Tif().fetch1("num_frames") == TWO_CHANNELS.num_frames
    assert imaging.Tif.SI().fetch1("num_channels") == 2
    key = imaging.Cell().keys()[0]
    rows = (imaging.Cell.Traces & {"channel": "secondary"}).to_dicts(order_by="cell_id")
    assert [row["cell_id"] for row in rows] == [0, 2, 3, 4]
    expected = np.load(root / "plane0" / "F_chan2.npy")[[0, 2, 3, 4]]
    np.testing.assert_array_equal([row["fluo"] for row in rows], expected)
    np.testing.assert_array_equal(imaging.Cell.array(key, "fluo", "secondary"), expected)
    assert len(imaging.Cell.Spikes()) == 4
    red = imaging.Cell.Rois().to_dicts(order_by="cell_id")
    assert [(row["redcell"], row["redcell_prob"]) for row in red] == [(False, 0.125)] * 4
    assert imaging.Projection.Plane().fetch1("mean_image_second").load().shape == (48, 64)


@each_generation
def test_merged_planes_keep_their_second_channel(lab: Lab, generation: str) -> None:
    """Suite2p merges the first channel only."""
    recording = replace(TWO_PLANES, settings=replace(TWO_PLANES.settings, channels=(1, 2)))
    root = import_all(lab, recording, generation=generation, num_planes=2, num_channels=2, num_rois=2)
    rows = (imaging.Cell.Traces & {"channel": "secondary"}).to_dicts(order_by="cell_id")
    expected = np.concatenate([np.load(root / plane / "F_chan2.npy") for plane in ("plane0", "plane1")])
    np.testing.assert_array_equal([row["fluo"] for row in rows], expected)
    red = imaging.Cell.Rois().to_dicts(order_by="cell_id")
    assert [(row["center_plane"], row["redcell_prob"]) for row in red] == [(0, 0.125)] * 2 + [(1, 0.125)] * 2


@pytest.mark.parametrize(
    ("place", "generation"), [("suite2p", "0.x"), ("", "1.x")], ids=["suite2p", "planeK"]
)
def test_an_output_beside_the_tifs_is_imported_without_hash_and_name_of_a_set(
    lab: Lab, place: str, generation: str
) -> None:
    folder = lab.share / "90218" / "2024-05-17"
    write_recording(folder, OBJECT)
    files = {"file_list": OBJECT.tif_names, "frames_per_file": OBJECT.volumes_per_tif}
    write_suite2p(folder / place, Suite2pSpec(generation, **files))
    register(lab, folder, combined=False)
    populate(*IMPORTED)
    np.testing.assert_array_equal(
        imaging.Cell.array(imaging.Cell().keys()[0], "fluo"), np.load(folder / place / "plane0" / "F.npy")
    )


def test_planes_whose_labels_were_only_shown_together_are_an_analysis_each(lab: Lab) -> None:
    root = register_all(lab, TWO_PLANES, num_planes=2, num_rois=3, combined_folder=False)
    look_at_planes(root)
    register(lab, lab.share / "90218" / "2024-05-17", combined=False)
    populate("Tif", "ImagingAnalysis")
    assert sorted(imaging.ImagingAnalysis().to_arrays("plane")) == [0, 1]


@pytest.mark.parametrize("spec", [{"num_rois": 0}, {"is_cell": (False,) * 5}], ids=["no ROI", "no cell"])
def test_a_session_without_cells_is_finished_too(lab: Lab, spec: dict[str, Any]) -> None:
    import_all(lab, OBJECT, **spec)
    cell = imaging.Cell().fetch1()
    assert (cell["num_rois"], cell["num_cells"]) == (spec.get("num_rois", 5), 0)
    assert [len(part()) for part in (imaging.Cell.Rois, imaging.Cell.Traces, imaging.Cell.Spikes)] == [
        0,
        0,
        0,
    ]
    assert imaging.Cell.array(imaging.Cell().keys()[0], "df_f").shape == (0, 0)
    assert len(imaging.FilteredSpikes()) == 1
    assert len(imaging.FilteredSpikes.Cell()) == 0


def test_samples_whose_baseline_is_not_positive_are_nan_and_counted(lab: Lab) -> None:
    root = register_all(lab, OBJECT)
    fluo = np.load(root / "plane0" / "F.npy")
    fluo[1] = 0
    np.save(root / "plane0" / "F.npy", fluo)
    populate("Tif", "ImagingAnalysis", "Cell")
    rows = imaging.Cell.Traces().to_dicts(order_by="cell_id")
    assert [row["num_invalid"] for row in rows] == [0, OBJECT.num_frames, 0, 0, 0]
    assert [int(np.isnan(row["df_f"]).sum()) for row in rows] == [row["num_invalid"] for row in rows]


def test_spikes_that_are_no_number_stay_so_and_are_counted(lab: Lab) -> None:
    root = register_all(lab, OBJECT)
    spikes = np.load(root / "plane0" / "spks.npy")
    spikes[1, 3:6], spikes[2] = np.nan, np.nan
    np.save(root / "plane0" / "spks.npy", spikes)
    populate("Tif", "ImagingAnalysis", "Cell", "FilteredSpikes")
    rows = imaging.FilteredSpikes.Cell().to_dicts(order_by="cell_id")
    assert [row["num_invalid_spikes"] for row in rows] == [0, 3, OBJECT.num_frames, 0, 0]
    assert np.isnan(rows[1]["filtered_spikes"][3:6]).all()
    finite = np.delete(spikes[1], [3, 4, 5]).astype(float)
    assert rows[1]["spike_threshold"] == pytest.approx(finite.mean() + 2 * finite.std(), rel=1e-6)
    assert rows[2]["spike_threshold"] is None


def findings() -> list[str]:
    """Return what the last report says that a person should know."""
    last = max(imaging.MakeDatasetSessions.Finding().to_arrays("basefolder_id"), default=None)
    return list((imaging.MakeDatasetSessions.Finding & {"basefolder_id": last}).to_arrays("finding"))


@each_generation
def test_a_merged_cell_counts_once_and_says_of_what_it_was_merged(lab: Lab, generation: str) -> None:
    root = register_all(lab, OBJECT, generation=generation)
    merge(root / "plane0", (0, 3), (5, 4), generation=generation)
    register(lab, lab.share / "90218" / "2024-05-17", combined=False)
    populate(*IMPORTED)
    assert imaging.Cell().fetch1("num_rois", "num_cells") == (7, 3)
    rois = imaging.Cell.Rois().to_dicts(order_by="cell_id")
    assert [row["cell_id"] for row in rois] == [1, 2, 6]
    assert [None if row["imerge"] is None else row["imerge"].tolist() for row in rois] == [
        *(None, None),
        [0, 3, 4],
    ]
    merged = imaging.Cell.Merged().to_dicts(order_by="merged_id")
    assert [(row["merged_id"], row["inmerge"]) for row in merged] == [(0, 6), (3, 6), (4, 6), (5, 6)]
    # Of the window of 1.x only the ROI that was merged once more stays marked as a cell.
    (told,) = findings()
    assert f"{4 if generation == '0.x' else 1} region" in told
    assert "left out, although they are marked as cells" in told


def test_a_second_channel_that_lacks_a_row_is_left_out_and_told_when_the_folder_is_registered(
    lab: Lab,
) -> None:
    root = register_all(lab, TWO_CHANNELS, num_channels=2, generation="0.x")
    merge(root / "plane0", (0, 3))
    register(lab, lab.share / "90218" / "2024-05-17", combined=False)
    assert any("plane0/F_chan2.npy has shape (5, 13), not (6, 13)" in told for told in findings())
    populate(*IMPORTED)
    assert set(imaging.Cell.Traces().to_arrays("channel")) == {"primary"}
    assert set(imaging.Cell.Rois().to_arrays("redcell")) == {None}


def test_a_roi_drawn_across_planes_is_refused_until_it_is_no_cell(lab: Lab) -> None:
    root = register_all(lab, TWO_PLANES, num_planes=2, num_rois=3)
    draw(root / "combined", 10, WIDTH, says_plane=False)
    folder = lab.share / "90218" / "2024-05-17"
    register(lab, folder, combined=False)
    populate("Tif", "ImagingAnalysis")
    with pytest.raises(OutputError, match=r"no single one of the planes.*row 10, column 64") as raised:
        populate("Cell")
    assert "Mark it as no cell" in raised.value.remedy
    curate(root / "combined", [False] + [True] * 6)
    register(lab, folder, combined=False)
    populate("Cell")
    rois = imaging.Cell.Rois().to_dicts(order_by="cell_id")
    assert [(row["cell_id"], row["center_plane"]) for row in rois] == [
        *((1, 0), (2, 0), (3, 0)),
        *((4, 1), (5, 1), (6, 1)),
    ]


def test_skew_and_std_of_a_cell_are_those_of_the_session(lab: Lab) -> None:
    root = import_all(lab, OPEN_FIELD, OBJECT, combined=True)
    stat = np.load(root / "plane0" / "stat.npy", allow_pickle=True)
    for recording in (OPEN_FIELD, OBJECT):
        key = session_key(recording)
        rows = (imaging.Cell.Rois & key).to_dicts(order_by="cell_id")
        traces = (imaging.Cell.Traces & key).to_arrays("fcorr", order_by="cell_id")
        np.testing.assert_allclose([row["std"] for row in rows], [trace.std() for trace in traces], rtol=1e-5)
        measured = [skew(trace.astype(float)) for trace in traces]
        np.testing.assert_allclose([row["skew"] for row in rows], measured, rtol=1e-4)
        assert [row["run_skew"] for row in rows] == [roi["skew"] for roi in stat]
        assert [row["run_std"] for row in rows] == [roi["std"] for roi in stat]


def change_frames_per_file(root: Path, *counts: int) -> None:
    description = np.load(root / "plane0" / "db.npy", allow_pickle=True).item()
    np.save(root / "plane0" / "db.npy", description | {"frames_per_file": np.array(counts)})


def test_frames_that_do_not_add_up_to_the_traces_are_refused_with_both_numbers(lab: Lab) -> None:
    root = register_all(lab, OPEN_FIELD)
    change_frames_per_file(root, 9, 5, 8)
    imaging.Tif.populate()
    with pytest.raises(OutputError, match=r"22 frames in 3 files, 21 in the traces"):
        imaging.ImagingAnalysis.populate()
    assert len(imaging.ImagingAnalysis()) == 0


def test_frames_of_another_session_s_tifs_are_refused_with_both_numbers(lab: Lab) -> None:
    """The sum is right, but a frame of one session is counted to the other."""
    root = register_all(lab, OPEN_FIELD, OBJECT, combined=True)
    change_frames_per_file(root, 9, 5, 8, 12)
    imaging.Tif.populate()
    with pytest.raises(OutputError, match=r"22 frames in the output.*21 frames, as in its tifs"):
        imaging.ImagingAnalysis.populate(session_key(OPEN_FIELD))


def by_hand(*recordings: Recording, **spec: Any) -> dict[str, Any]:
    """Return the spec of a run that a person made on the tifs of volumes, as they are."""
    num_planes = recordings[0].settings.frames_per_volume
    frames = counted_through(num_planes, *recordings)
    return {"num_planes": num_planes, "frames_of_planes": frames, "num_rois": 2, **spec}


WHOLE = replace(TWO_PLANES, frames=((10,), (6,)))
LATER = replace(
    TWO_PLANES,
    name="90218-later",
    frames=((8,),),
    settings=replace(TWO_PLANES.settings, start=OBJECT.settings.start),
)


@each_generation
@pytest.mark.parametrize("combined_folder", [True, False], ids=["merged", "planes"])
def test_planes_that_suite2p_counted_on_across_acquisitions_are_refused(
    lab: Lab, generation: str, combined_folder: bool
) -> None:
    """Of 9 and 6 frames of two planes, the second acquisition begins with what is of the other plane."""
    spec = by_hand(TWO_PLANES, generation=generation)
    register_all(lab, TWO_PLANES, combined_folder=combined_folder, **spec)
    imaging.Tif.populate()
    told = r"mixed.*plane.*5, 4 frames of its planes from acquisition 1"
    with pytest.raises(OutputError, match=told):
        imaging.ImagingAnalysis.populate()
    assert len(imaging.ImagingAnalysis()) == 0


def test_planes_that_an_earlier_session_has_shifted_are_refused_in_the_later_one_too(lab: Lab) -> None:
    """Its own frames are as many as those of its tif, and of the other plane."""
    earlier = replace(TWO_PLANES, frames=((9,),))
    register_all(lab, earlier, LATER, combined=True, **by_hand(earlier, LATER))
    imaging.Tif.populate(session_key(LATER))
    with pytest.raises(OutputError, match="mixed"):
        imaging.ImagingAnalysis.populate(session_key(LATER))


def test_planes_whose_descriptions_are_gone_are_not_taken_for_kept_apart(lab: Lab) -> None:
    root = register_all(lab, WHOLE, num_planes=2, num_rois=2)
    for path in (root / "plane0").iterdir():
        path.unlink()
    imaging.Tif.populate()
    with pytest.raises(OutputError, match=r"does not show.*for 1 planes.*for all 2"):
        imaging.ImagingAnalysis.populate()


@each_generation
def test_an_incomplete_volume_at_the_end_of_a_run_by_hand_is_left_to_the_first_planes(
    lab: Lab, generation: str
) -> None:
    recording = replace(WHOLE, frames=((10,), (7,)))
    spec = by_hand(recording, generation=generation)
    root = import_all(lab, recording, combined_folder=False, **spec)
    analyses = imaging.ImagingAnalysis().to_dicts(order_by="plane")
    assert [(row["plane"], row["num_frames"]) for row in analyses] == [(0, 9), (1, 8)]
    for row in analyses:
        key = {"dataset_name": row["dataset_name"]}
        np.testing.assert_array_equal(
            imaging.Cell.array((imaging.Cell & key).keys()[0], "fluo"),
            np.load(root / f"plane{row['plane']}" / "F.npy"),
        )
        motion = (imaging.Projection.Motion & key).fetch1()
        assert len(motion["x_mocor"].load()) == row["num_frames"]


@each_generation
def test_merged_planes_end_with_the_last_whole_volume(lab: Lab, generation: str) -> None:
    """Suite2p fills what the last plane lacks with zeros, which nobody measured."""
    recording = replace(WHOLE, frames=((10,), (7,)))
    root = import_all(lab, recording, **by_hand(recording, generation=generation))
    merged = np.load(root / "combined" / "F.npy")
    assert (merged.shape, merged[-1, -1]) == ((4, 9), 0)
    assert imaging.ImagingAnalysis().fetch1("num_frames") == 8
    np.testing.assert_array_equal(imaging.Cell.array(imaging.Cell().keys()[0], "fluo"), merged[:, :8])
    motion = imaging.Projection.Motion().to_dicts()
    assert [len(row["x_mocor"].load()) for row in motion] == [8, 8]


@pytest.mark.parametrize("counts", [(4, 3), (6, 3), (5, 4), (5, 2)], ids=str)
def test_a_frame_too_few_or_too_many_is_refused_where_every_volume_is_whole(
    lab: Lab, counts: tuple[int, int]
) -> None:
    register_all(lab, WHOLE, num_planes=2, num_rois=2, frames_per_file=counts, combined_folder=False)
    imaging.Tif.populate()
    allowed = r"8 frames, as in its tifs \(5, 3 by acquisition\)"
    with pytest.raises(OutputError, match=rf"{sum(counts)} frames in the output.*{allowed}"):
        imaging.ImagingAnalysis.populate()


@each_generation
@pytest.mark.parametrize("frame_px", [(48, 60), (40, 64), (64, 48)], ids=str)
def test_an_output_of_another_image_size_than_its_tifs_is_refused(
    lab: Lab, generation: str, frame_px: tuple[int, int]
) -> None:
    register_all(lab, OBJECT, generation=generation, frame_px=frame_px)
    imaging.Tif.populate()
    told = rf"another size.*{frame_px[0]} x {frame_px[1]} pixels in plane0.*Allowed: pages of 48 x 64"
    with pytest.raises(OutputError, match=told):
        imaging.ImagingAnalysis.populate()
    assert len(imaging.ImagingAnalysis()) == 0


@each_generation
def test_planes_that_were_taken_for_channels_are_refused(lab: Lab, generation: str) -> None:
    """Two planes of two channels have as many frames each as the four planes of one that were recorded."""
    settings = replace(TWO_PLANES.settings, num_planes=4)
    recording = replace(WHOLE, frames=((40,),), settings=settings)
    register_all(lab, recording, generation=generation, num_planes=2, num_channels=2, num_rois=2)
    imaging.Tif.populate()
    told = r"planes for channels.*nplanes 2, nchannels 2\. Allowed: nplanes 4.*and nchannels 1"
    with pytest.raises(OutputError, match=told):
        imaging.ImagingAnalysis.populate()
    assert len(imaging.ImagingAnalysis()) == 0


WITH_FLYBACK = replace(
    WHOLE, frames=((8,),), settings=replace(TWO_PLANES.settings, num_planes=3, flyback_frames=1)
)


@each_generation
def test_a_flyback_plane_that_was_analysed_by_hand_is_refused(lab: Lab, generation: str) -> None:
    spec = by_hand(WITH_FLYBACK, generation=generation)
    register_all(lab, WITH_FLYBACK, combined_folder=False, **spec)
    imaging.Tif.populate()
    last = (imaging.Dataset & {"bundle": "fast/plane3"}).fetch1("dataset_name")
    imaging.ImagingAnalysis.populate(f"dataset_name <> '{last}'")
    assert sorted(imaging.ImagingAnalysis().to_arrays("plane")) == [0, 1, 2]
    told = r"flyback.*Found: plane3\. Allowed: planes 0 to 2\..*ignore_flyback = \[3\]"
    with pytest.raises(OutputError, match=told):
        imaging.ImagingAnalysis.populate()


def test_planes_that_were_merged_with_the_flyback_are_refused(lab: Lab) -> None:
    register_all(lab, WITH_FLYBACK, **by_hand(WITH_FLYBACK))
    imaging.Tif.populate()
    with pytest.raises(OutputError, match=r"flyback.*Found: plane3"):
        imaging.ImagingAnalysis.populate()


def test_frames_of_a_slice_that_were_taken_for_planes_are_refused(lab: Lab) -> None:
    settings = replace(TWO_PLANES.settings, frames_per_slice=2)
    recording = replace(WHOLE, frames=((8,),), settings=settings)
    register_all(lab, recording, **by_hand(recording))
    imaging.Tif.populate()
    with pytest.raises(OutputError, match=r"each frame of a slice.*Found: 4 planes. Allowed: 2 slices"):
        imaging.ImagingAnalysis.populate()


def test_an_analysis_does_not_rest_on_the_tifs_of_other_sessions(lab: Lab) -> None:
    """They may be imported by another worker while it runs."""
    register_all(lab, OPEN_FIELD, OBJECT, combined=True)
    imaging.Tif.populate(session_key(OPEN_FIELD))
    ready = imaging.ImagingAnalysis().key_source.to_arrays("session_name")
    assert list(ready) == [session_key(OPEN_FIELD)["session_name"]]
    before = fetching.session_tifs(tables.default_tables(), session_key(OPEN_FIELD))
    imaging.Tif.populate(session_key(OBJECT))
    assert fetching.session_tifs(tables.default_tables(), session_key(OPEN_FIELD)) == before


def test_a_plane_that_is_gone_from_its_output_is_told_with_its_place(lab: Lab) -> None:
    root = register_all(lab, OBJECT)
    (root / "plane0").rename(root / "plane1")
    imaging.Tif.populate()
    with pytest.raises(OutputError, match=r"not in its Suite2p output any more.*plane0"):
        imaging.ImagingAnalysis.populate()
