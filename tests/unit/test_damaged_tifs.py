"""What is taken of a damaged tif, and of which folder nothing is."""

import os
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import tifffile

from imaging_pipeline.errors import (
    DamagedError,
    FormatError,
    NothingFoundError,
    StillCopyingError,
    TruncatedError,
)
from imaging_pipeline.experiments.recognised import StackFile, StackFiles
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.ingest.damaged_tifs import DamagedTifs
from imaging_pipeline.ingest.dataset_difference import difference
from imaging_pipeline.ingest.folder_changes import Difference
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import DatasetRecord, FileRecord, Request
from imaging_pipeline.ingest.verdicts import FileVerdict
from imaging_pipeline.readers.scanimage.frames import read_frame_times
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.tiff.file import TifFile
from imaging_pipeline.readers.tiff.pages import find_pages, first_pages, read_image
from imaging_pipeline.readers.tiff.recorded import iter_pages, mean_image
from imaging_pipeline.readers.tiff.whole import count_whole_pages
from imaging_pipeline.suite2p_runner.frame_source import FrameSource, describe_source
from imaging_pipeline.suite2p_runner.preflight import check_inputs
from tests.makers import scanimage, tif_stacks
from tests.makers.folders import COPIED, PAGES, WHEEL, Timeseries, aged, write_folder
from tests.makers.plain_tifs import write_plain_tifs
from tests.makers.preprocessed import write_preprocessed
from tests.makers.recordings import OPEN_FIELD, write_recording
from tests.makers.scanimage import blank_end, truncate
from tests.makers.tif_stacks import end_chain_after, lead_chain_to

# Without a byte of zero in the pixels, so that a byte which is lost can be told.
PAGE_NUMBERS = [np.full((12, 16), 257 * number, np.int16) for number in range(1, 11)]
EVEN = "even"
UNEVEN = "uneven"


def write(path, kind):
    if kind == EVEN:
        return scanimage.write_tif(path, pages=PAGE_NUMBERS)
    with tifffile.TiffWriter(path, bigtiff=True) as tif:
        for number, page in enumerate(PAGE_NUMBERS, 1):
            lines = scanimage.FRAME_LINES_51.format(number=number, time=number / 30) + " " * number**2
            tif.write(page, description=lines, software=scanimage.header_with(), metadata=None)
    return path


def page_ends(path):
    with TifFile(path) as file:
        return find_pages(file).ends


