import json
import shutil

import numpy as np
import pytest

from imaging_pipeline.errors import FormatError, OutputError
from imaging_pipeline.readers.suite2p.output import (
    MARKER_NAME,
    find_outputs,
    missing_files,
    options_summary,
    read_cell_labels,
    read_motion,
    read_output,
    read_projections,
    read_red_cells,
    read_rois,
    read_traces,
)
from tests.makers.suite2p_output import HEIGHT, WIDTH, X_RANGE, Y_RANGE, Suite2pSpec, curate, write_output

GENERATIONS = pytest.mark.parametrize("generation", ["0.x", "1.x"])


@GENERATIONS
def test_an_output_says_which_files_it_was_made_of(tmp_path, generation):
    spec = Suite2pSpec(generation, file_list=("a_00001.tif", "a_00002.tif"), frames_per_file=(40, 20))

    output = read_output(write_output(tmp_path / "suite2p", spec))

    assert output.generation == generation
    assert output.file_list == ("a_00001.tif", "a_00002.tif")
    assert output.planes[0].frames_per_file == (40, 20)
    assert (output.planes[0].num_rois, output.planes[0].num_frames) == (5, 60)
    assert output.version in ("0.14.6", "1.1.0")


@GENERATIONS
def test_the_merged_planes_are_imported_rather_than_each_plane(tmp_path, generation):
    output = read_output(write_output(tmp_path, Suite2pSpec(generation, num_planes=3, num_rois=4)))

    assert [plane.label for plane in output.planes] == ["plane0", "plane1", "plane2"]
    assert [(plane.label, plane.num_rois) for plane in output.imported] == [("combined", 12)]
    assert [roi.plane for roi in read_rois(output.combined)] == [0] * 4 + [1] * 4 + [2] * 4


@GENERATIONS
def test_planes_that_were_not_merged_are_imported_one_by_one(tmp_path, generation):
    output = read_output(write_output(tmp_path, Suite2pSpec(generation, num_planes=2, combined=False)))

    assert [plane.plane for plane in output.imported] == [0, 1]


@GENERATIONS
def test_flyback_planes_do_not_count(tmp_path, generation):
    spec = Suite2pSpec(generation, num_planes=4, flyback_planes=(2, 3))

    output = read_output(write_output(tmp_path, spec))

    assert [plane.label for plane in output.planes] == ["plane0", "plane1"]
    assert output.num_planes == 2


def test_a_field_that_is_missing_is_missed(tmp_path):
    root = write_output(tmp_path, Suite2pSpec(num_planes=4, num_fields=2, combined=False))
    shutil.rmtree(root / "plane3")

    output = read_output(root)

    assert (output.num_planes, len(output.planes)) == (4, 3)


def test_planes_are_ordered_by_number(tmp_path):
    output = read_output(write_output(tmp_path, Suite2pSpec(num_planes=11, num_rois=1)))

    assert [plane.plane for plane in output.planes] == list(range(11))


@GENERATIONS
def test_options_are_found_and_can_be_kept_as_json(tmp_path, generation):
    output = read_output(write_output(tmp_path, Suite2pSpec(generation, num_planes=2)))

    summary = options_summary(json.loads(json.dumps(output.options)))

    assert (summary.fs_hz, summary.tau_s, summary.num_planes, summary.diameter) == (10.0, 1.0, 2, (12, 12))
    assert (summary.neuropil_coefficient, summary.nonrigid, summary.spatial_scale) == (0.7, False, 0)
    assert summary.batch_size == (500 if generation == "0.x" else 100)
    assert not {"meanImg", "yoff", "file_list", "save_path0"} & set(output.options)


@GENERATIONS
def test_options_that_are_no_number_can_be_kept_as_json_too(tmp_path, generation):
    settings = {"tau": float("nan"), "diameter": [12.0, float("inf")], "low": np.float32("-inf")}
    output = read_output(write_output(tmp_path, Suite2pSpec(generation, settings=settings)))

    kept = json.loads(json.dumps(output.options, allow_nan=False))

    assert (kept["tau"], kept["diameter"], kept["low"]) == ("nan", [12.0, "inf"], "-inf")


def test_a_file_with_a_damaged_header_is_named_as_cut_off(tmp_path):
    root = write_output(tmp_path)
    path = root / "plane0" / "spks.npy"
    content = path.read_bytes()
    path.write_bytes(content[:10] + b"{" + b"'x" * 20 + content[51:])

    assert missing_files(read_output(root).planes[0]) == ("spks.npy (cut off)",)


def test_outputs_are_found_in_both_layouts_and_copies_in_the_making_are_not(tmp_path):
    direct = write_output(tmp_path / "combined_ab12" / "default", Suite2pSpec(num_planes=2))
    nested = write_output(tmp_path / "split_of_ab12" / "fast" / "suite2p")
    write_output(tmp_path / ".default.partial-1" / "suite2p")
    (tmp_path / "plane1").mkdir()

    assert find_outputs(tmp_path) == (direct, nested)


