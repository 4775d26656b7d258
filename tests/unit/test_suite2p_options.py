import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.errors import FormatError, InputError, NothingFoundError
from imaging_pipeline.suite2p_runner import known_options
from imaging_pipeline.suite2p_runner.options import load_options, translate

SAMPLE = Path(__file__).parents[2] / "../shared/samples/suite2p_options/GCaMP6S_P2_C1_7.25Hz_MEC.npy"


def test_a_flat_set_is_told_in_nested_groups():
    options = translate({"neucoeff": 0.5, "nonrigid": False, "sparse_mode": True, "spatial_hp_detect": 20})

    assert options.generation == "0.x"
    assert options.settings == {
        "registration": {"nonrigid": False},
        "detection": {"algorithm": "sparsery", "sparsery_settings": {"highpass_neuropil": 20}},
        "extraction": {"neuropil_coefficient": 0.5},
    }


def test_a_nested_set_stays_as_it_is():
    given = {
        "tau": 0.7,
        "registration": {"nonrigid": False},
        "detection": {"sparsery_settings": {"max_ROIs": 9}},
    }

    options = translate(given | {"nplanes": 3, "save_path0": "/somewhere"})

    assert (options.generation, options.settings, options.db) == ("1.x", given, {"nplanes": 3})
    assert set(options.not_carried) == {"save_path0"}


def test_numbers_of_the_window_become_the_types_that_suite2p_takes():
    options = translate(
        {"combined": 1.0, "roidetect": 1, "maxregshiftNR": 5.0, "smooth_sigma": 2, "diameter": 10}
    )

    assert options.settings["io"]["combined"] is True
    assert options.settings["run"]["do_detection"] is True
    assert repr(options.settings["registration"]["maxregshiftNR"]) == "5"
    assert options.settings["diameter"] == [10.0, 10.0]


def test_the_frames_at_once_of_an_old_set_are_those_of_registration():
    assert translate({"batch_size": 500, "neucoeff": 0.7}).settings["registration"] == {"batch_size": 500}


def test_edges_are_tapered_as_the_old_version_did():
    options = translate({"spatial_taper": 40.0, "smooth_sigma": 2.0, "1Preg": False})

    assert options.settings["registration"]["spatial_taper"] == 6.0
    assert set(options.not_carried) == {"spatial_taper", "1Preg"}


def test_a_one_photon_set_says_that_its_results_will_differ():
    options = translate({"spatial_taper": 40.0, "smooth_sigma": 2.0, "1Preg": True})

    assert options.settings["registration"]["spatial_taper"] == 40.0
    assert "other results" in options.not_carried["1Preg"]


@pytest.mark.parametrize(("aligned", "functional", "expected"), [(1, 1, False), (2, 1, True), (2, 2, False)])
def test_the_aligned_channel_is_told_from_the_functional_one(aligned, functional, expected):
    options = translate({"align_by_chan": aligned, "functional_chan": functional})

    assert options.settings["registration"]["align_by_chan2"] is expected


@pytest.mark.parametrize(
    ("flat", "algorithm"),
    [({"sparse_mode": False}, "sourcery"), ({"sparse_mode": True, "anatomical_only": 2}, "cellpose")],
)
def test_the_way_to_look_for_cells_became_a_name(flat, algorithm):
    assert translate(flat).settings["detection"]["algorithm"] == algorithm


def test_an_image_that_the_new_version_lacks_is_refused():
    with pytest.raises(InputError, match=r"anatomical_only = 3.*\[0, 1, 2, 4\]"):
        translate({"anatomical_only": 3})


@pytest.mark.parametrize("flat", [{"diameter": 0, "neucoeff": 0.7}, {"diameter": 0, "sparse_mode": True}])
def test_an_unstated_diameter_is_what_the_old_version_took(flat):
    assert translate(flat).settings["diameter"] == [10.0, 10.0]


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"nonrigd": True, "neucoeff": 0.7}, "nonrigd .like nonrigid"),
        ({"registration": {"nonrigd": True}}, r"registration\.nonrigd .like registration\.nonrigid"),
        ({"registration": {"nonrigid": True}, "neuropil_coeficient": 1}, r"extraction\.neuropil_coefficient"),
    ],
)
def test_an_unknown_key_is_refused_with_what_looks_like_it(options, hint):
    with pytest.raises(InputError, match=hint):
        translate(options)


@pytest.mark.parametrize(
    ("options", "group"),
    [
        ({"registration": 3}, "registration"),
        ({"detection": {"sparsery_settings": "x"}}, r"detection\.sparsery_settings"),
    ],
)
def test_a_value_in_a_groups_place_is_refused_as_such(options, group):
    with pytest.raises(InputError, match=f"{group} of Suite2p is a group of settings.*Put the settings"):
        translate(options)


