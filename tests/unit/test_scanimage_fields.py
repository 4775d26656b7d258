"""Several fields of view in one page: which they are, and where they lie."""

import json
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.demo.scanimage_file import ScanImageSettings
from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.scanimage.fields import locate_fields
from imaging_pipeline.readers.scanimage.header import parse_header
from imaging_pipeline.readers.scanimage.tif import read_tif
from tests.makers.scanimage_fields import LINES_BETWEEN, Field, fields_header, rois_of, write_fields_tif

HERE = Path("a.tif")
EPOCH = "frameNumbers = 1\nframeTimestamps_sec = 0.0\nepoch = [2018 11  5  9 30  1.500]\n"
PLANAR = ScanImageSettings(30.0)
LEFT, RIGHT, BELOW = Field(20, 16, 5, 0), Field(20, 16, 0, 40), Field(12, 16, 60, 10)


def header_of(fields, settings=PLANAR, **changes):
    return parse_header(fields_header(settings, **changes), rois_of(fields), EPOCH, HERE)


def placed(header, height, width=16):
    return locate_fields(header.fields, height, width, header.lines_between_fields, HERE)


def test_the_lines_between_fields_are_left_out(tmp_path):
    images = [
        np.full((field.height, field.width), value, np.int16) for value, field in enumerate((LEFT, BELOW))
    ]
    tif = read_tif(write_fields_tif(tmp_path / "a.tif", (LEFT, BELOW), [images]))

    found = placed(tif.header, tif.height)

    assert (tif.height, tif.header.num_fields) == (20 + LINES_BETWEEN + 12, 2)
    assert [(place.first_line, place.last_line) for place in found] == [(0, 19), (24, 35)]


def test_fields_lie_in_the_sample_as_their_centres_say():
    found = placed(header_of((LEFT, RIGHT, BELOW)), 52 + 2 * LINES_BETWEEN)

    assert [(place.canvas_y_px, place.canvas_x_px) for place in found] == [(5, 0), (0, 40), (60, 10)]


def test_a_field_that_is_switched_off_is_in_no_page():
    header = header_of((LEFT, Field(20, 16, 0, 40, enable=0), BELOW))

    assert [field.height_px for field in header.fields] == [20, 12]


def test_a_field_of_another_depth_is_in_no_page():
    elsewhere = Field(20, 16, 0, 40, z=80, is_discrete=True)

    header = header_of((LEFT, elsewhere), hStackManager__zs="0")

    assert [field.name for field in header.fields] == ["at 0 5"]


def test_a_field_at_some_of_the_depths_only_is_refused():
    volumes = ScanImageSettings(30.0, num_planes=2)
    elsewhere = Field(20, 16, 0, 40, z=20, is_discrete=True)

    with pytest.raises(FormatError, match=r"change with depth.*a\.tif.*at 40 0.*z = 20.*every plane"):
        header_of((LEFT, elsewhere), volumes)


def test_a_field_of_one_depth_is_imaged_in_every_plane():
    volumes = ScanImageSettings(30.0, num_planes=2)

    assert len(header_of((LEFT, RIGHT), volumes).fields) == 2


@pytest.mark.parametrize("height", [32, 40, 60])
def test_pages_that_are_not_made_of_these_fields_are_refused(height):
    with pytest.raises(FormatError, match=rf"pages of {height} lines.*20 x 16 \+ 12 x 16 with gaps of 4"):
        placed(header_of((LEFT, BELOW)), height)


def test_gaps_that_are_not_equal_are_refused():
    with pytest.raises(FormatError, match="not those in its pages"):
        placed(header_of((LEFT, RIGHT, BELOW)), 52 + 2 * LINES_BETWEEN + 1)


def test_fields_that_are_narrower_than_the_page_are_refused():
    with pytest.raises(FormatError, match="20 x 16.*12 x 10"):
        placed(header_of((LEFT, Field(12, 10, 60))), 36)


def test_a_linear_scanner_says_nothing_of_the_lines_between():
    header = header_of((LEFT, BELOW), hScan2D__scannerType="'GG'")

    assert header.lines_between_fields is None
    assert placed(header, 32)[1].first_line == 20


def test_a_single_field_of_several_is_the_page():
    assert [place.last_line for place in placed(header_of((LEFT,)), 20)] == [19]


def test_a_single_field_that_is_not_the_page_is_refused():
    with pytest.raises(FormatError, match="pages of 24 lines.*20 x 16"):
        placed(header_of((LEFT,)), 24)


@pytest.mark.parametrize("wrong", [{"pixelResolutionXY": [0, 20]}, {"pixelResolutionXY": None}])
def test_a_field_without_size_is_refused(wrong):
    rois = json.loads(rois_of((LEFT, RIGHT)))
    rois["RoiGroups"]["imagingRoiGroup"]["rois"][1]["scanfields"] |= wrong

    with pytest.raises(FormatError, match=r"cannot be read.*a\.tif"):
        parse_header(fields_header(), json.dumps(rois), EPOCH, HERE)