def test_our_own_note_is_read_beside_the_folder_of_suite2p(tmp_path):
    root = write_output(tmp_path / "suite2p")
    assert read_output(root).marker is None

    (tmp_path / MARKER_NAME).write_text('{"ops_name": "default"}')

    assert read_output(root).marker == {"ops_name": "default"}


@pytest.mark.parametrize(
    "text", ['{"ops_na', "[" * 100_000, '{"ops_name": ["fast"]}', '{"ops_name": "' + "x" * 65 + '"}']
)
def test_a_damaged_note_is_refused_with_its_name(tmp_path, text):
    root = write_output(tmp_path / "suite2p")
    (tmp_path / MARKER_NAME).write_text(text)

    with pytest.raises(FormatError, match=MARKER_NAME):
        read_output(root)


def test_a_whole_folder_lacks_nothing(tmp_path):
    output = read_output(write_output(tmp_path, Suite2pSpec(num_planes=2)))

    assert [missing_files(plane) for plane in (*output.planes, output.combined)] == [(), (), ()]


@pytest.mark.parametrize("name", ["F.npy", "spks.npy", "stat.npy", "iscell.npy"])
def test_a_file_that_is_not_there_is_named(tmp_path, name):
    root = write_output(tmp_path)
    (root / "plane0" / name).unlink()

    assert any(name in missing for missing in missing_files(read_output(root).planes[0]))


@pytest.mark.parametrize("name", ["Fneu.npy", "spks.npy", "stat.npy", "iscell.npy"])
def test_a_file_cut_off_is_named(tmp_path, name):
    root = write_output(tmp_path)
    path = root / "plane0" / name
    path.write_bytes(path.read_bytes()[:-7])

    assert missing_files(read_output(root).planes[0]) == (f"{name} (cut off)",)


def test_traces_of_another_run_are_named(tmp_path):
    root = write_output(tmp_path)
    np.save(root / "plane0" / "spks.npy", np.zeros((5, 59), np.float32))

    assert missing_files(read_output(root).planes[0]) == ("spks.npy (shape (5, 59), not (5, 60))",)


def test_a_run_that_has_just_begun_is_described_not_refused(tmp_path):
    root = write_output(tmp_path)
    for name in ("F", "Fneu", "spks", "iscell", "stat"):
        (root / "plane0" / f"{name}.npy").unlink()

    plane = read_output(root).planes[0]

    assert (plane.num_rois, plane.num_frames) == (0, 60)
    assert missing_files(plane) == ("F.npy", "Fneu.npy", "spks.npy", "iscell.npy", "stat.npy")


def test_a_folder_without_its_options_is_refused(tmp_path):
    root = write_output(tmp_path, Suite2pSpec("0.x"))
    (root / "plane0" / "ops.npy").unlink()

    with pytest.raises(OutputError, match="does not say how it was made"):
        read_output(root)


def test_traces_are_mapped_not_read(tmp_path):
    root = write_output(tmp_path)

    traces = read_traces(read_output(root).planes[0])

    assert isinstance(traces.fluo, np.memmap)
    assert (traces.fluo.dtype, traces.fluo.shape) == (np.float32, (5, 60))
    np.testing.assert_array_equal(traces.neuropil, np.load(root / "plane0" / "Fneu.npy"))
    assert traces.fluo_chan2 is None


def test_a_second_channel_is_read(tmp_path):
    plane = read_output(write_output(tmp_path, Suite2pSpec(num_channels=2))).planes[0]

    traces, red = read_traces(plane), read_red_cells(plane)

    np.testing.assert_allclose(traces.fluo_chan2 * 2, traces.fluo)
    assert not red[0].any()
    assert read_projections(plane).mean_image_second.shape == (HEIGHT, WIDTH)


def test_traces_that_disagree_are_refused_with_both_shapes(tmp_path):
    root = write_output(tmp_path)
    np.save(root / "plane0" / "Fneu.npy", np.zeros((4, 60), np.float32))

    with pytest.raises(OutputError, match=r"\(4, 60\).*\(5, 60\)"):
        read_traces(read_output(root).planes[0])


@GENERATIONS
def test_an_output_without_cells_is_whole(tmp_path, generation):
    plane = read_output(write_output(tmp_path, Suite2pSpec(generation, num_rois=0))).planes[0]

    assert missing_files(plane) == ()
    assert read_rois(plane) == ()
    assert read_traces(plane).spikes.shape == (0, 60)
    assert read_cell_labels(plane)[0].shape == (0,)


