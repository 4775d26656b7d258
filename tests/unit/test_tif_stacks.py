"""Tifs whose directories do not name all of their images, by every reader of tifs."""

import json
import struct
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from imaging_pipeline.errors import DamagedError, FormatError, TruncatedError
from imaging_pipeline.experiments.recognised import StackFile, StackFiles
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.session_json import read_session_json
from imaging_pipeline.readers.tiff.recorded import iter_pages, read_plain_tif
from imaging_pipeline.readers.tiff.whole import check_whole
from tests.makers import scanimage, tif_stacks
from tests.makers.femtonics import FIRST, export_tifs
from tests.makers.mesc import movie as recorded_movie
from tests.makers.mesc import write_mesc
from tests.makers.plain_tifs import write_session_json
from tests.makers.preprocessed import write_preprocessed
from tests.makers.recordings import OPEN_FIELD, write_recording

MOVIE = np.random.default_rng(0).integers(1, 3000, (80, 12, 16), np.int16)
WRITERS = [
    lambda path, movie: tif_stacks.write_imagej_stack(path, movie.astype(np.uint16)),
    tif_stacks.write_shaped_stack,
    lambda path, movie: tif_stacks.write_shaped_stack(path, movie, bigtiff=True),
]


def plain(path):
    return read_plain_tif(path, read_session_json(write_session_json(path.parent)))


def pixels(tif):
    return np.stack(list(iter_pages(tif, range(tif.num_pages))))


@pytest.mark.parametrize("write", WRITERS)
def test_a_stack_with_one_directory_is_read_with_all_its_images(tmp_path, write):
    tif = plain(write(tmp_path / "a.tif", MOVIE))

    np.testing.assert_array_equal(pixels(tif), MOVIE)


def test_a_stack_that_imagej_writes_with_all_directories_is_read(tmp_path):
    path = tif_stacks.write_imagej_stack(tmp_path / "a.tif", MOVIE.astype(np.uint16), truncate=False)

    np.testing.assert_array_equal(pixels(plain(path)), MOVIE)


def test_a_single_image_of_imagej_is_one_page(tmp_path):
    path = tif_stacks.write_imagej_stack(tmp_path / "a.tif", MOVIE[:1].astype(np.uint16))

    assert plain(path).num_pages == 1


@pytest.mark.parametrize("write", WRITERS)
def test_a_stack_with_one_directory_that_is_cut_is_refused_with_both_sizes(tmp_path, write):
    path = write(tmp_path / "a.tif", MOVIE)
    size_bytes = path.stat().st_size
    scanimage.truncate(path, 1000)

    with pytest.raises(TruncatedError, match=rf"{size_bytes - 1000} bytes.*at least {size_bytes} bytes"):
        plain(path)


@pytest.mark.parametrize("write", WRITERS)
def test_images_behind_those_that_the_text_states_are_asked_about(tmp_path, write):
    path = write(tmp_path / "a.tif", MOVIE)
    size_bytes = path.stat().st_size
    path.write_bytes(path.read_bytes() + bytes(3 * 384))

    with pytest.raises(DamagedError, match=rf"80 pages, and 1152 bytes from byte {size_bytes} on"):
        plain(path)


def test_two_stacks_in_one_file_are_refused(tmp_path):
    path = tmp_path / "a.tif"
    for append in (False, True):
        tifffile.imwrite(path, MOVIE, photometric="minisblack", truncate=True, append=append)

    with pytest.raises(DamagedError, match="2 pages, and .* bytes from byte .* on that are of none"):
        plain(path)


@pytest.mark.parametrize("num_pages", [1, 10, 19])
def test_a_chain_of_directories_that_ends_early_is_refused_or_read_to_its_end(tmp_path, num_pages):
    path = scanimage.write_uneven_tif(tmp_path / "a.tif", num_pages=20)
    tif_stacks.end_chain_after(path, num_pages)

    with pytest.raises(DamagedError, match=rf"{num_pages} pages, and \d+ bytes.* of {path.stat().st_size}"):
        read_tif(path)