def first_pixels(path, num_pages):
    tif = read_tif(path, num_pages)
    return [int(page[-1, -1]) // 257 for page in iter_pages(tif, range(tif.num_pages))]


@pytest.mark.parametrize("kind", [EVEN, UNEVEN])
def test_the_pages_before_a_cut_at_any_byte_are_taken(tmp_path, kind):
    path = write(tmp_path / "a.tif", kind)
    ends = page_ends(path)
    for num_bytes in range(path.stat().st_size - 1, int(ends[0]), -157):
        os.truncate(path, num_bytes)
        expected = int(np.sum(ends <= num_bytes))
        assert count_whole_pages(path) == expected
        assert first_pixels(path, expected) == list(range(1, expected + 1))


@pytest.mark.parametrize("kind", [EVEN, UNEVEN])
def test_the_pages_before_zeros_in_place_of_content_are_taken(tmp_path, kind):
    path = write(tmp_path / "a.tif", kind)
    ends = page_ends(path)
    for num_zeros in range(1000, path.stat().st_size - int(ends[0]), 211):
        left = path.stat().st_size - num_zeros
        blank_end(path, num_zeros)
        expected = int(np.sum(ends <= left))
        assert count_whole_pages(path) == expected
        assert first_pixels(path, expected) == list(range(1, expected + 1))


@pytest.mark.parametrize("num_pages", [1, 4])
def test_the_pages_before_a_chain_ends_or_leads_astray_are_taken(tmp_path, num_pages):
    ended = end_chain_after(write(tmp_path / "ended.tif", UNEVEN), num_pages)
    astray = write(tmp_path / "astray.tif", UNEVEN)
    lead_chain_to(astray, num_pages, astray.stat().st_size + 5000)

    for path in (ended, astray):
        with pytest.raises(DamagedError):
            read_tif(path)
        assert count_whole_pages(path) == num_pages
        assert first_pixels(path, num_pages) == list(range(1, num_pages + 1))


def test_the_images_of_a_stack_with_one_directory_are_taken_as_far_as_they_go(tmp_path):
    movie = np.random.default_rng(0).integers(1, 3000, (20, 12, 16), np.uint16)
    path = truncate(tif_stacks.write_imagej_stack(tmp_path / "a.tif", movie), 500)

    assert count_whole_pages(path) == 18


def imagej_stack(path):
    return tif_stacks.write_imagej_stack(path, np.stack(PAGE_NUMBERS), truncate=False)


def tifffile_stack(path):
    tifffile.imwrite(path, np.stack(PAGE_NUMBERS), photometric="minisblack")
    return path


@pytest.mark.parametrize("write_stack", [imagej_stack, tifffile_stack])
@pytest.mark.parametrize(("num_images", "num_taken"), [(20, 10), (10, 10), (9.9, 9), (2, 2), (1.5, 1)])
@pytest.mark.parametrize("is_blank", [False, True])
def test_images_are_taken_whose_directories_behind_all_images_are_lost(
    tmp_path, write_stack, num_images, num_taken, is_blank
):
    path = write_stack(tmp_path / "a.tif")
    with TifFile(path) as file:
        data = file.first_page.data
    lost = path.stat().st_size - min(data.offset + int(num_images * data.num_bytes), path.stat().st_size - 1)
    (blank_end if is_blank else truncate)(path, lost)

    assert count_whole_pages(path) == num_taken
    with TifFile(path) as file:
        pages = first_pages(file, num_taken)
        images = [read_image(file, pages, number) for number in range(num_taken)]
    assert np.array_equal(images, PAGE_NUMBERS[:num_taken])


def test_a_cut_file_has_whole_frames_times_and_a_mean_image(tmp_path):
    settings = replace(scanimage.SETTINGS, channels=(1, 2))
    path = truncate(scanimage.write_tif(tmp_path / "a.tif", settings=settings, pages=PAGE_NUMBERS), 100)

    tif = read_tif(path, count_whole_pages(path))

    assert (tif.num_pages, tif.num_frames, tif.is_cut) == (8, 4, True)
    assert read_frame_times(tif).frame_numbers.tolist() == [1, 2, 3, 4]
    assert mean_image(tif)[0, 0] == 257 * np.mean([1, 3, 5, 7])


def test_a_file_without_a_whole_frame_is_refused(tmp_path):
    settings = replace(scanimage.SETTINGS, channels=(1, 2))
    path = scanimage.write_tif(tmp_path / "a.tif", settings=settings, pages=PAGE_NUMBERS[:2])
    truncate(path, 100)

    with pytest.raises(DamagedError, match=r"a\.tif.*1 pages.*2 or more"):
        read_tif(path, count_whole_pages(path))


def test_a_run_gets_the_whole_volumes_of_a_cut_file(tmp_path):
    settings = replace(scanimage.SETTINGS, num_planes=2)
    pages = [np.random.default_rng(number).integers(0, 99, (12, 16), np.int16) for number in range(26)]
    path = truncate(scanimage.write_tif(tmp_path / "a_00001.tif", settings=settings, pages=pages), 100)

    inputs = check_inputs([read_tif(path, count_whole_pages(path))], [1])
    (part,) = inputs.parts
    source = FrameSource.of(describe_source(part.tif, part.num_pages, tmp_path / "offsets"))

    assert (inputs.num_volumes, part.num_pages) == (12, 24)
    np.testing.assert_array_equal(source.read(0, 100), np.stack(pages[:24]))


# What a folder with a damaged tif means.

SPLIT = Timeseries("mouse", files=(3, 1))
FIRST, MIDDLE, LAST, SECOND = SPLIT.tif_names
REQUEST = Request("moser", "day1", "2Pminiscope_A", False, "90218", 0)


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "day1", WHEEL, SPLIT)


def plan_of(folder, choice, stored=None, **changes):
    """Plan a folder of which nothing has come for a long time."""
    arrived = max(entry.arrived for entry in scan(folder).files)
    request = replace(REQUEST, damaged_tifs=DamagedTifs(choice), **changes)
    return make_plan(request, scan(folder), stored or {}, {}, now=arrived + timedelta(hours=3))


def files_of(plan, name="mouse", datasettype="tif"):
    return {
        file.name: file
        for metasession in plan.metasessions
        for session in metasession.sessions
        if session.timeseries_name == name
        for dataset in session.datasets
        if dataset.datasettype == datasettype
        for file in dataset.files
    }


def verdicts(plan):
    return {report.path.removeprefix("day1/"): report for report in plan.files}


def test_a_damaged_tif_is_refused_and_the_error_names_the_other_ways(folder):
    truncate(folder / MIDDLE, 50)

    with pytest.raises(TruncatedError, match=rf"{MIDDLE}.*damaged_tifs = 'cut'.*'leave out'"):
        plan_of(folder, "refuse")


@pytest.mark.parametrize("name", [FIRST, MIDDLE, LAST, SECOND])
def test_of_a_tif_that_is_cut_the_frames_before_the_damage_are_taken_and_the_report_says_so(folder, name):
    truncate(folder / name, 50)

    plan = plan_of(folder, "cut")

    expected = {each: PAGES - 1 if each == name else None for each in SPLIT.tif_names}
    assert {each.name: each.pages_taken for each in files_of(plan).values()} == expected
    assert verdicts(plan)[name].reason.endswith("damaged: only its first 3 pages of all channels are taken")


