"""What is read of outputs in which a person merged, drew or labelled ROIs in Suite2p's window."""

import shutil

import numpy as np
import pytest

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.suite2p.output import (
    missing_files,
    read_cell_labels,
    read_merges,
    read_output,
    read_red_cells,
    read_rois,
    read_traces,
)
from imaging_pipeline.segmentation.suite2p_python import Suite2pPython
from tests.makers.suite2p_output import HEIGHT, WIDTH, Suite2pSpec, curate, look_at_planes, write_output
from tests.makers.suite2p_window import change_stat, draw, merge

GENERATIONS = pytest.mark.parametrize("generation", ["0.x", "1.x"])


def cells_of(root, label="plane0"):
    with Suite2pPython().open_plane(root / label / "iscell.npy") as plane:
        return np.flatnonzero(plane.cell_labels()[0]).tolist()


def remarks_of(root):
    return Suite2pPython().read(root, []).remarks()


@GENERATIONS
def test_the_parts_of_a_merged_roi_are_no_cells(tmp_path, generation):
    root = write_output(tmp_path, Suite2pSpec(generation, num_rois=5))
    merge(root / "plane0", (0, 3), generation=generation)

    (plane,) = Suite2pPython().read(root, []).planes
    labelled = plane.labelled()

    assert cells_of(root) == [1, 2, 4, 5]
    assert labelled.cell_ids == {1, 2, 4, 5}
    assert labelled.num_merged == (2 if generation == "0.x" else 0)
    assert read_merges(plane.content) == {0: 5, 3: 5}
    assert [roi.merged_from for roi in read_rois(plane.content)] == [()] * 5 + [(0, 3)]


@GENERATIONS
def test_a_roi_that_is_merged_once_more_counts_once(tmp_path, generation):
    root = write_output(tmp_path, Suite2pSpec(generation, num_rois=5))
    merge(root / "plane0", (0, 3), (5, 4), generation=generation)

    assert read_merges(read_output(root).planes[0]) == {0: 6, 3: 6, 4: 6, 5: 6}
    assert cells_of(root) == [1, 2, 6]


@GENERATIONS
def test_a_merge_is_known_after_the_window_forgot_it(tmp_path, generation):
    """Opening an output sets ``inmerge`` of all ROIs to 0, and the next merge saves that."""
    root = write_output(tmp_path, Suite2pSpec(generation, num_rois=5))
    merge(root / "plane0", (0, 3), generation=generation)
    merge(root / "plane0", (1, 2), generation=generation)

    assert read_merges(read_output(root).planes[0]) == {0: 5, 3: 5, 1: 6, 2: 6}
    assert cells_of(root) == [4, 5, 6]


def test_a_roi_that_is_drawn_later_shifts_the_numbers_of_merged_ones(tmp_path):
    root = write_output(tmp_path, Suite2pSpec("0.x", num_rois=5))
    merge(root / "plane0", (0, 3))
    merge(root / "plane0", (1, 2))
    draw(root / "plane0", 40, 60)

    assert read_merges(read_output(root).planes[0]) == {1: 6, 4: 6, 2: 7, 3: 7}
    assert cells_of(root) == [0, 5, 6, 7]


def test_parts_of_a_merged_roi_that_is_no_cell_are_cells_once_they_are_shown_again(tmp_path):
    root = write_output(tmp_path, Suite2pSpec("0.x", num_rois=5))
    merge(root / "plane0", (0, 3))
    for number in range(6):
        change_stat(root / "plane0", number, inmerge=0)
    curate(root / "plane0", [True] * 5 + [False])

    assert cells_of(root) == [0, 1, 2, 3, 4]


def test_a_merge_into_a_roi_that_is_not_there_is_refused(tmp_path):
    root = write_output(tmp_path, Suite2pSpec("0.x", num_rois=5))
    change_stat(root / "plane0", 1, inmerge=5)

    with pytest.raises(OutputError, match=r"stat\.npy.*ROI 1 was merged into ROI 5, of 5"):
        read_merges(read_output(root).planes[0])