def test_curation_changes_the_labels_and_not_the_probabilities(tmp_path):
    root = write_output(tmp_path, Suite2pSpec(is_cell=[True, True, False, True, False]))
    before = read_cell_labels(read_output(root).planes[0])

    curate(root / "plane0", [True, False, False, True, True])
    after = read_cell_labels(read_output(root).planes[0])

    assert before[0].tolist() == [True, True, False, True, False]
    assert after[0].tolist() == [True, False, False, True, True]
    np.testing.assert_array_equal(before[1], after[1])


@GENERATIONS
def test_rois_carry_their_pixels_and_shape(tmp_path, generation):
    roi = read_rois(read_output(write_output(tmp_path, Suite2pSpec(generation))).planes[0])[0]

    assert roi.npix == roi.ypix.size == roi.xpix.size == roi.roi_weights.size == 29
    assert (roi.center_y, roi.center_x) == (np.median(roi.ypix), np.median(roi.xpix))
    assert (roi.plane, roi.npix_soma, roi.footprint) == (0, 13, 1.0)
    assert roi.isoverlap.dtype == bool


@GENERATIONS
def test_images_of_the_valid_area_are_placed_in_the_frame(tmp_path, generation):
    root = write_output(tmp_path, Suite2pSpec(generation))

    images = read_projections(read_output(root).planes[0])

    assert images.mean_image.shape == images.correlation_image.shape == (HEIGHT, WIDTH)
    assert (images.y_range, images.x_range) == (tuple(Y_RANGE), tuple(X_RANGE))
    valid = np.zeros((HEIGHT, WIDTH), dtype=bool)
    valid[slice(*Y_RANGE), slice(*X_RANGE)] = True
    np.testing.assert_array_equal(np.isfinite(images.max_image), valid)
    assert images.mean_image_second is None


@GENERATIONS
def test_images_of_merged_planes_lie_on_one_canvas(tmp_path, generation):
    output = read_output(write_output(tmp_path, Suite2pSpec(generation, num_planes=2)))

    images = read_projections(output.combined)

    assert images.mean_image.shape == (HEIGHT, 2 * WIDTH)
    assert images.reference_image is None


@GENERATIONS
def test_motion_has_one_offset_a_frame(tmp_path, generation):
    output = read_output(write_output(tmp_path, Suite2pSpec(generation, nonrigid=True)))

    motion = read_motion(output.planes[0])

    assert motion.x_offset.shape == motion.bad_frames.shape == motion.correlation.shape == (60,)
    assert motion.x_offset_blocks.shape == (60, 4)
    assert motion.components is None


@pytest.mark.parametrize("name", ["xoff", "yoff", "corrXY", "badframes", "xoff1", "yoff1"])
def test_motion_that_lacks_a_frame_is_refused(tmp_path, name):
    root = write_output(tmp_path, Suite2pSpec("0.x", nonrigid=True))
    path = root / "plane0" / "ops.npy"
    ops = np.load(path, allow_pickle=True).item()
    np.save(path, ops | {name: ops[name][:-1]})

    with pytest.raises(OutputError, match=rf"plane0.*{name} of 59\. Allowed: 60"):
        read_motion(read_output(root).planes[0])


def test_the_motion_of_merged_planes_is_refused(tmp_path):
    output = read_output(write_output(tmp_path, Suite2pSpec(num_planes=2)))

    with pytest.raises(OutputError, match="Read each plane's own folder"):
        read_motion(output.combined)


ODD_ROIS = {
    "coordinates that are no numbers": {"ypix": np.full(29, np.nan)},
    "coordinates below 0": {"xpix": np.full(29, -1)},
    "coordinates that no image has": {"xpix": np.full(29, 2**40)},
    "text": {"ypix": np.full(29, "7")},
    "fewer weights than pixels": {"lam": np.ones(28, np.float32)},
    "another number of pixels": {"npix": 30},
    "complex weights": {"lam": np.ones(29, np.complex64)},
}


@pytest.mark.parametrize("odd", ODD_ROIS.values(), ids=ODD_ROIS)
def test_a_roi_whose_pixels_cannot_be_is_refused_with_its_file(tmp_path, odd):
    plane = read_output(write_output(tmp_path, Suite2pSpec())).planes[0]
    path = plane.folder / "stat.npy"
    rois = np.load(path, allow_pickle=True)
    rois[2] = {**rois[2], **odd}
    np.save(path, rois)

    with pytest.raises(OutputError, match=r"stat\.npy"):
        read_rois(plane)


@pytest.mark.parametrize("dtype", [np.int32, np.bool_, np.complex64])
def test_traces_of_another_type_are_refused_with_their_file(tmp_path, dtype):
    plane = read_output(write_output(tmp_path, Suite2pSpec())).planes[0]
    traces = np.load(plane.folder / "F.npy")
    np.save(plane.folder / "F.npy", traces.astype(dtype))

    with pytest.raises(OutputError, match=r"F\.npy.*floating-point"):
        read_traces(plane)