@pytest.mark.parametrize("damage", [lambda path: truncate(path, 50), lambda path: os.truncate(path, 0)])
@pytest.mark.parametrize("name", [FIRST, MIDDLE, LAST, SECOND])
def test_a_tif_that_is_left_out_is_ignored_and_the_report_says_why(folder, name, damage):
    damage(folder / name)

    plan = plan_of(folder, "leave out")

    assert list(files_of(plan)) == [each for each in SPLIT.tif_names if each != name]
    assert verdicts(plan)[name].verdict is FileVerdict.IGNORED
    assert "damaged, and left out as the request says: The tif is truncated" in verdicts(plan)[name].reason


def test_a_tif_of_which_not_even_a_page_is_whole_cannot_be_cut(folder):
    os.truncate(folder / LAST, 500)

    with pytest.raises(TruncatedError, match=f"{LAST}.*'leave out'"):
        plan_of(folder, "cut")


def test_a_recording_of_which_all_tifs_are_left_out_is_no_session(folder):
    for path in folder.glob("mouse*.tif"):
        os.truncate(path, 500)

    plan = plan_of(folder, "leave out")

    assert files_of(plan) == {}
    assert {verdicts(plan)[name].verdict for name in SPLIT.tif_names} == {FileVerdict.IGNORED}
    for path in folder.glob("90218*.tif"):
        path.unlink()
    with pytest.raises(NothingFoundError, match="damaged, and left out"):
        plan_of(folder, "leave out")


def test_companions_of_a_recording_that_is_left_out_are_ignored_with_it(folder):
    os.truncate(folder / WHEEL.tif_names[0], 500)

    plan = plan_of(folder, "leave out")

    assert verdicts(plan)["90218-wheel_0001.h5"].reason == "its recording is damaged, and left out"


@pytest.mark.parametrize(
    ("choice", "outcome"),
    [
        (DamagedTifs.REFUSE, "it becomes an error"),
        (DamagedTifs.CUT, "it counts as damaged, of which the request says damaged_tifs = 'cut'"),
        (DamagedTifs.LEAVE_OUT, "it counts as damaged, of which the request says damaged_tifs = 'leave out'"),
    ],
)
def test_a_truncated_tif_that_may_be_growing_is_waited_for_whatever_the_request_says(folder, choice, outcome):
    aged(truncate(folder / LAST, 50))

    with pytest.raises(StillCopyingError, match=f"{LAST}.*has not changed for 60 min, {outcome}"):
        make_plan(replace(REQUEST, damaged_tifs=choice), scan(folder), {}, {})


def test_a_tif_whose_chain_ends_early_is_damaged_at_once(folder):
    path = scanimage.write_uneven_tif(folder / LAST)
    aged(end_chain_after(path, 2))

    with pytest.raises(DamagedError, match=f"{LAST}.*that are of none.*damaged_tifs"):
        make_plan(REQUEST, scan(folder), {}, {})


@pytest.mark.parametrize("choice", ["cut", "leave out"])
def test_plain_tifs_behind_a_damaged_one_are_refused_since_nothing_numbers_their_frames(tmp_path, choice):
    folder = write_plain_tifs(tmp_path / "day1", pages=(8, 5, 5))
    aged(truncate(folder / "movie_2.tif", 500))

    with pytest.raises(FormatError, match=r"movie_2\.tif.*movie_3\.tif goes on behind it"):
        plan_of(folder, choice, experiment_type="plain tifs")


def test_the_last_of_plain_tifs_is_cut_or_left_out(tmp_path):
    folder = write_plain_tifs(tmp_path / "day1", pages=(8, 5))
    path = folder / "movie_2.tif"
    tif_stacks.write_shaped_stack(path, np.stack(PAGE_NUMBERS))
    aged(truncate(path, 500))

    name = "90218-openfield"
    cut = files_of(plan_of(folder, "cut", experiment_type="plain tifs"), name)
    left = files_of(plan_of(folder, "leave out", experiment_type="plain tifs"), name)

    assert {file.name: file.pages_taken for file in cut.values()} == {"movie_1.tif": None, "movie_2.tif": 8}
    assert list(left) == ["movie_1.tif"]


