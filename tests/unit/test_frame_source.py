"""The frames that Suite2p gets of a tif: those that are counted, in order, as Suite2p converts them."""

import json

import numpy as np
import pytest
import tifffile

from imaging_pipeline.errors import FormatError, TruncatedError
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.tiff.recorded import read_plain_tif
from imaging_pipeline.suite2p_runner.frame_source import FrameSource, describe_source
from imaging_pipeline.suite2p_runner.pixels import conversion
from tests.makers import scanimage

GENERATIONS = {
    "3": lambda path: scanimage.write_classic_tif(path, "", scanimage.HEADER_3, 12),
    "4": lambda path: scanimage.write_classic_tif(path, scanimage.FRAME_LINES_4, scanimage.HEADER_4, 12),
    "5.0": lambda path: scanimage.write_classic_tif(path, scanimage.FRAME_LINES_50, scanimage.HEADER_50, 12),
    "5.1": lambda path: scanimage.write_classic_tif(path, scanimage.FRAME_LINES_51, scanimage.HEADER_51, 12),
    "2016": lambda path: scanimage.write_tif(path, 12, format_version=3),
    "2021": lambda path: scanimage.write_tif(path, 12, format_version=4),
    "uneven": lambda path: scanimage.write_uneven_tif(path, 12),
}


def source_of(tif, num_pages):
    # Through JSON, as it goes to the process of Suite2p.
    described = json.loads(json.dumps(describe_source(tif, num_pages, tif.path.with_suffix(".offsets"))))
    return FrameSource.of(described)


@pytest.mark.parametrize("write", GENERATIONS.values(), ids=GENERATIONS)
def test_every_generation_gives_all_its_pages(tmp_path, write):
    tif = read_tif(write(tmp_path / "a.tif"))

    source = source_of(tif, tif.num_pages)

    assert source.num_pages == 12
    batches = [source.read(first, 5) for first in (0, 5, 10)]
    assert [len(batch) for batch in batches] == [5, 5, 2]
    expected = np.stack(list(scanimage.numbered_pages(12)))
    np.testing.assert_array_equal(np.concatenate(batches), expected)
    assert {batch.dtype.name for batch in batches} == {"int16"}


def test_pages_after_the_last_whole_volume_are_left_out(tmp_path):
    source = source_of(read_tif(scanimage.write_tif(tmp_path / "a.tif", 12)), 10)

    assert (source.num_pages, len(source.read(5, 500))) == (10, 5)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", ["int16", "uint16", "int8", "uint8"])
def test_pixels_are_those_that_suite2p_makes_of_them(tmp_path, dtype, byteorder):
    limits = np.iinfo(dtype)
    movie = np.linspace(limits.min, limits.max, 8 * 12 * 16).round().astype(dtype).reshape(8, 12, 16)
    tifffile.imwrite(tmp_path / "a.tif", movie, byteorder=byteorder, metadata=None)
    tif = read_plain_tif(tmp_path / "a.tif", read_tif(scanimage.write_tif(tmp_path / "header.tif")).header)

    pages = source_of(tif, 8).read(0, 8)

    # As `read_tiff` of Suite2p 1.1.0 does it.
    np.testing.assert_array_equal(pages, (movie // 2 if dtype == "uint16" else movie).astype(np.int16))
    assert pages.dtype == np.int16
    assert conversion(dtype) == ("uint16 // 2" if dtype == "uint16" else "")


def test_a_file_that_changed_since_it_was_counted_is_refused(tmp_path):
    tif = read_tif(scanimage.write_tif(tmp_path / "a.tif", 12))
    scanimage.write_tif(tmp_path / "b.tif", 11).replace(tif.path)

    with pytest.raises(FormatError, match=r"changed while it was read.*11 pages.*12 pages"):
        source_of(tif, 12)


def test_a_file_that_becomes_shorter_while_it_is_read_is_told(tmp_path):
    tif = read_tif(scanimage.write_tif(tmp_path / "a.tif", 12))
    source = source_of(tif, 12)
    scanimage.truncate(tif.path, 500)

    with pytest.raises(TruncatedError, match=r"shorter.*a\.tif"):
        source.read(8, 4)