def test_an_evenly_spaced_file_whose_chain_ends_early_has_all_its_pages_or_none(tmp_path):
    read = []
    for num_pages in (1, 2, 10, 18, 19):
        path = tif_stacks.end_chain_after(scanimage.write_tif(tmp_path / "a.tif", num_pages=20), num_pages)
        with suppress(DamagedError):
            read.append(read_tif(path).num_pages)

    assert set(read) <= {20}


def test_an_evenly_spaced_file_that_names_every_other_page_is_refused(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif", num_pages=41)
    with tifffile.TiffFile(path, is_scanimage=False) as tif:
        offsets = [page.offset for page in tif.pages]
        pointers = [page.offset + 8 + 20 * len(page.tags) for page in tif.pages]
    with path.open("rb+") as file:
        for pointer, following in zip(pointers[::2], [*offsets[2::2], 0], strict=True):
            file.seek(pointer)
            file.write(following.to_bytes(8, "little"))

    with pytest.raises(DamagedError, match=r"21 pages, and \d+ bytes"):
        read_tif(path)


def test_texts_before_the_first_page_are_no_images(tmp_path):
    rois = json.dumps({"RoiGroups": {"imagingRoiGroup": {"rois": [0] * 5000}}})
    path = scanimage.write_tif(tmp_path / "a.tif", num_pages=5, rois=rois)
    content = path.read_bytes()
    with tifffile.TiffFile(path, is_scanimage=False) as tif:
        second, third = (struct.pack("<Q", tif.pages[number].dataoffsets[0]) for number in (1, 2))
        artist = tif.pages[0].tags["Artist"].offset
    # Not evenly spaced, and the ROI groups lie in ScanImage's own block, but are named by no tag.
    content = content.replace(second, b"elsewhere").replace(third, second).replace(b"elsewhere", third)
    unnamed = struct.pack("<HHQQ", 316, 2, 0, 0)
    path.write_bytes(content.replace(content[artist : artist + len(unnamed)], unnamed))

    assert [int(page[0, 0]) for page in pixels(read_tif(path))] == [0, 2, 1, 3, 4]


def test_a_page_between_others_that_no_directory_names_is_missed(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, MOVIE, photometric="minisblack")
    with tifffile.TiffFile(path) as tif:
        fourth, fifth, sixth = (tif.pages[number].offset for number in (3, 4, 5))
    content = path.read_bytes()
    named, skipped = fifth.to_bytes(4, "little"), sixth.to_bytes(4, "little")
    at = content.index(named, fourth)
    path.write_bytes(content[:at] + skipped + content[at + 4 :])

    with pytest.raises(DamagedError, match="79 pages, and 384 bytes"):
        plain(path)


def test_a_text_that_was_added_at_the_end_is_no_image(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif", num_pages=20)
    path.write_bytes(path.read_bytes() + b"a note of the copying program")

    assert read_tif(path).num_pages == 20


def test_every_reader_of_tifs_asks_about_such_bytes(tmp_path):
    raw = write_recording(tmp_path / "raw", OPEN_FIELD)
    (corrected, _) = write_preprocessed(tmp_path / "raw", OPEN_FIELD)
    exported = export_tifs(tmp_path / "MUnit_0", FIRST)
    for path in (corrected, exported[0]):
        tif_stacks.end_chain_after(path, 2)
    mesc = write_mesc(tmp_path / "a.mesc", FIRST)
    acquisitions = (1, 1, 2)
    stack_files = tuple(StackFile(path, number) for path, number in zip(raw, acquisitions, strict=True))
    unit = StackFile(mesc, 0, "MSession_0/MUnit_0")

    with pytest.raises(DamagedError, match=corrected.name):
        experiment_type("2Pminiscope_A preprocessed").read_tifs(
            StackFiles("tif_preprocessed", OPEN_FIELD.name, (StackFile(corrected, 1),), stack_files)
        )
    with pytest.raises(DamagedError, match=exported[0].name):
        experiment_type("femtonics").read_tifs(
            StackFiles("tif", "MUnit_0", tuple(StackFile(path, 0) for path in exported), (unit,))
        )
    with pytest.raises(DamagedError, match=corrected.name):
        check_whole(corrected)


def test_an_export_of_one_directory_has_all_frames_of_its_measurement(tmp_path):
    mesc = write_mesc(tmp_path / "a.mesc", FIRST)
    exported = tif_stacks.write_imagej_stack(tmp_path / "MUnit_0_00001.tif", recorded_movie(FIRST))

    (tif,) = experiment_type("femtonics").read_tifs(
        StackFiles("tif", "MUnit_0", (StackFile(exported, 0),), (StackFile(mesc, 0, "MSession_0/MUnit_0"),))
    )

    np.testing.assert_array_equal(pixels(tif), recorded_movie(FIRST))


LARGE_PAGES = 66


def test_a_classic_tif_beyond_4_gb_is_read_where_its_pages_are_evenly_spaced(tmp_path):
    path = tif_stacks.write_classic_beyond_4_gb(tmp_path / "a.tif", LARGE_PAGES)
    assert path.stat().st_size > 2**32

    tif = plain(path)

    assert tif.num_pages == LARGE_PAGES
    (last,) = iter_pages(tif, range(LARGE_PAGES - 1, LARGE_PAGES))
    assert (last[0, 0], last[-1, -1]) == (LARGE_PAGES, LARGE_PAGES)


@pytest.mark.parametrize("late_page", [2, 40, LARGE_PAGES - 1])
def test_another_classic_tif_beyond_4_gb_is_refused_by_this_name(tmp_path, late_page):
    path = tif_stacks.write_classic_beyond_4_gb(tmp_path / "a.tif", LARGE_PAGES, late_page=late_page)

    with pytest.raises(FormatError, match=r"classic TIFF of more than 4 GB.*BigTIFF") as error:
        plain(path)

    assert "truncated" not in str(error.value)


def test_a_classic_tif_beyond_4_gb_that_is_cut_is_truncated(tmp_path):
    path = tif_stacks.write_classic_beyond_4_gb(tmp_path / "a.tif", LARGE_PAGES, missing_bytes=100)
    size_bytes = path.stat().st_size

    with pytest.raises(TruncatedError, match=f"{size_bytes} bytes.*at least {size_bytes + 100} bytes"):
        plain(path)


TWO_CHANNELS = replace(OPEN_FIELD.settings, channels=(1, 2))


def write_odd_pages(folder, num_pages):
    """Write files of one acquisition with two channels, each of so many pages."""
    paths, settings = [], TWO_CHANNELS
    for number, count in enumerate(num_pages, 1):
        path = folder / f"{OPEN_FIELD.name}_00001_{number:05d}.tif"
        paths.append(scanimage.write_tif(path, count, settings))
        settings = settings.after(-(-count // len(settings.channels)))
    return tuple(StackFile(path, 1) for path in paths)


def test_a_file_that_ends_amid_the_channels_of_a_frame_is_refused_if_another_follows(tmp_path):
    files = write_odd_pages(tmp_path, (29, 29))
    session = StackFile(write_session_json(tmp_path, num_channels=2), 0)

    for name, primary in (("2Pminiscope_A", files), ("plain tifs", (session,))):
        with pytest.raises(FormatError, match=r"00001\.tif.*29 pages.*a multiple of 2"):
            experiment_type(name).read_stack(StackFiles("tif", OPEN_FIELD.name, files, primary))


def test_the_last_file_of_an_acquisition_may_end_amid_a_frame_which_is_left_out(tmp_path):
    files = write_odd_pages(tmp_path, (30, 29))
    session = StackFile(write_session_json(tmp_path, num_channels=2), 0)

    for name, primary in (("2Pminiscope_A", files), ("plain tifs", (session,))):
        stack = experiment_type(name).read_stack(StackFiles("tif", OPEN_FIELD.name, files, primary))
        assert [tif.num_frames for tif in stack.tifs] == [15, 14]
