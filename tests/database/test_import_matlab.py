"""What is imported of the results of Suite2p for MATLAB, beside those of Suite2p for Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging_pipeline.errors import OutputError
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer.administration import add_options
from tests.makers.lab import Lab, register
from tests.makers.recordings import (
    IMPORTED,
    OBJECT,
    OPEN_FIELD,
    Recording,
    populate,
    session_key,
    write_outputs,
    write_recording,
)
from tests.makers.suite2p_matlab import (
    COEFFICIENTS,
    HEIGHT,
    WIDTH,
    MatlabSpec,
    content,
    write_curated,
    write_result,
)

IS_CELL = (True, False, True, True, False)
CELL_IDS = [0, 2, 3]
RECORDINGS = (OPEN_FIELD, OBJECT)

each_container = pytest.mark.parametrize("container", ["v7", "v7.3"])


def spec_of(*recordings: Recording, **changes: Any) -> MatlabSpec:
    """Return a result of recordings, each an experiment of its own."""
    spec = MatlabSpec(
        tifs=[each.tif_names for each in recordings],
        frames=[each.num_frames for each in recordings],
        is_cell=IS_CELL,
    )
    return replace(spec, **changes)


def folder_of(lab: Lab) -> Path:
    return lab.share / "90218" / "2024-05-17"


def register_result(lab: Lab, spec: MatlabSpec, *recordings: Recording, combined: bool) -> Path:
    """Register recordings with a result in a folder of its plane, and give that."""
    plane = folder_of(lab) / "Plane 1"
    for recording in recordings:
        write_recording(folder_of(lab), recording)
    write_result(plane, spec)
    register(lab, folder_of(lab), combined=combined)
    return plane


def told_of_results() -> set[tuple[str, str]]:
    """Return what the report of the only request says of the files of results."""
    files = imaging.MakeDatasetSessions.File().to_dicts()
    return {
        (row["file_verdict"], row["file_reason"]) for row in files if row["reported_path"].endswith(".mat")
    }


@each_container
def test_each_session_gets_its_own_traces_of_the_same_cells(lab: Lab, container: str) -> None:
    spec = spec_of(*RECORDINGS, container=container)
    register_result(lab, spec, *RECORDINGS, combined=True)
    populate(*IMPORTED)
    written = content(spec)
    for number, recording in enumerate(RECORDINGS):
        key = session_key(recording)
        analysis = (imaging.ImagingAnalysis & key).fetch1()
        first = sum(each.num_frames for each in RECORDINGS[:number])
        assert (analysis["plane"], analysis["first_frame"], analysis["num_frames"]) == (
            0,
            first,
            recording.num_frames,
        )
        rows = (imaging.Cell.Traces & key).to_dicts(order_by="cell_id")
        assert [row["cell_id"] for row in rows] == CELL_IDS
        for row in rows:
            cell_id, coefficient = row["cell_id"], COEFFICIENTS[row["cell_id"]]
            fluo, neuropil = (written[name][number][cell_id] for name in ("Fcell", "FcellNeu"))
            np.testing.assert_array_equal(row["fluo"], fluo)
            np.testing.assert_allclose(row["fcorr"], fluo - coefficient * neuropil, rtol=1e-5)
            assert row["neuropil_coef"] == coefficient
        spikes = (imaging.Cell.Spikes & key).to_arrays("spikes", order_by="cell_id")
        np.testing.assert_array_equal(np.stack(spikes), written["sp"][number][CELL_IDS])
        assert len(imaging.FilteredSpikes.Cell & key) == len(CELL_IDS)


def test_regions_images_and_motion_are_counted_from_0_in_the_whole_frame(lab: Lab) -> None:
    spec = spec_of(*RECORDINGS)
    register_result(lab, spec, *RECORDINGS, combined=True)
    populate(*IMPORTED)
    written, key = content(spec), session_key(OBJECT)
    roi = (imaging.Cell.Rois & key & {"cell_id": 2}).fetch1()
    np.testing.assert_array_equal(roi["ypix"], written["stat"][2]["ypix"].ravel() + 1)
    np.testing.assert_array_equal(roi["xpix"], written["stat"][2]["xpix"].ravel())
    assert (roi["center_plane"], roi["cell_prob"], roi["redcell"]) == (0, 0.75, None)
    images = (imaging.Projection.Plane & key).fetch1()
    assert images["mean_image"].load().shape == (HEIGHT, WIDTH)
    assert (images["y_range"], images["x_range"]) == ([2, 46], [1, 61])
    motion = (imaging.Projection.Motion & key).fetch1()
    whole, rest = motion["y_mocor"].load(), motion["block_mocor_y"].load()
    np.testing.assert_allclose(
        whole + rest[:, 0], written["ops"]["DS"][OPEN_FIELD.num_frames :, 0], atol=1e-6
    )


def test_the_options_stand_in_a_part_of_their_own(lab: Lab) -> None:
    register_result(lab, spec_of(OBJECT), OBJECT, combined=False)
    populate("Tif", "ImagingAnalysis")
    options = imaging.ImagingAnalysis.Suite2p().fetch1()
    assert (options["ops_fs"], options["ops_tau"], options["ops_nplanes"]) == (10.0, 2.0, 1)
    assert options["ops_do_registration"] == 1
    assert options["ops_options"]["mouse_name"] == "90218"
    assert len(imaging.ImagingAnalysis.Suite2py()) == 0
    dataset = (imaging.Dataset & {"datasettype": "suite2p_matlab"}).fetch1()
    assert (dataset["bundle"], dataset["filetype"]) == ("matlab/plane0", "mat")


def test_one_question_gives_cells_of_both_origins_and_joins_tell_them_apart(lab: Lab) -> None:
    register_result(lab, spec_of(OBJECT), OBJECT, combined=False)
    write_outputs(lab, OBJECT, num_rois=4)
    register(lab, folder_of(lab), combined=False)
    populate(*IMPORTED)
    cells = imaging.Cell.Traces & session_key(OBJECT)
    assert len(cells) == len(CELL_IDS) + 4
    matlab, python = cells & imaging.ImagingAnalysis.Suite2p, cells & imaging.ImagingAnalysis.Suite2py
    assert sorted(matlab.to_arrays("cell_id")) == CELL_IDS
    assert sorted(python.to_arrays("cell_id")) == [0, 1, 2, 3]
    assert len(imaging.Cell.Rois * imaging.ImagingAnalysis.Suite2p) == len(CELL_IDS)
    assert {len(df_f) for df_f in cells.to_arrays("df_f")} == {OBJECT.num_frames}


def test_a_curated_result_is_preferred(lab: Lab) -> None:
    plane = folder_of(lab) / "Plane 1"
    write_curated(plane, spec_of(OBJECT, container="v7", is_cell=(False, True, False, False, True)))
    register_result(lab, spec_of(OBJECT), OBJECT, combined=False)
    populate("Tif", "ImagingAnalysis", "Cell")
    assert sorted(imaging.Cell.Rois().to_arrays("cell_id")) == [1, 4]
    files = imaging.PhysicalFile * imaging.Dataset & {"datasettype": "suite2p_matlab"}
    assert Path(files.fetch1("file_path")).name == "F_90218_2024-05-17_plane1_proc.mat"


def test_a_curation_purges_and_imports_again(lab: Lab) -> None:
    plane = register_result(lab, spec_of(OBJECT), OBJECT, combined=False)
    populate(*IMPORTED)
    write_curated(plane, spec_of(OBJECT, is_cell=(True, True, True, False, False)))
    register(lab, folder_of(lab), combined=False)
    assert len(imaging.ImagingAnalysis()) == 0
    purged = imaging.MakeDatasetSessions.Purge().to_dicts()
    assert any("curated: 1 cells added, 1 removed" in row["purge_reason"] for row in purged)
    populate(*IMPORTED)
    assert sorted(imaging.Cell.Rois().to_arrays("cell_id")) == [0, 1, 2]


def test_a_curation_that_leaves_the_cells_as_they_are_purges_nothing(lab: Lab) -> None:
    plane = register_result(lab, spec_of(OBJECT), OBJECT, combined=False)
    populate(*IMPORTED)
    imported = imaging.Cell().fetch1("cell_entry_time")
    write_curated(plane, spec_of(OBJECT, noted_in="cl"))
    register(lab, folder_of(lab), combined=False)
    populate(*IMPORTED)
    assert imaging.Cell().fetch1("cell_entry_time") == imported
    assert len(imaging.MakeDatasetSessions.Purge()) == 0


def test_another_deconvolution_of_the_same_cells_is_imported_again(lab: Lab) -> None:
    plane = register_result(lab, spec_of(OBJECT, deconvolved=False), OBJECT, combined=False)
    populate(*IMPORTED)
    assert (len(imaging.Cell.Spikes()), len(imaging.FilteredSpikes.Cell())) == (0, 0)
    assert len(imaging.FilteredSpikes()) == 1
    write_curated(plane, spec_of(OBJECT))
    register(lab, folder_of(lab), combined=False)
    assert len(imaging.Cell()) == 0
    populate(*IMPORTED)
    assert len(imaging.Cell.Spikes()) == len(imaging.FilteredSpikes.Cell()) == len(CELL_IDS)


def test_the_same_folder_again_changes_nothing(lab: Lab) -> None:
    register_result(lab, spec_of(*RECORDINGS), *RECORDINGS, combined=True)
    populate(*IMPORTED)
    before = [len(table()) for table in (imaging.Dataset, imaging.PhysicalFile, imaging.Cell)]
    register(lab, folder_of(lab), combined=True)
    assert [len(table()) for table in (imaging.Dataset, imaging.PhysicalFile, imaging.Cell)] == before
    assert len(imaging.MakeDatasetSessions.Purge()) == 0
    newest = {"basefolder_id": max(imaging.BaseFolder().to_arrays("basefolder_id"))}
    assert set((imaging.MakeDatasetSessions.Dataset & newest).to_arrays("dataset_verdict")) == {"known"}


def test_a_result_of_another_number_of_sessions_is_told_with_both_numbers(lab: Lab) -> None:
    register_result(lab, spec_of(OPEN_FIELD), *RECORDINGS, combined=True)
    ((verdict, reason),) = told_of_results()
    assert verdict == "ignored"
    assert "MATLAB Suite2p output that is superseded: made of 1 sessions instead of 2" in reason
    assert len(imaging.Dataset & {"datasettype": "suite2p_matlab"}) == 0


def test_a_session_of_another_length_is_refused_with_both_numbers(lab: Lab) -> None:
    register_result(lab, spec_of(*RECORDINGS, frames=(20, 14)), *RECORDINGS, combined=True)
    populate("Tif")
    with pytest.raises(OutputError, match=r"20 frames in the output\. Allowed: 21 frames, as in its tifs"):
        imaging.ImagingAnalysis.populate(session_key(OPEN_FIELD))
    assert len(imaging.ImagingAnalysis()) == 0


def test_planes_in_folders_of_their_own_are_an_analysis_each(lab: Lab) -> None:
    volumes = replace(OBJECT, frames=((20,),), settings=replace(OBJECT.settings, num_planes=2))
    spec = spec_of(volumes, frames=(10,), num_planes=2, rate_hz=5.0)
    write_result(folder_of(lab) / "Plane 2", replace(spec, plane=2))
    register_result(lab, spec, volumes, combined=False)
    populate("Tif", "ImagingAnalysis", "Projection", "Cell")
    analyses = imaging.ImagingAnalysis().to_dicts(order_by="plane")
    assert [row["plane"] for row in analyses] == [0, 1]
    assert sorted(imaging.Dataset.to_arrays("bundle"))[-2:] == ["matlab/plane0", "matlab/plane1"]
    rois = (imaging.Cell.Rois * imaging.ImagingAnalysis.proj("plane")).to_dicts()
    assert {(row["plane"], row["center_plane"]) for row in rois} == {(0, 0), (1, 1)}


def test_an_option_set_of_suite2p_for_python_leaves_the_result_alone(lab: Lab) -> None:
    register_result(lab, spec_of(OBJECT), OBJECT, combined=False)
    populate(*IMPORTED)
    add_options(tables.default_tables(), "fast", {"tau": 1.0})
    register(lab, folder_of(lab), combined=False, ops_name="fast")
    assert len(imaging.Cell.Rois()) == len(CELL_IDS)
    assert len(imaging.MakeDatasetSessions.Purge()) == 0
