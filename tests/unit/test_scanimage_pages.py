"""Counting pages, and files that are not whole."""

import struct
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from imaging_pipeline.errors import FormatError, NothingFoundError, TruncatedError
from imaging_pipeline.readers.scanimage.tif import BLOCK, BLOCK_MAGIC, BLOCK_OFFSET, read_tif
from imaging_pipeline.readers.tiff.file import TifFile
from imaging_pipeline.readers.tiff.pages import find_pages
from imaging_pipeline.readers.tiff.recorded import iter_pages
from tests.makers import scanimage
from tests.makers.tif_stacks import lead_chain_to

IMAGE_BYTES = scanimage.HEIGHT * scanimage.WIDTH * 2


class CountingFile(TifFile):
    """Counts the directories that are read."""

    num_directories = 0

    def page_at(self, offset):
        self.num_directories += 1
        return super().page_at(offset)


def first_pixels(tif):
    return [int(page[0, 0]) for page in iter_pages(tif, range(tif.num_pages))]


def test_an_evenly_spaced_file_is_counted_with_few_reads(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif", num_pages=300)

    with CountingFile(path) as file:
        pages = find_pages(file)

    assert pages.num_pages == 300
    assert file.num_directories <= 18


def test_an_unevenly_spaced_file_is_walked(tmp_path):
    path = scanimage.write_uneven_tif(tmp_path / "a.tif", num_pages=7)

    tif = read_tif(path)

    with tifffile.TiffFile(path) as other:
        assert tif.num_pages == len(other.pages) == 7
    assert first_pixels(tif) == list(range(7))


def test_pages_whose_images_lie_elsewhere_are_found_there(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif", num_pages=10)
    with TifFile(path) as file:
        third, fifth = (struct.pack("<Q", find_pages(file).data_offsets[index]) for index in (2, 4))
    exchanged = path.read_bytes().replace(fifth, b"elsewhere").replace(third, fifth)
    path.write_bytes(exchanged.replace(b"elsewhere", third))

    assert first_pixels(read_tif(path)) == [0, 1, 4, 3, 2, 5, 6, 7, 8, 9]


def test_a_single_page_is_a_file(tmp_path):
    assert read_tif(scanimage.write_tif(tmp_path / "a.tif", num_pages=1)).num_pages == 1


def test_what_is_read_is_what_is_on_the_disk(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif", settings=replace(scanimage.SETTINGS, channels=(1, 2)))

    tif = read_tif(path)

    assert (tif.path, tif.size_bytes, tif.is_bigtiff) == (path, path.stat().st_size, True)
    assert (tif.height, tif.width, tif.dtype) == (scanimage.HEIGHT, scanimage.WIDTH, "int16")
    assert (tif.num_pages, tif.num_frames) == (6, 3)


def test_unsigned_pixels_are_reported_as_such(tmp_path):
    pages = [np.full((4, 4), 60000, np.uint16)] * 2

    tif = read_tif(scanimage.write_tif(tmp_path / "a.tif", pages=pages))

    assert tif.dtype == "uint16"
    assert first_pixels(tif) == [60000, 60000]


@pytest.mark.parametrize("missing_bytes", [1, IMAGE_BYTES - 1, IMAGE_BYTES + 1000 + 200])
def test_a_truncated_tif_is_refused_with_its_name_and_sizes(tmp_path, missing_bytes):
    path = scanimage.write_tif(tmp_path / "cut.tif")
    whole_bytes = path.stat().st_size
    scanimage.truncate(path, missing_bytes)

    with pytest.raises(TruncatedError) as error:
        read_tif(path)

    assert error.value.what == "The tif is truncated"
    assert error.value.path == str(path)
    assert error.value.found == f"{whole_bytes - missing_bytes} bytes"
    assert int(str(error.value.allowed).split()[2]) > whole_bytes - missing_bytes


def test_a_tif_that_ends_after_a_whole_page_but_names_another_is_refused(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif", num_pages=6)
    with TifFile(path) as file:
        page_bytes = file.page_at(file.first_directory).next_directory - file.first_directory
    whole_bytes = path.stat().st_size
    scanimage.truncate(path, page_bytes)

    with pytest.raises(
        FormatError, match=f"truncated.*{whole_bytes - page_bytes} bytes.*{whole_bytes} bytes"
    ):
        read_tif(path)


def test_an_unevenly_spaced_truncated_tif_is_refused(tmp_path):
    path = scanimage.truncate(scanimage.write_uneven_tif(tmp_path / "a.tif"), 10)

    with pytest.raises(FormatError, match="truncated"):
        read_tif(path)


@pytest.mark.parametrize("part", [0.5, 1.0])
def test_a_tif_of_its_full_size_whose_content_is_not_all_copied_is_refused(tmp_path, part):
    path = scanimage.write_tif(tmp_path / "a.tif", num_pages=40)
    size_bytes = path.stat().st_size
    scanimage.blank_end(path, int(size_bytes * part))

    with pytest.raises(TruncatedError, match=rf"truncated.*a\.tif.*only zeros at byte \d+ of {size_bytes}"):
        read_tif(path)


def test_a_copy_that_broke_off_within_the_last_image_is_refused(tmp_path):
    pages = [np.full((300, 400), number, np.int16) for number in (5, 6)]
    path = scanimage.write_tif(tmp_path / "a.tif", pages=pages)
    scanimage.blank_end(path, 200_000)

    with pytest.raises(TruncatedError, match="only zeros"):
        read_tif(path)


def test_a_movie_that_is_dark_from_its_first_page_on_is_whole(tmp_path):
    assert read_tif(scanimage.write_tif(tmp_path / "a.tif", pages=[np.zeros((4, 4), np.int16)] * 2))


def test_what_lies_where_a_page_should_be_is_refused(tmp_path):
    path = scanimage.write_uneven_tif(tmp_path / "a.tif")
    with TifFile(path) as file:
        second = file.page_at(file.first_directory).next_directory
    with path.open("rb+") as content:
        content.seek(second)
        content.write(b"\xff" * 8)

    with pytest.raises(FormatError, match=f"no page at byte {second}"):
        read_tif(path)


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.tif"
    path.touch()

    with pytest.raises(FormatError, match=r"truncated.*empty\.tif.*0 bytes.*at least 8 bytes"):
        read_tif(path)


def test_a_file_that_is_no_tiff_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" * 10)

    with pytest.raises(FormatError, match="not a TIFF"):
        read_tif(path)


def test_a_tif_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NothingFoundError, match=r"gone\.tif"):
        read_tif(tmp_path / "gone.tif")


def test_directories_that_run_in_a_circle_are_refused(tmp_path):
    path = scanimage.write_uneven_tif(tmp_path / "a.tif")
    with TifFile(path) as file:
        first, num_pages = file.first_directory, find_pages(file).num_pages
    lead_chain_to(path, num_pages, first)

    with pytest.raises(FormatError, match="circle"):
        read_tif(path)


def test_a_page_of_another_size_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path, bigtiff=True) as tif:
        for height in (4, 4, 6):
            description = scanimage.FRAME_LINES_51.format(number=1, time=0)
            page = np.zeros((height, 4), np.int16)
            tif.write(page, description=description, software=scanimage.header_with(), metadata=None)

    with pytest.raises(FormatError, match="Page 3.*6 x 4 int16.*4 x 4 int16"):
        read_tif(path)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({"compression": "zlib"}, "compressed.*scheme 8"),
        ({"photometric": "rgb"}, "several samples"),
        ({"tile": (16, 16)}, "no StripOffsets"),
        ({"dtype": np.complex64}, "unknown type.*unknown64"),
    ],
)
def test_images_that_cannot_be_read_by_offset_are_refused(tmp_path, written, complaint):
    path = tmp_path / "a.tif"
    shape = (16, 16, 3) if "photometric" in written else (16, 16)
    page = np.ones(shape, written.pop("dtype", np.uint16))
    tifffile.imwrite(path, page, software=scanimage.header_with(), metadata=None, **written)

    with pytest.raises(FormatError, match=complaint):
        read_tif(path)


