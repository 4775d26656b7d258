import numpy as np
import pytest

from imaging_pipeline.demo.scanimage_file import ScanImageSettings, write_stack
from imaging_pipeline.errors import InputError, MissingWeightsError, UnsafeContentError
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.suite2p_runner.options import translate
from imaging_pipeline.suite2p_runner.preflight import check_inputs
from imaging_pipeline.suite2p_runner.run_settings import assemble
from tests.makers.scanimage_fields import Field, write_fields_tif

RIGID = {"registration": {"nonrigid": False}}


def inputs_of(folder, **changes):
    settings = ScanImageSettings(**({"frame_rate_hz": 30.0} | changes))
    pages = np.random.default_rng(0).integers(0, 99, (120, 64, 96)).astype(np.int16)
    write_stack(folder / "a_00001.tif", pages, settings)
    return check_inputs([read_tif(folder / "a_00001.tif")], [1])


def test_a_set_is_merged_onto_all_of_suite2p_s_defaults(tmp_path):
    chosen = {"detection": {"sparsery_settings": {"spatial_scale": 2}}, **RIGID}

    settings = assemble(translate(chosen), inputs_of(tmp_path)).settings

    assert settings["detection"]["sparsery_settings"]["spatial_scale"] == 2
    assert settings["detection"]["sparsery_settings"]["max_ROIs"] == 5000
    assert settings["registration"]["nonrigid"] is False
    assert settings["registration"]["nimg_init"] == 400


def test_the_recording_wins_over_the_set_and_it_is_told(tmp_path):
    inputs = inputs_of(tmp_path, num_planes=2, channels=(1, 2))

    run = assemble(translate({"fs": 7.25, "nplanes": 1, "nchannels": 2, **RIGID}), inputs)

    assert (run.settings["fs"], run.db["nplanes"], run.db["nchannels"]) == (15.0, 2, 2)
    assert run.overridden == {"fs": (7.25, 15.0), "nplanes": (1, 2)}


def test_flyback_frames_are_planes_that_are_left_out(tmp_path):
    run = assemble(translate(RIGID), inputs_of(tmp_path, num_planes=2, flyback_frames=2))

    assert (run.db["nplanes"], run.db["ignore_flyback"], run.kept_planes) == (4, [2, 3], (0, 1))


def test_a_set_may_leave_out_a_plane_too(tmp_path):
    run = assemble(translate({"ignore_flyback": [0], **RIGID}), inputs_of(tmp_path, num_planes=3))

    assert (run.db["ignore_flyback"], run.kept_planes) == ([0], (1, 2))


@pytest.mark.parametrize("left_out", [[5], [0, 1]])
def test_planes_that_cannot_be_left_out_are_refused(tmp_path, left_out):
    with pytest.raises(InputError, match="ignore_flyback"):
        assemble(translate({"ignore_flyback": left_out, **RIGID}), inputs_of(tmp_path, num_planes=2))


def test_planes_that_are_left_out_are_left_out_in_every_field(tmp_path):
    fields = (Field(64, 96), Field(60, 96, top=80, left=10))
    settings = ScanImageSettings(30.0, num_planes=2, flyback_frames=1)
    movie = np.random.default_rng(0).integers(0, 99, (30, 64, 96)).astype(np.int16)
    frames = ([page, page[:60]] for page in movie)
    path = write_fields_tif(tmp_path / "a_00001.tif", fields, frames, settings)

    run = assemble(translate({"ignore_flyback": [0], **RIGID}), check_inputs([read_tif(path)], [1]))

    assert (run.db["nplanes"], run.db["ignore_flyback"], run.kept_planes) == (3, [0, 1, 4, 5], (2, 3))
    assert (run.db["lines"], run.db["dy"], run.db["dx"]) == ([[0, 63], [68, 127]], [0, 80], [0, 10])


@pytest.mark.parametrize("functional", [1, 2])
def test_of_three_channels_one_of_the_first_two_may_be_functional(tmp_path, functional):
    inputs = inputs_of(tmp_path, channels=(1, 2, 4))

    run = assemble(translate({"functional_chan": functional, **RIGID}), inputs)

    assert (run.db["nchannels"], run.db["functional_chan"]) == (3, functional)


def test_a_functional_channel_that_suite2p_does_not_reach_is_refused(tmp_path):
    with pytest.raises(InputError, match="functional_chan = 3 of 3 saved.*1 to 2"):
        assemble(translate({"functional_chan": 3, **RIGID}), inputs_of(tmp_path, channels=(1, 2, 4)))


def test_volumes_have_the_rate_that_the_header_says_flyback_included(tmp_path):
    inputs = inputs_of(tmp_path, num_planes=3, flyback_frames=1)

    assert assemble(translate({"fs": 10, **RIGID}), inputs).overridden == {"fs": (10.0, 7.5)}


def test_frames_at_once_are_chosen_when_they_are_left_to_the_pipeline(tmp_path):
    chosen = {"registration": {"nonrigid": False, "batch_size": "auto"}}

    run = assemble(translate(chosen), inputs_of(tmp_path))

    taken = run.settings["registration"]["batch_size"]
    assert 5 <= taken <= 100
    assert run.overridden == {"registration.batch_size": ("auto", taken)}


