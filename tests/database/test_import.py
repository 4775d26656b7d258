"""What is imported of two sessions that were analysed as one long recording."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import datajoint as dj
import numpy as np
import pytest

from imaging_pipeline import database
from imaging_pipeline.analysis.spikes import filtered_spikes
from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import InputError
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.suite2p.output import read_motion, read_output, read_projections
from imaging_pipeline.readers.tiff.recorded import iter_pages
from imaging_pipeline.schemas import imaging
from tests.makers.lab import Lab, emptied_lab
from tests.makers.recordings import (
    HEIGHT,
    OBJECT,
    OPEN_FIELD,
    PAUSE_S,
    RATE_HZ,
    WIDTH,
    Recording,
    import_all,
    session_key,
)

TRIGGERS_S = ((0.05, 0.31, 0.32), (), (0.6,), ())
RECORDINGS = (replace(OPEN_FIELD, settings=replace(OPEN_FIELD.settings, aux_triggers_s=TRIGGERS_S)), OBJECT)
IS_CELL = (True, False, True, True, False)
CELL_IDS = [0, 2, 3]

ANALYST = """
import json, sys, warnings
warnings.simplefilter("ignore")
import datajoint as dj

task = json.loads(sys.stdin.read())
lab = dj.Instance(**task["server"])
lab.config.stores = task["stores"]
imaging = dj.VirtualModule("imaging", task["database"], connection=lab.connection)
df_f = (imaging.Cell.Traces & task["key"]).fetch1("df_f")
spikes = (imaging.FilteredSpikes.Cell & task["key"]).fetch1("filtered_spikes")
ours = sorted(name for name in sys.modules if name.startswith("imaging_pipeline.schemas"))
print(json.dumps({"dtype": str(df_f.dtype), "df_f": df_f.tolist(), "shape": spikes.shape, "ours": ours}))
"""


@dataclass(frozen=True)
class Imported:
    """A lab whose folder is imported, and the Suite2p output that it was imported from."""

    lab: Lab
    root: Path

    @property
    def folder(self) -> Path:
        return self.lab.share / "90218" / "2024-05-17"

    def array(self, name: str) -> np.ndarray:
        """Return an array of the output as Suite2p wrote it."""
        return np.load(self.root / "plane0" / f"{name}.npy")


@pytest.fixture(scope="module")
def imported(server_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Imported:
    lab = emptied_lab(server_config, tmp_path_factory.mktemp("imported"))
    return Imported(lab, import_all(lab, *RECORDINGS, combined=True, is_cell=IS_CELL, nonrigid=True))


def frames_of(recording: Recording) -> slice:
    first = 0 if recording.name == OPEN_FIELD.name else OPEN_FIELD.num_frames
    return slice(first, first + recording.num_frames)


def analysis_key(recording: Recording) -> dict[str, Any]:
    return (imaging.ImagingAnalysis & session_key(recording)).proj().fetch1()


each_recording = pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)


@each_recording
def test_a_stack_says_how_much_was_recorded(imported: Imported, recording: Recording) -> None:
    stack = (imaging.Tif & session_key(recording)).fetch1()
    assert stack["num_frames"] == recording.num_frames
    assert stack["num_files"] == len(recording.tif_names)
    assert (stack["height"], stack["width"], stack["datatype"]) == (HEIGHT, WIDTH, "int16")
    assert stack["bigtiff"] == True  # noqa: E712  # MySQL gives 1
    assert stack["frames_per_tif"] == [frames for files in recording.frames for frames in files]
    assert (stack["frames_per_volume"], stack["tif_rate_hz"]) == (1, RATE_HZ)
    assert stack["motion_cor"] == False  # noqa: E712  # MySQL gives 0
    scanimage = (imaging.Tif.SI & session_key(recording)).fetch1()
    assert scanimage["filenames"] == list(recording.tif_names)
    assert scanimage["framerate"] == scanimage["volume_rate"] == RATE_HZ
    assert scanimage["epoch"] == recording.settings.start
    assert scanimage["header"].startswith("SI.")


@each_recording
def test_each_frame_keeps_its_number_and_time(imported: Imported, recording: Recording) -> None:
    # Each acquisition counts anew, and its files go on from one to the next; the session's clock does too.
    frames = np.concatenate([np.arange(sum(files)) for files in recording.frames])
    scanimage = (imaging.Tif.SI & session_key(recording)).fetch1()
    np.testing.assert_array_equal(scanimage["frame_numbers"].load(), frames + 1)
    starts_s = np.repeat(PAUSE_S * np.arange(len(recording.frames)), list(map(sum, recording.frames)))
    np.testing.assert_allclose(scanimage["frame_timestamps_s"].load(), starts_s + frames / RATE_HZ, atol=1e-9)


def test_auxiliary_triggers_of_all_files_follow_each_other(imported: Imported) -> None:
    scanimage = (imaging.Tif.SI & session_key(OPEN_FIELD)).fetch1()
    found = [scanimage[f"aux_trigger_{line}"] for line in range(4)]
    # The recording was started twice, and the triggers came both times.
    for times, written in zip(found, TRIGGERS_S, strict=True):
        np.testing.assert_allclose(times, [*written, *(PAUSE_S + time_s for time_s in written)])


@each_recording
def test_the_mean_image_is_that_of_the_first_file(imported: Imported, recording: Recording) -> None:
    tif = read_tif(imported.folder / recording.tif_names[0])
    expected = np.mean(list(iter_pages(tif, range(tif.num_pages))), axis=0)
    found = (imaging.Tif & session_key(recording)).fetch1("mean_image").load()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@each_recording
def test_an_analysis_says_which_frames_of_the_output_are_the_session_s(
    imported: Imported, recording: Recording
) -> None:
    row = (imaging.ImagingAnalysis & session_key(recording)).fetch1()
    frames = frames_of(recording)
    assert (row["first_frame"], row["num_frames"]) == (frames.start, recording.num_frames)
    assert (row["plane"], row["analysis_rate_hz"]) == (0, RATE_HZ)
    options = (imaging.ImagingAnalysis.Suite2py & row).fetch1()
    assert (options["ops_suite2p_version"], options["ops_neucoeff"]) == ("1.1.0", 0.7)
    assert options["ops_options"]["detection"]["max_overlap"] == 0.75


@each_recording
def test_traces_of_a_session_are_its_slice_of_the_output(imported: Imported, recording: Recording) -> None:
    frames = frames_of(recording)
    rows = (imaging.Cell.Traces & session_key(recording)).to_dicts(order_by="cell_id")
    assert [row["cell_id"] for row in rows] == CELL_IDS
    for row in rows:
        fluo, neuropil = (imported.array(name)[row["cell_id"], frames] for name in ("F", "Fneu"))
        np.testing.assert_array_equal(row["fluo"], fluo)
        np.testing.assert_array_equal(row["neuropil"], neuropil)
        np.testing.assert_allclose(row["fcorr"], fluo - 0.7 * neuropil, rtol=1e-5)
        assert (row["channel"], row["samples"], row["neuropil_coef"]) == (
            "primary",
            recording.num_frames,
            0.7,
        )
        assert (row["num_invalid"], np.isnan(row["df_f"]).any()) == (0, False)
    spikes = (imaging.Cell.Spikes & session_key(recording)).to_arrays("spikes", order_by="cell_id")
    np.testing.assert_array_equal(np.stack(spikes), imported.array("spks")[CELL_IDS, frames])


def test_the_lab_s_own_snippet_gives_a_trace(imported: Imported) -> None:
    key = analysis_key(OPEN_FIELD)
    df_f = (imaging.Cell.Traces & {"cell_id": 3, "channel": "primary", **key}).fetch1("df_f")
    assert (df_f.dtype, df_f.shape) == (np.float32, (OPEN_FIELD.num_frames,))
    np.testing.assert_array_equal(df_f, imaging.Cell.array(key, "df_f")[CELL_IDS.index(3)])


@pytest.mark.parametrize("quantity", ["fluo", "neuropil", "fcorr", "df_f", "spikes"])
def test_the_array_of_all_cells_is_in_order_of_cell_id(imported: Imported, quantity: str) -> None:
    key = analysis_key(OBJECT)
    part = imaging.Cell.Spikes if quantity == "spikes" else imaging.Cell.Traces
    one_by_one = (part & key).to_arrays(quantity, order_by="cell_id")
    array = imaging.Cell.array(key, quantity)
    assert (array.dtype, array.shape) == (np.float32, (len(CELL_IDS), OBJECT.num_frames))
    np.testing.assert_array_equal(array, np.stack(one_by_one))


def test_an_array_that_was_never_made_is_refused_with_those_that_were(imported: Imported) -> None:
    with pytest.raises(InputError, match=r"dff of primary.*fluo of primary, .*spikes of primary"):
        imaging.Cell.array(analysis_key(OBJECT), "dff")


@each_recording
def test_filtered_spikes_are_those_of_the_session_s_own_frames(
    imported: Imported, recording: Recording
) -> None:
    expected = filtered_spikes(imported.array("spks")[CELL_IDS, frames_of(recording)], 2.0)
    rows = (imaging.FilteredSpikes.Cell & session_key(recording)).to_dicts(order_by="cell_id")
    assert [row["cell_id"] for row in rows] == CELL_IDS
    np.testing.assert_array_equal([row["filtered_spikes"] for row in rows], expected.spikes)
    np.testing.assert_allclose([row["spike_threshold"] for row in rows], expected.thresholds)


@each_recording
def test_regions_repeat_for_each_session_with_their_number(imported: Imported, recording: Recording) -> None:
    stats = np.load(imported.root / "plane0" / "stat.npy", allow_pickle=True)
    labels = imported.array("iscell")
    rows = (imaging.Cell.Rois & session_key(recording)).to_dicts(order_by="cell_id")
    assert [row["cell_id"] for row in rows] == CELL_IDS
    assert (imaging.Cell & session_key(recording)).fetch1("num_rois", "num_cells") == (5, 3)
    for row in rows:
        stat = stats[row["cell_id"]]
        for column, key in {
            "ypix": "ypix",
            "xpix": "xpix",
            "roi_weights": "lam",
            "isoverlap": "overlap",
        }.items():
            np.testing.assert_array_equal(row[column], stat[key])
        np.testing.assert_array_equal(row["soma_crop"], stat["soma_crop"])
        assert (row["center_y"], row["center_x"], row["center_plane"]) == (*stat["med"], 0)
        assert row["cell_prob"] == labels[row["cell_id"], 1]
        assert row["run_skew"] == pytest.approx(stat["skew"])
        assert (row["npix"], row["redcell"]) == (len(stat["ypix"]), None)


@each_recording
def test_projections_are_those_of_the_output(imported: Imported, recording: Recording) -> None:
    expected = read_projections(read_output(imported.root).planes[0])
    row = (imaging.Projection.Plane & session_key(recording)).fetch1()
    assert (row["center_plane"], row["mean_image_second"]) == (0, None)
    assert (row["x_range"], row["y_range"]) == (list(expected.x_range), list(expected.y_range))
    for column, image in {
        "mean_image": expected.mean_image,
        "mean_image_enhanced": expected.mean_image_enhanced,
        "mean_image_ref": expected.reference_image,
        "max_img": expected.max_image,
        "vcorr_image": expected.correlation_image,
    }.items():
        np.testing.assert_array_equal(row[column].load(), image)


@each_recording
def test_motion_is_the_session_s_own(imported: Imported, recording: Recording) -> None:
    expected, frames = read_motion(read_output(imported.root).planes[0]), frames_of(recording)
    row = (imaging.Projection.Motion & session_key(recording)).fetch1()
    for column, offsets in {
        "x_mocor": expected.x_offset,
        "y_mocor": expected.y_offset,
        "bad_frames": expected.bad_frames,
        "block_mocor_x": expected.x_offset_blocks,
        "block_mocor_y": expected.y_offset_blocks,
    }.items():
        np.testing.assert_array_equal(row[column].load(), offsets[frames])


def test_arrays_are_what_the_comments_of_their_columns_say(imported: Imported) -> None:
    """A comment begins with the type and the shape, such as ``float32 (height, width)``."""
    checked = []
    for cls in database.automatic_tables():
        for table in (cls(), *(part() for part in database.parts(cls))):
            for column, attribute in table.heading.attributes.items():
                if attribute.codec is None or column == "header":
                    continue
                dtype, _, rest = attribute.comment.partition(" (")
                shape = rest.partition(")")[0]
                for value in table.to_arrays(column):
                    if value is None:
                        continue
                    array = np.asarray(value)
                    named = f"{table.table_name}.{column}"
                    assert (array.dtype.name, array.ndim) == (dtype, len(shape.strip(",").split(","))), named
                    checked.append(named)
    assert len(set(checked)) >= 25


def test_a_process_that_knows_nothing_of_the_pipeline_reads_traces(imported: Imported) -> None:
    settings = dj.config.database
    key = {**analysis_key(OBJECT), "cell_id": 3, "channel": "primary"}
    task = {
        "server": {
            "host": settings.host,
            "user": settings.user,
            "password": settings.password.get_secret_value(),
            "port": settings.port,
            "backend": settings.backend,
            "use_tls": False,
        },
        "stores": imported.lab.config.datajoint_stores(),
        "database": f"{imported.lab.config.prefix}imaging",
        "key": key,
    }
    done = subprocess.run(
        [sys.executable, "-c", ANALYST], input=json.dumps(task), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    expected = (imaging.Cell.Traces & key).fetch1("df_f")
    assert found["dtype"] == "float32"
    np.testing.assert_array_equal(np.array(found["df_f"], np.float32), expected)
    assert found["shape"] == [OBJECT.num_frames]
    assert found["ours"] == []