def test_strips_that_adjoin_are_one_image(tmp_path):
    path = tmp_path / "a.tif"
    page = np.arange(64, dtype=np.int16).reshape(8, 8)
    lines = scanimage.FRAME_LINES_51.format(number=1, time=0)
    tifffile.imwrite(
        path, page, description=lines, software=scanimage.header_with(), metadata=None, rowsperstrip=2
    )

    (image,) = iter_pages(read_tif(path), range(1))

    np.testing.assert_array_equal(image, page)


def test_a_big_endian_file_is_read(tmp_path):
    path = tmp_path / "a.tif"
    page = np.arange(64, dtype=np.int16).reshape(8, 8)
    lines = scanimage.FRAME_LINES_51.format(number=1, time=0)
    tifffile.imwrite(
        path, page, byteorder=">", description=lines, software=scanimage.header_with(), metadata=None
    )

    (image,) = iter_pages(read_tif(path), range(1))

    np.testing.assert_array_equal(image, page)


def test_a_length_that_is_garbage_is_refused_at_once_and_not_taken_for_a_copy(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif")
    content = path.read_bytes()
    _, _, header_bytes, roi_bytes = BLOCK.unpack_from(content, BLOCK_OFFSET)
    for garbage, told in (
        ((2**32 - 1, roi_bytes), "lengths at the start.*header of 4294967295 bytes"),
        ((header_bytes, 2**31), "lengths at the start.*ROI groups of 2147483648 bytes"),
        # Without a word, settings at its end would count as not set.
        ((header_bytes // 2, roi_bytes), "length of the header.*as in the tag Software"),
    ):
        block = BLOCK.pack(BLOCK_MAGIC, 4, *garbage)
        path.write_bytes(content[:BLOCK_OFFSET] + block + content[BLOCK_OFFSET + len(block) :])
        assert_damaged(path, told)


def test_a_pointer_that_is_garbage_is_refused_at_once_and_not_taken_for_a_copy(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif")
    content = path.read_bytes()
    path.write_bytes(content[:8] + struct.pack("<Q", 2**60) + content[16:])
    assert_damaged(path, f"a place where no file ends.*byte {2**60 + 8}")


def test_the_length_of_a_text_that_is_garbage_is_refused_at_once(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif")
    content = path.read_bytes()
    with TifFile(path) as file:
        num_bytes = file.first_page.description.num_bytes
    tag = struct.pack("<HHQ", 270, 2, num_bytes)
    assert content.count(tag) == 6
    path.write_bytes(content.replace(tag, struct.pack("<HHQ", 270, 2, 2**33)))
    assert_damaged(path, "Tag 270 of the tif has a length that cannot be right")


def assert_damaged(path, told):
    with pytest.raises(FormatError, match=told) as error:
        read_tif(path)
    assert not isinstance(error.value, TruncatedError)