@pytest.mark.parametrize("changed", [{"imerge": value} for value in ([2**40], [-1], [1.5], ["1"], np.nan)])
def test_numbers_of_merged_rois_that_are_none_are_refused(tmp_path, changed):
    root = write_output(tmp_path, Suite2pSpec("0.x"))
    change_stat(root / "plane0", 1, **changed)

    for read in (read_rois, read_merges):
        with pytest.raises(OutputError, match=r"stat\.npy.*imerge .* no numbers of ROIs.*Put back"):
            read(read_output(root).planes[0])


@pytest.mark.parametrize("stated", [2**40, -1, np.nan, 0.5])
def test_a_number_of_pixels_that_is_none_is_refused(tmp_path, stated):
    root = write_output(tmp_path, Suite2pSpec("0.x"))
    change_stat(root / "plane0", 1, npix_soma=stated)

    with pytest.raises(OutputError, match=r"stat\.npy.*npix_soma.*Put back"):
        read_rois(read_output(root).planes[0])


@pytest.mark.parametrize(("name", "key"), [("isoverlap", "overlap"), ("soma_crop", "soma_crop")])
def test_a_mask_of_other_pixels_is_not_known(tmp_path, name, key):
    root = write_output(tmp_path, Suite2pSpec("0.x"))
    change_stat(root / "plane0", 1, **{key: np.ones(3, bool)})

    read = [getattr(roi, name) for roi in read_rois(read_output(root).planes[0])]

    assert [mask is None for mask in read] == [False, True, False, False, False]


@pytest.mark.parametrize("label", [np.nan, 0.4, 2, -1])
@pytest.mark.parametrize("name", ["iscell", "redcell"])
def test_labels_that_say_neither_yes_nor_no_are_refused(tmp_path, name, label):
    root = write_output(tmp_path, Suite2pSpec(num_channels=2))
    path = root / "plane0" / f"{name}.npy"
    labels = np.load(path)
    labels[2:, 0] = label
    np.save(path, labels)

    with pytest.raises(OutputError, match=rf"{name}\.npy.*{label}.*3 of 5 ROIs.*0 or 1"):
        Suite2pPython().read(root, []).missing()


@GENERATIONS
@pytest.mark.parametrize("stated", [..., [], np.array([]), None], ids=["nothing", "list", "array", "None"])
def test_a_roi_of_merged_planes_that_names_none_is_in_the_plane_of_its_pixels(tmp_path, generation, stated):
    spec = Suite2pSpec(generation, num_planes=5, num_rois=3, flyback_planes=(1,))
    root = write_output(tmp_path, spec)
    planes = [roi.plane for roi in read_rois(read_output(root).combined)]
    for number in (0, 4, 8, 11):
        change_stat(root / "combined", number, iplane=stated)

    assert [roi.plane for roi in read_rois(read_output(root).combined)] == planes
    assert len(set(planes)) == 4


@pytest.mark.parametrize("stated", [[1], np.array([1]), np.array([[1]]), 1.0, np.int16(1), np.array(1)])
def test_a_plane_in_a_list_or_array_is_read(tmp_path, stated):
    root = write_output(tmp_path, Suite2pSpec(num_planes=2, num_rois=1))
    change_stat(root / "combined", 1, iplane=stated)

    assert [roi.plane for roi in read_rois(read_output(root).combined)] == [0, 1]


@pytest.mark.parametrize("stated", [[0, 1], "1", 0.5, np.nan])
def test_a_plane_that_is_no_number_is_refused_without_asking_for_another_run_first(tmp_path, stated):
    root = write_output(tmp_path, Suite2pSpec(num_planes=2, num_rois=1))
    change_stat(root / "combined", 1, iplane=stated)

    with pytest.raises(OutputError, match=r"stat\.npy.*iplane") as raised:
        read_rois(read_output(root).combined)

    assert raised.value.remedy.startswith("Put back")


