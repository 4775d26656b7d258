"""Recordings of several fields of view, when their folder is registered."""

import numpy as np
import pytest

from imaging_pipeline.errors import FormatError
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import Request
from tests.makers.folders import aged
from tests.makers.scanimage_fields import Field, write_fields_tif

REQUEST = Request("moser", "90218/day1", "2Pminiscope_A", False, "90218", 0)
UPPER, LOWER = Field(20, 16), Field(12, 16, top=40)


def write(path, fields, scanned=None):
    images = [np.full((field.height, field.width), 7, np.int16) for field in scanned or fields]
    aged(write_fields_tif(path, fields, [images] * 3))


def test_a_recording_of_several_fields_is_a_session(tmp_path):
    write(tmp_path / "90218-wide_00001.tif", (UPPER, LOWER))

    (metasession,) = make_plan(REQUEST, scan(tmp_path), {}, {}).metasessions

    assert [session.timeseries_name for session in metasession.sessions] == ["90218-wide"]


def test_a_recording_whose_fields_are_not_in_its_pages_is_refused_at_once(tmp_path):
    write(tmp_path / "90218-wide_00001.tif", (UPPER, LOWER), scanned=(UPPER, UPPER))

    with pytest.raises(FormatError, match=r"90218-wide_00001\.tif.*pages of 44 lines.*20 x 16 \+ 12 x 16"):
        make_plan(REQUEST, scan(tmp_path), {}, {})


def test_acquisitions_of_other_fields_are_no_session(tmp_path):
    write(tmp_path / "90218-wide_00001.tif", (UPPER, LOWER))
    write(tmp_path / "90218-wide_00002.tif", (Field(36, 16),))

    with pytest.raises(FormatError, match=r"differs from the others.*fields: "):
        make_plan(REQUEST, scan(tmp_path), {}, {})
