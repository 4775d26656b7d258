"""How many cells sessions, MetaSessions and animals have, where joins and sums would say something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datajoint as dj
import pytest

from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas import imaging, mlims
from tests.database.test_import_matlab import CELL_IDS, register_result, spec_of
from tests.database.test_import_outputs import TWO_PLANES
from tests.makers.folders import OPEN_FIELD as LONG_SERIES
from tests.makers.folders import Timeseries, write_folder
from tests.makers.lab import Lab, register
from tests.makers.recordings import (
    OBJECT,
    OPEN_FIELD,
    import_all,
    populate,
    register_all,
    write_outputs,
    write_recording,
)

IS_CELL = (True, False, True, True, False)
NUM_CELLS = 3


def folder_of(lab: Lab) -> Path:
    return lab.share / "90218" / "2024-05-17"


def numbers(restriction: Any = True, *, per: str) -> list[Any]:
    return [row["num_cells"] for row in imaging.count_cells(restriction, per=per)]


def test_cells_that_sessions_share_are_counted_once_for_their_animal(lab: Lab) -> None:
    import_all(lab, OPEN_FIELD, OBJECT, combined=True, is_cell=IS_CELL)
    assert len(mlims.Animal * imaging.Session * imaging.Cell.Rois) == 2 * NUM_CELLS
    assert imaging.count_cells({"animal_name": "90218"}, per="animal") == [
        {
            "animal_id": "a0f1",
            "datasource_id": 0,
            "animal_name": "90218",
            "num_sessions": 2,
            "num_sessions_imported": 2,
            "num_cells": NUM_CELLS,
        }
    ]
    (metasession,) = imaging.count_cells(per="metasession")
    assert (metasession["combined"], metasession["num_sessions"]) == ("yes", 2)
    assert metasession["num_cells"] == NUM_CELLS
    sessions = imaging.count_cells(per="session")
    assert [(row["timeseries_name"], row["num_cells"]) for row in sessions] == [
        (OPEN_FIELD.name, NUM_CELLS),
        (OBJECT.name, NUM_CELLS),
    ]


def test_no_cells_are_0_and_what_is_not_imported_is_unknown(lab: Lab) -> None:
    import_all(lab, OBJECT, is_cell=(False, False), num_rois=2)
    write_recording(lab.share / "90218" / "later", OPEN_FIELD)
    register(lab, lab.share / "90218" / "later", combined=False)
    naive = imaging.Session().aggr(imaging.Cell.Rois, n="count(*)")
    assert set(naive.to_arrays("n").tolist()) == {1}
    by_name = {row["timeseries_name"]: row["num_cells"] for row in imaging.count_cells(per="session")}
    assert by_name == {OBJECT.name: 0, OPEN_FIELD.name: None}
    (animal,) = imaging.count_cells(per="animal")
    assert (animal["num_sessions"], animal["num_sessions_imported"], animal["num_cells"]) == (2, 1, 0)
    assert numbers({"timeseries_name": OPEN_FIELD.name}, per="animal") == [None]


def test_the_planes_of_a_session_are_one_number_once_all_are_imported(lab: Lab) -> None:
    register_all(lab, TWO_PLANES, num_planes=2, num_rois=3, combined_folder=False)
    populate("Tif", "ImagingAnalysis")
    imaging.Cell.populate(max_calls=1)
    assert len(imaging.Cell()) == 1
    assert [numbers(per=per) for per in ("session", "metasession", "animal")] == [[None]] * 3
    populate("Cell")
    assert [numbers(per=per) for per in ("session", "metasession", "animal")] == [[6]] * 3


def test_a_recording_in_both_labels_is_not_added_up(lab: Lab) -> None:
    import_all(lab, OBJECT, combined=True, is_cell=IS_CELL)
    register(lab, folder_of(lab), combined=False)
    with pytest.raises(InputError, match=r"combined yes; .*combined no|combined no; .*combined yes"):
        imaging.count_cells(per="animal")
    assert numbers({"combined": "yes"}, per="animal") == [NUM_CELLS]
    assert numbers("combined='no'", per="animal") == [None]
    assert sorted(numbers(per="metasession"), key=str) == [NUM_CELLS, None]


def test_a_recording_is_the_same_in_both_labels_although_its_start_was_found_later(lab: Lab) -> None:
    folder = lab.share / "90218" / "day1"
    write_folder(folder, Timeseries(LONG_SERIES.name, files=(1,), first_acquisition=2))
    register(lab, folder, combined=False)
    write_folder(folder, Timeseries(LONG_SERIES.name, files=(1,)))
    register(lab, folder, combined=True)
    assert len(set(imaging.Session().to_arrays("session_timestamp"))) == 2
    with pytest.raises(InputError, match="combined and not combined"):
        imaging.count_cells(per="animal")


def test_different_recordings_of_both_labels_add_up(lab: Lab) -> None:
    import_all(lab, OBJECT, combined=True, is_cell=IS_CELL)
    write_recording(lab.share / "90218" / "later", OPEN_FIELD)
    register(lab, lab.share / "90218" / "later", combined=False)
    (animal,) = imaging.count_cells(per="animal")
    assert (animal["num_sessions"], animal["num_cells"]) == (2, NUM_CELLS)


def test_outputs_of_two_programs_are_not_added_up(lab: Lab) -> None:
    register_result(lab, spec_of(OBJECT), OBJECT, combined=False)
    write_outputs(lab, OBJECT, num_rois=4)
    register(lab, folder_of(lab), combined=False)
    populate("Tif", "ImagingAnalysis", "Cell")
    assert len(imaging.Cell.Rois()) == len(CELL_IDS) + 4
    with pytest.raises(InputError, match=r"suite2p_matlab matlab, suite2p_python"):
        imaging.count_cells(per="session")
    matlab = {"animal_name": "90218", "datasettype": "suite2p_matlab"}
    python = dj.AndList([{"animal_name": "90218"}, imaging.Dataset & {"datasettype": "suite2p_python"}])
    for per in ("session", "metasession", "animal"):
        assert numbers(matlab, per=per) == [len(CELL_IDS)]
        assert numbers(python, per=per) == [4]


def test_sessions_are_chosen_by_names_conditions_and_queries(lab: Lab) -> None:
    mlims.Animal.insert1({"animal_id": "b", "datasource_id": 0, "animal_name": "90219"})
    import_all(lab, OBJECT, is_cell=IS_CELL)
    write_recording(lab.share / "90219" / "later", OPEN_FIELD)
    register(lab, lab.share / "90219" / "later", combined=False, animal="90219", sessiontype="open field")
    fields = imaging.Session.SessionType & {"sessiontype": "open field"}
    either = [{"animal_name": "90218"}, fields]
    for restriction, expected in (
        (True, [NUM_CELLS, None]),
        ({}, [NUM_CELLS, None]),
        ({"animal_name": "90218"}, [NUM_CELLS]),
        ("animal_name LIKE '%219'", [None]),
        (fields, [None]),
        (imaging.Tif, [NUM_CELLS]),
        (imaging.PhysicalFile & {"acquisition": 2}, [None]),
        (imaging.ImagingAnalysis, [NUM_CELLS]),
        (imaging.ImagingAnalysis.Suite2p, []),
        (mlims.Animal & {"animal_id": "b"}, [None]),
        (either, [NUM_CELLS, None]),
        (dj.AndList(either), []),
        ([], []),
        ({"animal_name": "nobody"}, []),
    ):
        assert numbers(restriction, per="animal") == expected, restriction


@pytest.mark.parametrize(
    ("restriction", "told"),
    [
        ({"animal_nam": "90218"}, "like animal_name"),
        ({"animal_name": 90218}, "'90218'"),
        ({"combined": True}, "combined is a text"),
        ("animal_nam = '90218'", "like animal_name"),
        (lambda: imaging.SpikeFilterParams(), "does not tell of sessions"),
        (lambda: imaging.BaseFolder & {"animal_id": "a0f1"}, "a key of basefolder_id"),
        (lambda: imaging.Cell.Rois & "npix > 3", "cell_id"),
        ([{"animal_name": "90218"}, {"name": "x"}], "no 'name'"),
        (7, "int"),
    ],
)
def test_a_restriction_that_is_not_understood_never_counts_everything(
    lab: Lab, restriction: Any, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        imaging.count_cells(restriction() if callable(restriction) else restriction, per="session")


def test_groups_that_are_not_there_are_refused_with_those_that_are(lab: Lab) -> None:
    with pytest.raises(InputError, match="animal, metasession, session"):
        imaging.count_cells(per="sessions")
