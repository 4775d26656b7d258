"""The layouts in which Suite2p 0.x and 1.x leave planes, merged planes and channels, and their options."""

import json
from pathlib import PureWindowsPath

import numpy as np
import pytest

from imaging_pipeline.readers.suite2p.output import (
    missing_files,
    options_summary,
    read_output,
    read_red_cells,
    read_traces,
)
from imaging_pipeline.suite2p_runner.options import load_options, translate
from tests.makers.options_0x import default_ops
from tests.makers.suite2p_output import Suite2pSpec, look_at_planes, write_output

GENERATIONS = pytest.mark.parametrize("generation", ["0.x", "1.x"])


@GENERATIONS
def test_the_second_channel_of_merged_planes_is_put_together_from_each_plane(tmp_path, generation):
    spec = Suite2pSpec(generation, num_planes=3, flyback_planes=(2,), num_channels=2, num_rois=4)
    root = write_output(tmp_path, spec)
    output = read_output(root)

    traces, red = read_traces(output.combined), read_red_cells(output.combined)

    assert not (root / "combined" / "F_chan2.npy").exists()
    np.testing.assert_allclose(traces.fluo_chan2 * 2, traces.fluo)
    np.testing.assert_allclose(traces.neuropil_chan2 * 2, traces.neuropil)
    assert (red[0].shape, missing_files(output.combined)) == ((8,), ())


def test_a_plane_with_fewer_frames_ends_in_zeros_where_planes_are_merged(tmp_path):
    root = write_output(tmp_path, Suite2pSpec(num_planes=2, num_channels=2, num_rois=1))
    for name in ("F", "F_chan2", "Fneu_chan2"):
        path = root / "plane1" / f"{name}.npy"
        np.save(path, np.load(path)[:, :59])

    traces = read_traces(read_output(root).combined)

    assert traces.fluo_chan2.shape == (2, 60)
    assert (traces.fluo_chan2[:, 59] == 0).tolist() == [False, True]


@GENERATIONS
def test_planes_whose_labels_were_only_shown_together_are_not_merged(tmp_path, generation):
    root = write_output(tmp_path, Suite2pSpec(generation, num_planes=2, combined=False))
    look_at_planes(root)

    output = read_output(root)

    assert output.combined is None
    assert [plane.label for plane in output.imported] == ["plane0", "plane1"]


@GENERATIONS
def test_a_merged_folder_is_read_with_and_without_a_description_of_the_old_kind(tmp_path, generation):
    root = write_output(tmp_path, Suite2pSpec(generation, num_planes=2))

    assert (root / "combined" / "ops.npy").is_file() == (generation == "0.x")
    assert missing_files(read_output(root).combined) == ()


@GENERATIONS
def test_a_plane_in_which_suite2p_stopped_for_lack_of_rois_is_not_whole(tmp_path, generation):
    root = write_output(tmp_path, Suite2pSpec(generation))
    left = {"0.x": {"ops"}, "1.x": {"db", "settings", "reg_outputs"}}[generation]
    for path in (root / "plane0").iterdir():
        if path.stem not in left:
            path.unlink()

    output = read_output(root)

    assert missing_files(output.planes[0]) == ("F.npy", "Fneu.npy", "spks.npy", "iscell.npy", "stat.npy")
    assert output.file_list == Suite2pSpec().file_list


def test_an_output_of_the_oldest_kind_has_arrays_tuples_and_paths_among_its_options(tmp_path):
    settings = {
        **default_ops("0.10.3"),
        "block_size": (64, 64),
        "diameter": np.array([12, 14]),
        "aspect": np.float64(1.0),
        "save_path0": PureWindowsPath("F:\\experiment"),
        "xblock": [np.array([0, 64]), np.array([32, 96])],
        "Vmap": [np.zeros((24, 32)), np.zeros((12, 16))],
    }
    output = read_output(write_output(tmp_path, Suite2pSpec("0.x", settings=settings)))

    options = json.loads(json.dumps(output.options, allow_nan=False))

    assert (options["block_size"], options["diameter"], options["classifier_path"]) == ([64, 64], [12, 14], 0)
    assert {"xblock", "Vmap", "save_path0"}.isdisjoint(options)
    assert (output.version, options_summary(options).diameter) == ("0.10.3", (12.0, 14.0))


@GENERATIONS
def test_the_description_of_an_output_serves_as_an_option_set(tmp_path, generation):
    root = write_output(tmp_path, Suite2pSpec(generation, nonrigid=True))

    options = translate(load_options(root / "plane0" / "ops.npy"))

    assert options.generation == generation
    assert options.settings["registration"]["nonrigid"] is True
    assert {"meanImg", "nframes", "bidiphase" if generation == "1.x" else "pad_fft"} <= {*options.not_carried}
