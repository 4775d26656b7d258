"""Every option of Suite2p 0.x: what becomes of it, in the page and in a run."""

import importlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.demo.scanimage_file import ScanImageSettings, write_stack
from imaging_pipeline.errors import InputError
from imaging_pipeline.readers.npy.file import load_npy
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.suite2p.metadata import NOT_OPTIONS
from imaging_pipeline.suite2p_runner import known_options
from imaging_pipeline.suite2p_runner.options import translate
from imaging_pipeline.suite2p_runner.preflight import Inputs, check_inputs
from imaging_pipeline.suite2p_runner.run_settings import assemble
from tests.makers.options_0x import VERSIONS, default_ops

DOCS = Path(__file__).parents[2] / "docs"
TABLES = known_options.ops_0x()
CARRIED = TABLES["carried"]
EVERY_KEY = sorted({key for version in VERSIONS for key in default_ops(version)})
# What the tifs decide: what a set may say, and what they say.
DECIDED = {"fs": (25.0, 10.0), "nplanes": (3, 2), "nchannels": (1, 2)}
OTHER_VALUES = {"functional_chan": 2, "ignore_flyback": [1], "block_size": [32, 48]}
each_version = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Return a recording of two planes and channels."""
    path = tmp_path_factory.mktemp("recording") / "a_00001.tif"
    pages = np.random.default_rng(0).integers(0, 99, (80, 96, 128)).astype(np.int16)
    write_stack(path, pages, ScanImageSettings(20.0, num_planes=2, channels=(1, 2)))
    return check_inputs([read_tif(path)], [1])


def another(key: str) -> object:
    """Return a value that is no default, neither of 0.x nor of 1.x."""
    if key in OTHER_VALUES:
        return OTHER_VALUES[key]
    place = CARRIED[key]
    kind, default = {**known_options.settings_1x(), **known_options.db_1x()}[place.removeprefix("db.")]
    if kind == "bool":
        return not default
    return default + 3 if kind == "int" else default + 0.25


def found(key: str, settings: object, db: object) -> object:
    """Return what the run gets at the place that a key was carried to."""
    place = CARRIED[key]
    if place.startswith("db."):
        return db[place.removeprefix("db.")]
    return dict(known_options.flat(settings))[place]


@pytest.mark.parametrize("key", sorted({*CARRIED} - {*DECIDED, "roidetect"}))
def test_a_carried_option_reaches_the_run(key: str, inputs: Inputs, tmp_path: Path) -> None:
    classifier = tmp_path / "classifier.npy"
    np.save(classifier, {"stats": np.zeros((2, 1)), "keys": ["skew"], "iscell": np.zeros(2)})
    value = str(classifier) if key == "classifier_path" else another(key)
    options = translate({"nonrigid": False, "neucoeff": 0.7} | {key: value})

    run = assemble(options, inputs)

    assert found(key, run.settings, run.db) == value
    assert key not in options.not_carried


@pytest.mark.parametrize("key", DECIDED)
def test_what_the_tifs_say_counts_for_the_run_which_tells_both(key: str, inputs: Inputs) -> None:
    said, counts = DECIDED[key]

    run = assemble(translate({"nonrigid": False, "neucoeff": 0.7, key: said}), inputs)

    assert found(key, run.settings, run.db) == counts
    assert run.overridden == {key: (said, counts)}


def test_a_set_that_looks_for_no_cells_is_refused(inputs: Inputs) -> None:
    with pytest.raises(InputError, match="no cells"):
        assemble(translate({"roidetect": False, "nonrigid": False}), inputs)


@each_version
def test_all_that_a_version_starts_with_is_carried_over_or_told(version: str, inputs: Inputs) -> None:
    given = default_ops(version)

    options = translate(given)

    silent = {key for key in given if key not in CARRIED and key not in options.not_carried}
    assert silent <= {*TABLES["computed"]}
    assert all(options.not_carried.values())
    json.dumps([options.content, dict(options.not_carried)], allow_nan=False)
    run = assemble(translate(given | {"block_size": [64, 64]}), inputs)
    assert run.settings["detection"]["algorithm"] == "sparsery"
    assert run.settings["classification"]["classifier_path"] is None


@pytest.mark.parametrize("key", EVERY_KEY)
def test_every_option_of_the_old_versions_has_one_line_in_the_page(key: str) -> None:
    page = (DOCS / "suite2p_options.md").read_text(encoding="utf-8")

    assert len(re.findall(rf"^\| `{key}` \|", page, re.M)) == 1


def test_the_page_of_options_is_what_the_code_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DOCS)

    page = importlib.import_module("make_options").page()

    assert page == (DOCS / "suite2p_options.md").read_text(encoding="utf-8"), (
        "run python docs/make_options.py"
    )


def test_each_option_stands_in_one_table() -> None:
    kept = [*CARRIED, *TABLES["computed"], *TABLES["no_option"]]
    dropped = [key for keys in TABLES["not_carried"].values() for key in keys]

    assert len({*kept, *dropped}) == len([*kept, *dropped])
    assert {*TABLES["no_option"]} <= NOT_OPTIONS
    assert {*TABLES["notes"]} <= {*CARRIED}


@pytest.mark.parametrize("key", [key for keys in TABLES["not_carried"].values() for key in keys])
def test_an_option_without_effect_changes_nothing_and_is_told(key: str) -> None:
    options = translate({"neucoeff": 0.5, key: 1})

    assert options.content == {"extraction": {"neuropil_coefficient": 0.5}}
    assert options.not_carried[key].endswith(".")


@pytest.mark.parametrize(("old", "new"), [("constant_prctile", "prctile"), ("constant", "constant")])
def test_a_baseline_is_called_by_its_new_name(old: str, new: str) -> None:
    assert translate({"baseline": old}).settings["dcnv_preprocess"] == {"baseline": new}


def test_a_baseline_that_suite2p_would_pass_over_is_refused() -> None:
    with pytest.raises(InputError, match="baseline = 'median'.*maximin"):
        translate({"baseline": "median"})


@pytest.mark.parametrize(("old", "new"), [(0.0, 0.0), (0.2, 0.5), (0.5, 0.5)])
def test_a_first_classification_keeps_what_it_kept(old: float, new: float) -> None:
    options = translate({"preclassify": old})

    assert options.settings["classification"] == {"preclassify": new}
    assert ("preclassify" in options.not_carried) is (old != new)


@pytest.mark.parametrize(
    ("given", "diameter", "is_told"),
    [
        ({"aspect": 1.0, "diameter": 12}, [12.0, 12.0], True),
        ({"aspect": 1.5, "diameter": 12}, [18.0, 12.0], False),
        ({"aspect": 1.5, "diameter": 0}, [15.0, 10.0], False),
        ({"aspect": 1.5, "diameter": [9, 12]}, [9, 12], True),
        ({"aspect": 1.5}, None, True),
    ],
)
def test_the_shape_of_pixels_is_told_by_two_diameters(
    given: dict[str, object], diameter: list[float] | None, is_told: bool
) -> None:
    options = translate(given)

    assert options.settings.get("diameter") == diameter
    assert ("aspect" in options.not_carried) is is_told


def test_a_set_with_arrays_tuples_and_paths_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ops.npy"
    given = {
        "block_size": (64, 64),
        "diameter": np.array([10, 12]),
        "nimg_init": np.int64(200),
        "tau": np.float32(0.5),
        "ignore_flyback": np.array([1]),
        "classifier_path": Path("classifier.npy"),
        "neucoeff": 0.7,
    }
    np.save(path, np.array(given, dtype=object))

    options = translate(load_npy(path))

    assert options.settings["diameter"] == [10, 12]
    assert options.settings["registration"] == {"block_size": [64, 64], "nimg_init": 200}
    assert options.settings["classification"] == {"classifier_path": "classifier.npy"}
    assert (options.settings["tau"], options.db["ignore_flyback"]) == (0.5, [1])