def test_no_classifier_of_somebody_s_home_is_used(tmp_path):
    chosen = {"classification": {"use_builtin_classifier": False}, **RIGID}

    run = assemble(translate(chosen), inputs_of(tmp_path))

    assert run.overridden == {"classification.use_builtin_classifier": (False, True)}


def test_a_classifier_that_the_set_names_is_used(tmp_path):
    path = tmp_path / "classifier.npy"
    np.save(path, {"stats": np.zeros((2, 1)), "keys": ["skew"], "iscell": np.zeros(2)})

    run = assemble(
        translate({"classification": {"classifier_path": str(path)}, **RIGID}), inputs_of(tmp_path)
    )

    assert run.settings["classification"]["classifier_path"] == str(path)
    assert run.settings["classification"]["use_builtin_classifier"] is False


def test_a_classifier_that_is_not_there_is_refused(tmp_path):
    chosen = {"classification": {"classifier_path": str(tmp_path / "mine.npy")}, **RIGID}

    with pytest.raises(InputError, match=r"mine\.npy"):
        assemble(translate(chosen), inputs_of(tmp_path))


def test_a_classifier_that_would_run_code_is_refused(tmp_path):
    path = tmp_path / "classifier.npy"
    np.save(path, np.array([open], dtype=object))
    chosen = {"classification": {"classifier_path": str(path)}, **RIGID}

    with pytest.raises(UnsafeContentError, match="open"):
        assemble(translate(chosen), inputs_of(tmp_path))


@pytest.mark.parametrize(
    "content",
    [
        {"stats": np.zeros((2, 3)), "keys": ["skew"], "iscell": np.zeros(2)},
        {"stats": np.zeros((2, 1)), "keys": ["skew"]},
        {"stats": np.array([[{}]], object), "keys": ["skew"], "iscell": np.zeros(1)},
        np.zeros(3),
    ],
    ids=["other lengths", "no labels", "objects", "an array"],
)
def test_a_file_that_is_no_classifier_is_refused(tmp_path, content):
    path = tmp_path / "classifier.npy"
    np.save(path, content)
    chosen = {"classification": {"classifier_path": str(path)}, **RIGID}

    with pytest.raises(InputError, match=r"none that Suite2p saved.*classifier\.npy"):
        assemble(translate(chosen), inputs_of(tmp_path))


@pytest.mark.parametrize("block_size", [[128, 128], [32, 96]])
def test_blocks_as_large_as_the_frame_are_refused_before_suite2p_crashes_on_them(tmp_path, block_size):
    chosen = {"registration": {"block_size": block_size}}

    with pytest.raises(InputError, match=r"block_size.*\[64, 96\] pixels"):
        assemble(translate(chosen), inputs_of(tmp_path))


def test_blocks_do_not_matter_where_nothing_is_registered(tmp_path):
    assert assemble(translate({"run": {"do_registration": 0}}), inputs_of(tmp_path)).kept_planes == (0,)


@pytest.mark.parametrize(
    ("chosen", "what"),
    [({"run": {"do_detection": False}}, "no cells"), ({"functional_chan": 2}, "functional_chan = 2")],
)
def test_a_set_that_makes_no_sense_for_the_recording_is_refused(tmp_path, chosen, what):
    with pytest.raises(InputError, match=what):
        assemble(translate(chosen | RIGID), inputs_of(tmp_path))


def test_cellpose_without_its_weights_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("CELLPOSE_LOCAL_MODELS_PATH", str(tmp_path / "models"))

    with pytest.raises(MissingWeightsError, match=r"models.*cpsam"):
        assemble(translate({"detection": {"algorithm": "cellpose"}, **RIGID}), inputs_of(tmp_path))


@pytest.mark.parametrize("given", ["labweights", "/share/weights.pt", "models/cpsam", "..\\\\cpsam", ""])
def test_weights_that_suite2p_would_not_take_are_refused(tmp_path, monkeypatch, given):
    monkeypatch.setenv("CELLPOSE_LOCAL_MODELS_PATH", str(tmp_path))
    (tmp_path / "labweights").touch()
    chosen = {"detection": {"algorithm": "cellpose", "cellpose_settings": {"cellpose_model": given}}, **RIGID}

    with pytest.raises(InputError, match=r"whatever an option set names.*Allowed: cpsam"):
        assemble(translate(chosen), inputs_of(tmp_path))


def test_what_is_motion_corrected_already_is_not_registered_whatever_the_set_says(tmp_path):
    chosen = {
        "run": {"do_registration": 2},
        "registration": {"two_step_registration": True, "reg_tif": False},
    }

    run = assemble(translate(chosen), inputs_of(tmp_path), is_registered=True)

    assert run.settings["run"]["do_registration"] == 0
    assert run.overridden == {
        "run.do_registration": (2, 0),
        "registration.two_step_registration": (True, False),
    }