def test_the_only_plain_tif_cannot_be_left_out(tmp_path):
    folder = write_plain_tifs(tmp_path / "day1", pages=(8,))
    aged(truncate(folder / "movie_1.tif", 500))

    with pytest.raises(FormatError, match=r"cannot be left out.*movie_1\.tif.*truncated.*no tif beside"):
        plan_of(folder, "leave out", experiment_type="plain tifs")


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        (OPEN_FIELD.tif_names[2], "raw tifs of acquisition 2"),
        (f"{OPEN_FIELD.name}_00001_preproc.tif", "motion-corrected tif"),
    ],
)
def test_neither_raw_nor_corrected_tifs_of_an_acquisition_are_left_out_alone(tmp_path, name, lacking):
    folder = tmp_path / "day1"
    write_recording(folder, OPEN_FIELD)
    write_preprocessed(folder, OPEN_FIELD)
    aged(truncate(folder / name, 500))

    with pytest.raises(FormatError, match=f"cannot be left out.*{name}.*truncated.*{lacking}"):
        plan_of(folder, "leave out", experiment_type="2Pminiscope_A preprocessed")


def test_a_corrected_movie_of_frames_that_are_cut_is_refused_with_the_damaged_file(tmp_path):
    write_recording(tmp_path, OPEN_FIELD)
    (corrected, _) = write_preprocessed(tmp_path, OPEN_FIELD)
    raw = [StackFile(tmp_path / name, 1) for name in OPEN_FIELD.tif_names[:2]]
    truncate(raw[1].path, 50)
    raw[1] = replace(raw[1], pages_taken=count_whole_pages(raw[1].path))
    files = StackFiles("tif_preprocessed", OPEN_FIELD.name, (StackFile(corrected, 1),), tuple(raw))

    with pytest.raises(FormatError, match=rf"14 pages.*{OPEN_FIELD.tif_names[1]}, damaged.*13 pages"):
        experiment_type("2Pminiscope_A preprocessed").read_tifs(files)


@pytest.mark.parametrize("choice", ["cut", "leave out"])
def test_volumes_behind_a_damaged_tif_are_refused(tmp_path, choice):
    settings = replace(scanimage.SETTINGS, num_planes=2)
    (tmp_path / "day1").mkdir()
    for number in (1, 2):
        path = tmp_path / "day1" / f"mouse_00001_{number:05d}.tif"
        aged(scanimage.write_tif(path, settings=settings, pages=PAGE_NUMBERS))
        settings = settings.after(len(PAGE_NUMBERS))
    aged(truncate(tmp_path / "day1" / FIRST, 50))

    with pytest.raises(FormatError, match=f"{FIRST}.*{MIDDLE} goes on behind it"):
        plan_of(tmp_path / "day1", choice)


def test_a_registered_cut_tif_stays_as_it_is_until_another_takes_its_place(folder):
    whole = (folder / LAST).read_bytes()
    aged(truncate(folder / LAST, 50))
    stored = {file.path: file for file in files_of(plan_of(folder, "cut")).values()}

    again = files_of(plan_of(folder, "refuse", stored))
    (folder / LAST).write_bytes(whole)
    mended = files_of(plan_of(folder, "refuse", stored))

    assert again[LAST].pages_taken == PAGES - 1
    assert mended[LAST].pages_taken is None


def test_a_tif_that_is_registered_may_be_behind_one_that_is_damaged_now(folder):
    stored = {file.path: file for file in files_of(plan_of(folder, "refuse")).values()}
    aged(truncate(folder / MIDDLE, 50))

    cut = files_of(plan_of(folder, "cut", stored))

    assert [cut[name].pages_taken for name in (FIRST, MIDDLE, LAST)] == [None, PAGES - 1, None]


def test_a_plain_tif_that_comes_behind_one_that_was_cut_is_refused(tmp_path):
    folder = write_plain_tifs(tmp_path / "day1", pages=(8,))
    tif_stacks.write_shaped_stack(folder / "movie_2.tif", np.stack(PAGE_NUMBERS))
    aged(truncate(folder / "movie_2.tif", 500))
    plain = {"experiment_type": "plain tifs"}
    registered = files_of(plan_of(folder, "cut", **plain), "90218-openfield")
    stored = {file.path: file for file in registered.values()}
    tif_stacks.write_shaped_stack(folder / "movie_3.tif", np.stack(PAGE_NUMBERS))

    with pytest.raises(FormatError, match=r"movie_2\.tif.*movie_3\.tif goes on behind it"):
        plan_of(folder, "refuse", stored, **plain)


def test_a_file_that_is_made_whole_differs_though_no_fingerprint_tells_it_apart():
    cut = FileRecord("moser", "day1/a.tif", 5000, COPIED, "0123456789abcdef", pages_taken=3)
    stored = DatasetRecord("tifs", "tif", "tif", "mouse", (cut,))
    mended = replace(stored, files=(replace(stored.files[0], pages_taken=None),))

    assert difference(stored, stored).kind is None
    assert difference(mended, stored).kind is Difference.CONTENT
    assert difference(mended, stored).reason == "replaced a.tif"