@GENERATIONS
@pytest.mark.parametrize("stated", [-1, 1, 4, 40_000])
def test_a_number_that_is_no_merged_plane_s_does_not_say_where_a_roi_lies(tmp_path, generation, stated):
    spec = Suite2pSpec(generation, num_planes=4, num_rois=1, flyback_planes=(1, 3))
    root = write_output(tmp_path, spec)
    draw(root / "combined", 10, WIDTH)
    # Across two planes, so that its pixels do not say it either.
    change_stat(root / "combined", 0, iplane=stated, manual=False)

    with Suite2pPython().open_plane(root / "combined" / "iscell.npy") as plane:
        planes = [roi.plane for roi in plane.rois()]

    # 1.x counts the planes that it merged: its second one is the microscope's third.
    assert planes == [2 if generation == "1.x" and stated == 1 else None, 0, 2]


@GENERATIONS
@pytest.mark.parametrize("says_plane", [True, False])
def test_a_roi_that_is_drawn_in_merged_planes_is_in_the_plane_that_it_was_drawn_in(
    tmp_path, generation, says_plane
):
    """The window notes the plane of the first ROI, wherever the drawn one lies."""
    root = write_output(tmp_path, Suite2pSpec(generation, num_planes=3, num_rois=2))
    draw(root / "combined", HEIGHT + 10, 10, says_plane=says_plane)

    assert [roi.plane for roi in read_rois(read_output(root).combined)] == [2, 0, 0, 1, 1, 2, 2]


def test_a_roi_that_is_drawn_across_planes_is_in_none(tmp_path):
    root = write_output(tmp_path, Suite2pSpec(num_planes=2, num_rois=2))
    draw(root / "combined", 10, WIDTH)

    assert read_rois(read_output(root).combined)[0].plane is None


def test_without_the_planes_a_roi_is_where_it_says(tmp_path):
    root = write_output(tmp_path, Suite2pSpec(num_planes=2, num_rois=2))
    draw(root / "combined", 10, 10)
    for plane in ("plane0", "plane1"):
        shutil.rmtree(root / plane)

    # What is drawn says only where the first ROI is.
    assert [roi.plane for roi in read_rois(read_output(root).combined)] == [None, 0, 0, 1, 1]


def test_fields_are_on_the_canvas_where_they_lie_in_the_specimen(tmp_path):
    """Two fields side by side, with a gap of 6 columns, in each of two planes below each other."""
    root = write_output(tmp_path, Suite2pSpec(num_planes=4, num_fields=2, num_rois=1))
    corners = [(0, 0), (0, WIDTH + 6), (HEIGHT, 0), (HEIGHT, WIDTH + 6)]
    for number in range(4):
        path = root / f"plane{number}" / "db.npy"
        offsets = {"dy": 0, "dx": (number % 2) * (WIDTH + 6), "lines": np.arange(HEIGHT)}
        np.save(path, np.load(path, allow_pickle=True).item() | offsets)
        (stat,) = np.load(root / f"plane{number}" / "stat.npy", allow_pickle=True)
        row, column = corners[number]
        moved = {"ypix": stat["ypix"] + row, "xpix": stat["xpix"] + column, "iplane": ...}
        change_stat(root / "combined", number, **moved)
    path = root / "combined" / "db.npy"
    size = {"Ly": 2 * HEIGHT, "Lx": 2 * WIDTH + 6}
    np.save(path, np.load(path, allow_pickle=True).item() | size)

    assert [roi.plane for roi in read_rois(read_output(root).combined)] == [0, 1, 2, 3]