@pytest.mark.parametrize("options", [{"zzzz": 1, "neucoeff": 0.7}, {"zzzz": 1, "registration": {}}])
def test_an_unknown_key_that_looks_like_none_is_refused_without_a_guess(options):
    with pytest.raises(InputError, match=r"Found: zzzz\. "):
        translate(options)


@pytest.mark.parametrize(
    "options",
    [{"registration": {"nonrigid": "yes"}}, {"neucoeff": "0.7"}, {"registration": {"nimg_init": 1.5}}],
)
def test_a_value_of_the_wrong_kind_is_refused(options):
    with pytest.raises(InputError, match="wrong kind.*Allowed"):
        translate(options)


def test_frames_at_once_may_be_left_to_the_pipeline():
    assert (
        translate({"registration": {"batch_size": "auto"}}).settings["registration"]["batch_size"] == "auto"
    )


def test_the_set_of_a_real_lab_is_carried_over_key_by_key():
    if not SAMPLE.exists():
        pytest.skip("sample files are not here")
    flat = load_options(SAMPLE)

    options = translate(flat)

    carried = {*known_options.ops_0x()["carried"], *known_options.ops_0x()["computed"]}
    assert set(flat) == {key for key in flat if key in carried or key in options.not_carried}
    assert (options.db["nplanes"], options.settings["fs"], options.settings["tau"]) == (2, 7.25, 1.5)
    assert options.settings["registration"]["block_size"] == [64, 64]
    assert options.settings["registration"]["spatial_taper"] == 3.45
    assert options.settings["extraction"]["min_neuropil_pixels"] == 100
    json.dumps(options.settings)


@pytest.mark.parametrize("suffix", [".npy", ".json"])
def test_a_set_is_loaded_from_either_kind_of_file(tmp_path, suffix):
    path = tmp_path / f"ops{suffix}"
    if suffix == ".npy":
        np.save(path, {"fs": 7.25})
    else:
        path.write_text('{"fs": 7.25}')

    assert load_options(path) == {"fs": 7.25}


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NothingFoundError, match=r"ops\.npy"):
        load_options(tmp_path / "ops.npy")


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [("ops.mat", b"MATLAB", InputError), ("ops.json", b"{", FormatError), ("ops.json", b"[1]", InputError)],
)
def test_a_file_that_is_no_set_is_refused(tmp_path, name, content, error):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(error, match=name):
        load_options(tmp_path / name)


def test_a_key_given_twice_in_a_set_is_refused_with_file_and_key(tmp_path):
    path = tmp_path / "ops.json"
    path.write_text('{"registration": {"nimg_init": 3, "nimg_init": 4}}')

    with pytest.raises(FormatError, match=r"a key twice.*ops\.json.*Found: nimg_init.*Remove one"):
        load_options(path)


def test_every_old_option_goes_to_a_place_that_exists():
    places = {*known_options.settings_1x(), *(f"db.{name}" for name in known_options.db_1x())}

    assert set(known_options.ops_0x()["carried"].values()) <= places


def test_the_table_of_options_is_that_of_the_installed_suite2p(tmp_path):
    if importlib.util.find_spec("suite2p") is None:
        pytest.skip("Suite2p is not installed")
    # Read without importing the package, which would import torch: the module needs its version only.
    source = Path(importlib.util.find_spec("suite2p").submodule_search_locations[0]) / "parameters.py"
    script = (
        "import json, sys; text = open(sys.argv[1], encoding='utf-8').read()"
        ".replace('from .version import version', 'version = None'); names = {}; exec(text, names)\n"
        "def table(level): return {key: [item['type'].__name__, item['default']] if 'description' in item"
        " else table(item) for key, item in level.items()}\n"
        "print(json.dumps({'settings': table(names['SETTINGS']), 'db': table(names['DB'])}))"
    )
    environment = os.environ | {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", script, str(source)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    installed = json.loads(run.stdout)

    shipped = json.loads(Path(known_options.__file__).with_name("settings_1x.json").read_text())
    assert {"settings": shipped["settings"], "db": shipped["db"]} == installed


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"detectoin": {}}, "detectoin .like .*detection"),
        ({"tau": 0.7, "registration": {"nonrgid": {}}}, "registration.nonrgid"),
        ({"detection": {"sparsery_setings": {}}}, "detection.sparsery_setings"),
        ({"neucoeff": 0.5, "nonrgid": {}}, "nonrgid"),
    ],
)
def test_an_unknown_group_is_refused_also_when_it_is_empty(options, told):
    with pytest.raises(InputError, match=told):
        translate(options)


def test_an_empty_group_that_suite2p_has_states_nothing():
    assert translate({"detection": {"sparsery_settings": {}}, "registration": {}}).settings == {}
