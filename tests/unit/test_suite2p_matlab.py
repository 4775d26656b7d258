"""What is read of the results of Suite2p for MATLAB, in both containers of MATLAB's files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging_pipeline.errors import FormatError, OutputError
from imaging_pipeline.readers.suite2p_matlab.output import (
    open_result,
    read_cell_labels,
    read_measured_hash,
    read_motion,
    read_neuropil_coefficients,
    read_projections,
    read_red_cells,
    read_result,
    read_rois,
    read_traces,
    result_name,
)
from tests.makers.matlab_file import write_v7, write_v73
from tests.makers.suite2p_matlab import (
    COEFFICIENTS,
    HEIGHT,
    WIDTH,
    Y_RANGE,
    MatlabSpec,
    content,
    write_curated,
    write_result,
)

TIFS = (("day_00001.tif", "day_00002.tif"), ("night_00001.tif",))
SPEC = MatlabSpec(tifs=TIFS, frames=(30, 20), is_cell=(True, False, True, True, False))
WRITERS = {"v7": write_v7, "v7.3": write_v73}

each_container = pytest.mark.parametrize("container", ["v7", "v7.3"])


def write(path: Path, container: str, variables: dict[str, Any]) -> Path:
    return WRITERS[container](path, variables)


@each_container
@pytest.mark.parametrize("write_file", [write_result, write_curated])
def test_a_result_says_how_much_is_in_it_whoever_saved_it(
    tmp_path: Path, container: str, write_file: Any
) -> None:
    path = write_file(tmp_path, replace(SPEC, container=container, num_planes=2))
    with open_result(path) as result:
        described = read_result(result)
    assert (described.num_rois, described.frames_per_session) == (5, (30, 20))
    assert described.files_per_session == TIFS
    assert (described.num_planes, described.frame_rate_hz) == (2, 10.0)
    assert described.missing == ()
    assert described.options["mouse_name"] == "90218"
    assert described.options["maxNeurop"] == "inf"
    assert "DS" not in described.options


@each_container
def test_traces_are_those_of_one_session(tmp_path: Path, container: str) -> None:
    written = content(SPEC)
    with open_result(write_result(tmp_path, replace(SPEC, container=container))) as result:
        traces = [read_traces(result, session) for session in (0, 1)]
        coefficients = read_neuropil_coefficients(result)
    for session, found in enumerate(traces):
        np.testing.assert_array_equal(found.fluo, written["Fcell"][session])
        np.testing.assert_array_equal(found.neuropil, written["FcellNeu"][session])
        np.testing.assert_array_equal(found.spikes, written["sp"][session])
        assert (found.fluo.dtype, found.fluo_chan2) == (np.float32, None)
    np.testing.assert_array_equal(coefficients, COEFFICIENTS)


@each_container
def test_what_was_not_deconvolved_has_no_spikes(tmp_path: Path, container: str) -> None:
    path = write_result(tmp_path, replace(SPEC, container=container, deconvolved=False))
    with open_result(path) as result:
        assert read_result(result).missing == ()
        assert read_traces(result, 0).spikes is None


@each_container
def test_pixels_are_counted_from_0_in_the_whole_frame(tmp_path: Path, container: str) -> None:
    with open_result(write_result(tmp_path, replace(SPEC, container=container))) as result:
        rois = read_rois(result, 0)
    for roi, written in zip(rois, content(SPEC)["stat"], strict=True):
        # Row 1 of the part that was analysed is row 3 of the frame as MATLAB counts, and row 2 from 0.
        np.testing.assert_array_equal(roi.ypix, written["ypix"].ravel() + 1)
        np.testing.assert_array_equal(roi.xpix, written["xpix"].ravel())
        assert (roi.center_y, roi.center_x) == (written["med"][0, 0] + 1, written["med"][0, 1])
        np.testing.assert_allclose(roi.roi_weights, written["lam"].ravel(), rtol=1e-6)
        assert (roi.npix, roi.plane, roi.compact, roi.std) == (29, 0, 0.35 / 0.34, None)
        assert not roi.isoverlap.any()


@each_container
@pytest.mark.parametrize("noted_in", ["stat", "cl"])
def test_a_person_s_labels_are_found_where_the_window_noted_them(
    tmp_path: Path, container: str, noted_in: Any
) -> None:
    path = write_curated(tmp_path, replace(SPEC, container=container, noted_in=noted_in))
    with open_result(path) as result:
        is_cell, probability = read_cell_labels(result)
    assert np.flatnonzero(is_cell).tolist() == [0, 2, 3]
    assert set(probability) == {0.75}


@each_container
def test_the_early_window_s_labels_count_more_than_the_classifier_s(tmp_path: Path, container: str) -> None:
    labelled = content(SPEC) | {"cl": {"iscell": np.array([[0, 1, 0, 0, 0.0]])}}
    with open_result(write(tmp_path / "F_plane1_proc.mat", container, {"dat": labelled})) as result:
        is_cell, _ = read_cell_labels(result)
    assert np.flatnonzero(is_cell).tolist() == [1]


@each_container
def test_without_a_classifier_there_is_no_probability(tmp_path: Path, container: str) -> None:
    unclassified = content(SPEC)
    for region in unclassified["stat"]:
        del region["cellProb"]
    with open_result(write(tmp_path / "F_plane1.mat", container, unclassified)) as result:
        assert np.isnan(read_cell_labels(result)[1]).all()


@each_container
def test_red_cells_are_told_where_there_was_a_second_channel(tmp_path: Path, container: str) -> None:
    with open_result(write_result(tmp_path, replace(SPEC, container=container, has_red=True))) as result:
        is_red, probability = read_red_cells(result)
        assert read_projections(result).mean_image_second.shape == (HEIGHT, WIDTH)
    assert (np.flatnonzero(is_red).tolist(), set(probability)) == ([1], {0.25})


@each_container
def test_without_a_second_channel_no_cell_is_red_nor_not_red(tmp_path: Path, container: str) -> None:
    """The window notes every region as not red."""
    looked_at = content(SPEC)
    for region in looked_at["stat"]:
        region |= {"redcell": 0.0, "redprob": 0.0}
    with open_result(write(tmp_path / "F_plane1.mat", container, looked_at)) as result:
        assert read_red_cells(result) is None


@each_container
def test_images_have_the_size_of_the_frames(tmp_path: Path, container: str) -> None:
    written = content(SPEC)["ops"]
    with open_result(write_result(tmp_path, replace(SPEC, container=container))) as result:
        images = read_projections(result)
    np.testing.assert_allclose(images.mean_image, written["mimg1"], rtol=1e-6)
    np.testing.assert_allclose(images.reference_image, written["mimg"], rtol=1e-6)
    assert (images.y_range, images.x_range) == ((2, 46), (1, 61))
    np.testing.assert_allclose(images.correlation_image[2:46, 1:61], written["Vcorr"], rtol=1e-6)
    assert np.isnan(images.correlation_image[:2]).all()


@each_container
@pytest.mark.parametrize("num_blocks", [1, 4])
def test_offsets_are_whole_pixels_and_what_is_left_of_them(
    tmp_path: Path, container: str, num_blocks: int
) -> None:
    spec = replace(SPEC, container=container, num_blocks=num_blocks)
    written = content(spec)["ops"]
    with open_result(write_result(tmp_path, spec)) as result:
        motion = read_motion(result, 50)
    stated = written["DS"].reshape(50, 2, num_blocks)
    np.testing.assert_allclose(motion.y_offset[:, None] + motion.y_offset_blocks, stated[:, 0], atol=1e-6)
    np.testing.assert_allclose(motion.x_offset[:, None] + motion.x_offset_blocks, stated[:, 1], atol=1e-6)
    np.testing.assert_array_equal(motion.bad_frames, written["badframes"].ravel())


@each_container
def test_offsets_of_another_number_of_frames_are_refused_with_both_numbers(
    tmp_path: Path, container: str
) -> None:
    with (
        open_result(write_result(tmp_path, replace(SPEC, container=container))) as result,
        pytest.raises(OutputError, match=r"ops\.DS of 50\. Allowed: 49"),
    ):
        read_motion(result, 49)


@pytest.mark.parametrize("name", ["DS", "CorrFrame", "badframes"])
def test_values_that_lack_a_frame_are_refused(tmp_path: Path, name: str) -> None:
    variables = content(SPEC)
    whole = variables["ops"][name]
    variables["ops"][name] = whole[:, :-1] if name == "badframes" else whole[:-1]
    with (
        open_result(write_v7(tmp_path / "F_90218_2024-05-17_plane1.mat", variables)) as result,
        pytest.raises(OutputError, match=rf"plane1\.mat.*ops\.{name} of 49\. Allowed: 50"),
    ):
        read_motion(result, 50)


@each_container
def test_only_what_curation_leaves_alone_is_in_the_hash_of_what_was_measured(
    tmp_path: Path, container: str
) -> None:
    spec = replace(SPEC, container=container)
    recurated = replace(spec, is_cell=(False, False, True, True, True), noted_in="cl")

    def measured(path: Path) -> str:
        with open_result(path) as result:
            return read_measured_hash(result)

    first = measured(write_result(tmp_path / "run", spec))
    assert measured(write_curated(tmp_path / "curated", recurated)) == first
    assert measured(write_result(tmp_path / "other", replace(spec, seed=1))) != first
    assert measured(write_result(tmp_path / "raw", replace(spec, deconvolved=False))) != first


def test_both_containers_have_the_same_hash_of_what_was_measured(tmp_path: Path) -> None:
    hashes = set()
    for container in WRITERS:
        spec = replace(SPEC, container=container)
        with open_result(write_result(tmp_path / container, spec)) as result:
            hashes.add(read_measured_hash(result))
    assert len(hashes) == 1


@each_container
def test_a_result_of_one_region_is_read(tmp_path: Path, container: str) -> None:
    """MATLAB writes a struct array of one element as a struct."""
    path = write_result(tmp_path, replace(SPEC, container=container, is_cell=(True,)))
    with open_result(path) as result:
        assert (read_result(result).num_rois, len(read_rois(result, 0))) == (1, 1)
        assert read_cell_labels(result)[0].tolist() == [True]


@each_container
def test_what_the_import_needs_and_is_not_there_is_named(tmp_path: Path, container: str) -> None:
    written = content(SPEC)
    del written["FcellNeu"], written["ops"]["mimg1"]
    for region in written["stat"]:
        del region["neuropilCoefficient"], region["iscell"]
    with open_result(write(tmp_path / "F_plane1.mat", container, written)) as result:
        missing = read_result(result).missing
    assert missing == (
        "FcellNeu",
        "stat.neuropilCoefficient",
        "ops.mimg1",
        "The field stat.iscell is missing",
    )


@each_container
def test_a_file_without_traces_is_refused_with_the_name_of_the_field(tmp_path: Path, container: str) -> None:
    path = write(tmp_path / "F_plane1.mat", container, {"ops": {"nplanes": 1.0}})
    with (
        open_result(path) as result,
        pytest.raises(
            FormatError, match=r"The field Fcell is missing.*F_plane1\.mat.*Found: the file with ops"
        ),
    ):
        read_result(result)


@each_container
def test_a_field_of_another_kind_is_refused_with_what_it_is(tmp_path: Path, container: str) -> None:
    written = content(SPEC) | {"Fcell": np.zeros((5, 30), np.float32)}
    with (
        open_result(write(tmp_path / "F_plane1.mat", container, written)) as result,
        pytest.raises(FormatError, match=r"Fcell is not what.*Found: numbers\. Allowed: cell array"),
    ):
        read_result(result)


@each_container
def test_traces_of_another_number_of_regions_are_refused_with_both_numbers(
    tmp_path: Path, container: str
) -> None:
    written = content(SPEC)
    written["stat"] = written["stat"][:4]
    with (
        open_result(write(tmp_path / "F_plane1.mat", container, written)) as result,
        pytest.raises(OutputError, match=r"Fcell of \(5, 30\), \(5, 20\), stat of 4 regions"),
    ):
        read_result(result)


@each_container
def test_spikes_of_another_length_are_refused_with_both_shapes(tmp_path: Path, container: str) -> None:
    written = content(SPEC)
    written["sp"] = (written["sp"][0], written["sp"][1][:, :19])
    with (
        open_result(write(tmp_path / "F_plane1.mat", container, written)) as result,
        pytest.raises(OutputError, match=r"sp.*shape \(5, 19\) in session 2\. Allowed: shape \(5, 20\)"),
    ):
        read_traces(result, 1)


@each_container
def test_pixels_that_are_counted_in_the_whole_frame_are_the_same(tmp_path: Path, container: str) -> None:
    read = []
    for number, pixels_in in enumerate(("part", "frame")):
        spec = replace(SPEC, container=container, pixels_in=pixels_in)
        with open_result(write_result(tmp_path / str(number), spec)) as result:
            read.append(read_rois(result, 0))
    for one, other in zip(*read, strict=True):
        np.testing.assert_array_equal(one.ypix, other.ypix)
        np.testing.assert_array_equal(one.xpix, other.xpix)
        assert (one.center_y, one.center_x) == (other.center_y, other.center_x)


@each_container
@pytest.mark.parametrize("field", ["ypix", "ipix"])
def test_pixels_of_a_region_that_contradict_each_other_are_refused(
    tmp_path: Path, container: str, field: str
) -> None:
    """One region is counted in the frame and all others in its part, or not as ``ipix`` is at all."""
    written = content(SPEC)
    written["stat"][3][field] = written["stat"][3][field] + Y_RANGE[0] - 1
    with (
        open_result(write(tmp_path / "F_plane1.mat", container, written)) as result,
        pytest.raises(FormatError, match=r"ypix and xpix of region 4 are not the pixels that ipix lists"),
    ):
        read_rois(result, 0)


@each_container
def test_labels_that_are_no_number_are_named_as_missing(tmp_path: Path, container: str) -> None:
    written = content(SPEC)
    for region in written["stat"]:
        region["iscell"] = np.nan
    with open_result(write(tmp_path / "F_plane1.mat", container, written)) as result:
        assert read_result(result).missing == ("5 labels in stat.iscell are neither 0 nor 1, such as nan",)


@each_container
def test_pixels_from_0_are_refused_with_what_is_allowed(tmp_path: Path, container: str) -> None:
    """A file that a person converted from Python may count so."""
    written = content(SPEC)
    written["stat"][2]["ypix"] = np.array([[0.0], [1.0]])
    with (
        open_result(write(tmp_path / "F_plane1.mat", container, written)) as result,
        pytest.raises(FormatError, match=r"region 3 are not.*Found: ypix 0 to 1.*Allowed: .* in the part"),
    ):
        read_rois(result, 0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("F_90218_2024-05-17_plane1.mat", ("F_90218_2024-05-17", 0, False)),
        ("F_90218_2024-05-17_plane12_proc.mat", ("F_90218_2024-05-17", 11, True)),
        ("F_plane2.mat", ("F", 1, False)),
        ("Fall.mat", None),
        ("F_90218_plane0.mat", None),
        ("regops_90218_2024-05-17.mat", None),
    ],
)
def test_the_name_of_a_result_says_run_plane_and_curation(name: str, expected: Any) -> None:
    found = result_name(name)
    assert (None if found is None else (found.run, found.plane, found.is_curated)) == expected