def test_the_first_channel_is_read_where_the_second_lacks_a_roi(tmp_path):
    root = write_output(tmp_path, Suite2pSpec("0.x", num_channels=2))
    merge(root / "plane0", (0, 3))
    output = read_output(root)

    traces = read_traces(output.planes[0])

    assert (traces.fluo.shape, traces.fluo_chan2, traces.neuropil_chan2) == ((6, 60), None, None)
    assert read_red_cells(output.planes[0]) is None
    assert missing_files(output.planes[0]) == ()
    second, red = remarks_of(root)
    assert "first channel of plane0 is imported and the second is not" in second
    assert "plane0/F_chan2.npy has shape (5, 60), not (6, 60)" in second
    assert "plane0/redcell.npy has shape (5, 2) for 6 ROIs" in red


def test_a_second_channel_that_was_merged_along_is_read(tmp_path):
    root = write_output(tmp_path, Suite2pSpec("0.x", num_channels=2))
    merge(root / "plane0", (0, 3), second=True)

    assert read_traces(read_output(root).planes[0]).fluo_chan2.shape == (6, 60)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (("plane1",), "plane0, plane1 have 7 ROIs, and combined has 6"),
        (("combined",), "plane0, plane1 have 6 ROIs, and combined has 7"),
        (("combined", "plane0"), "plane0 holds other ROIs than combined"),
    ],
)
def test_the_second_channel_of_planes_with_other_rois_than_were_merged_is_left_out(tmp_path, labels, reason):
    root = write_output(tmp_path, Suite2pSpec("0.x", num_planes=2, num_channels=2, num_rois=3))
    for label in labels:
        merge(root / label, (0, 1), second=label != "combined")

    traces = read_traces(read_output(root).combined)

    assert (traces.fluo_chan2, traces.neuropil_chan2) == (None, None)
    assert any(reason in remark for remark in remarks_of(root))


def test_a_lone_file_of_the_second_channel_is_told(tmp_path):
    root = write_output(tmp_path, Suite2pSpec(num_channels=2))
    (root / "plane0" / "Fneu_chan2.npy").unlink()

    (remark,) = remarks_of(root)

    assert "plane0/Fneu_chan2.npy is not there" in remark


@GENERATIONS
def test_labels_that_differ_between_planes_and_what_was_merged_of_them_are_told(tmp_path, generation):
    root = write_output(tmp_path, Suite2pSpec(generation, num_planes=3, num_rois=3))
    assert remarks_of(root) == []
    curate(root / "plane1", [False, True, False])

    (remark,) = remarks_of(root)

    assert "the labels in combined are used" in remark
    assert "they differ for 2 ROIs of plane1, and those in plane1 were written later; mark" in remark
    assert cells_of(root, "combined") == list(range(9))


def test_planes_in_which_rois_were_merged_are_told_where_others_are_used(tmp_path):
    root = write_output(tmp_path, Suite2pSpec("0.x", num_planes=2, num_rois=3))
    merge(root / "plane0", (0, 1))

    (remark,) = remarks_of(root)

    assert "they are of 7 ROIs in the planes and of 6 in combined" in remark


@GENERATIONS
def test_labels_that_were_made_for_planes_shown_together_are_told_where_those_of_planes_are_used(
    tmp_path, generation
):
    root = write_output(tmp_path, Suite2pSpec(generation, num_planes=2, num_rois=3, combined=False))
    look_at_planes(root)
    assert remarks_of(root) == []
    curate(root / "combined", [True, True, False, True, True, True])

    (remark,) = remarks_of(root)

    assert "the labels in each plane are used, and not those that Suite2p's window left in combined" in remark
    assert "they differ for 1 ROI of plane0, and were written later; mark the cells in each plane" in remark


def test_labels_that_are_not_used_stop_nothing(tmp_path):
    root = write_output(tmp_path, Suite2pSpec(num_planes=2))
    (root / "plane1" / "iscell.npy").write_bytes(b"")

    (remark,) = remarks_of(root)

    assert "those of plane1 cannot be read" in remark
    assert read_cell_labels(read_output(root).combined)[0].all()
