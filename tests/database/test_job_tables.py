"""The tables that workers fill, as a person names them and as another connection knows them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from imaging_pipeline import database
from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas import tables
from imaging_pipeline.schemas.jobs.job_tables import found_job_tables, job_table_named, job_tables
from tests.makers.lab import Lab
from tests.makers.other_connection import other_connection


def test_each_table_that_is_populated_is_in_a_lane_with_the_jobs_that_datajoint_gives_it(lab: Lab) -> None:
    known = {each.full_name: each for each in job_tables(tables.default_tables())}
    classes = {cls.full_table_name: cls for cls in database.automatic_tables()}
    assert set(known) == set(classes)
    for name, cls in classes.items():
        assert known[name].jobs_name == cls.jobs.full_table_name
        assert known[name].key == tuple(cls.jobs.primary_key)


def test_another_connection_has_the_same_key_sources(lab: Lab) -> None:
    """Its classes know only what the database says, and would take each dataset for a stack of tifs."""
    with other_connection(lab) as other:
        asked = {each.name: _plain(each.keys_sql) for each in found_job_tables(other)}
    known = found_job_tables(tables.default_tables())
    assert asked == {each.name: _plain(each.keys_sql) for each in known}
    classes = {cls.full_table_name: cls for cls in database.automatic_tables()}
    assert asked == {each.name: _plain(_keys(classes[each.full_name])) for each in known}


def _keys(table: Any) -> str:
    return str(table().key_source.proj().make_sql())


def _plain(sql: str) -> str:
    """Leave out the numbers that DataJoint counts its aliases by."""
    return re.sub(r"\$[0-9a-f]+", "$", sql)


def test_each_table_comes_after_those_that_it_is_made_from(lab: Lab) -> None:
    known = job_tables(tables.default_tables())
    names = [each.name for each in known]
    for each in known:
        assert all(names.index(needed) < names.index(each.name) for needed in each.needs)
    needs = {each.short_name: each.needs for each in known}
    assert needs["MakeDatasetSessions"] == ()
    assert needs["Tif"] == needs["Suite2Py"] == ("imaging.MakeDatasetSessions",)
    assert needs["ImagingAnalysis"] == ("imaging.Tif", "suite2p_jobs.Suite2Py")
    assert needs["FilteredSpikes"] == ("imaging.Cell",)


def test_a_table_is_found_with_and_without_its_schema_in_any_case(lab: Lab) -> None:
    handle = tables.default_tables()
    found = {job_table_named(handle, name).name for name in ("suite2py", "suite2p_jobs.Suite2Py", "SUITE2PY")}
    assert found == {"suite2p_jobs.Suite2Py"}
    with pytest.raises(InputError, match=r"Found: imaging\.Sell\..*Did you mean Cell\?"):
        job_table_named(handle, "imaging.Sell")
