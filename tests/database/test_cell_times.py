"""When samples of traces were taken: on one clock for all acquisitions of a session, plane by plane."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from imaging_pipeline.demo.scanimage_settings import ScanImageSettings
from imaging_pipeline.errors import InputError, NothingFoundError
from imaging_pipeline.schemas import imaging
from tests.makers.folders import START
from tests.makers.lab import Lab
from tests.makers.recordings import OBJECT, OPEN_FIELD, PAUSE_S, Recording, import_all, session_key

# The first acquisition ends amid a volume, of which Suite2p is given nothing.
TWO_PLANES = Recording(
    "90218-planes", ((9,), (6,)), replace(ScanImageSettings(20.0), start=START, num_planes=2)
)
# Four whole volumes of a tenth of a second, and three after the pause.
VOLUME_TIMES_S = np.array([0, 0.1, 0.2, 0.3, PAUSE_S, PAUSE_S + 0.1, PAUSE_S + 0.2])
PLANE_S = 1 / 20


def test_the_times_of_each_session_begin_with_its_first_frame_and_have_the_pause(lab: Lab) -> None:
    import_all(lab, OPEN_FIELD, OBJECT, combined=True)
    of_open_field = [*np.arange(14) / 10, *(PAUSE_S + np.arange(7) / 10)]
    for recording, expected in ((OPEN_FIELD, of_open_field), (OBJECT, np.arange(13) / 10)):
        times_s = imaging.Cell.times((imaging.Cell & session_key(recording)).keys()[0])
        assert times_s.dtype == np.float64
        np.testing.assert_allclose(times_s, expected, atol=1e-8)
        assert (np.diff(times_s) > 0).all()


def test_planes_of_an_analysis_each_are_taken_one_after_the_other(lab: Lab) -> None:
    import_all(lab, TWO_PLANES, num_planes=2, num_rois=3, combined_folder=False)
    for row in (imaging.Cell * imaging.ImagingAnalysis).to_dicts():
        key = {name: row[name] for name in imaging.Cell.primary_key}
        expected = VOLUME_TIMES_S + row["plane"] * PLANE_S
        np.testing.assert_allclose(imaging.Cell.times(key), expected, atol=1e-8)
        with pytest.raises(InputError, match=f"Found: plane {1 - row['plane']}. Allowed: {row['plane']}"):
            imaging.Cell.times(key, plane=1 - row["plane"])


def test_of_merged_planes_the_cell_says_which(lab: Lab) -> None:
    import_all(lab, TWO_PLANES, num_planes=2, num_rois=3)
    (key,) = imaging.Cell().keys()
    for roi in imaging.Cell.Rois().to_dicts():
        expected = VOLUME_TIMES_S + roi["center_plane"] * PLANE_S
        np.testing.assert_allclose(
            imaging.Cell.times({**key, "cell_id": roi["cell_id"]}), expected, atol=1e-8
        )
        np.testing.assert_allclose(imaging.Cell.times(key, roi["center_plane"]), expected, atol=1e-8)
    with pytest.raises(InputError, match="one after the other.*Found: plane None. Allowed: 0 to 1"):
        imaging.Cell.times(key)
    with pytest.raises(InputError, match="Found: plane 2. Allowed: 0 to 1"):
        imaging.Cell.times(key, plane=2)


def test_times_of_tifs_that_are_not_imported_are_not_guessed(lab: Lab) -> None:
    import_all(lab, OBJECT)
    (key,) = imaging.Cell().keys()
    # As a row of an earlier version is: it had no such part.
    imaging.Tif.Acquisition().delete(prompt=False, part_integrity="ignore")
    with pytest.raises(NothingFoundError, match="imported by an earlier version, without their times"):
        imaging.Cell.times(key)
    imaging.Tif().delete(prompt=False)
    with pytest.raises(NothingFoundError, match="tifs are not imported"):
        imaging.Cell.times(key)


def test_a_key_that_is_not_of_one_analysis_is_told(lab: Lab) -> None:
    import_all(lab, OPEN_FIELD, OBJECT, combined=True)
    (key, _) = imaging.Cell().keys()
    for of_analysis in (imaging.Cell.times, lambda key: imaging.Cell.array(key, "df_f")):
        with pytest.raises(InputError, match="one row of Cell. Found: 2 rows"):
            of_analysis({"dataset_name": key["dataset_name"]})
        with pytest.raises(InputError, match="one row of Cell. Found: 0 rows"):
            of_analysis({**key, "session_name": "none"})
    with pytest.raises(InputError, match="no cell 77. Found: 77. Allowed: a cell_id"):
        imaging.Cell.times({**key, "cell_id": 77})
