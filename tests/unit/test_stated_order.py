"""What the text of a tif says of its pages, against what is said of the recording."""

import numpy as np
import pytest
import tifffile

from imaging_pipeline.errors import FormatError, TruncatedError
from imaging_pipeline.experiments.recognised import StackFile, StackFiles
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.readers.session_json import read_session_json
from imaging_pipeline.readers.tiff.recorded import iter_pages, read_plain_tif
from tests.makers import scanimage
from tests.makers.folders import aged
from tests.makers.plain_tifs import write_session_json
from tests.makers.preprocessed import write_preprocessed
from tests.makers.recordings import OPEN_FIELD, write_recording
from tests.makers.tif_stacks import write_imagej_stack

MOVIE = np.random.default_rng(0).integers(1, 3000, (40, 12, 16), np.uint16)


def write_tifffile(path, movie, *, axes):
    tifffile.imwrite(path, movie, photometric="minisblack", metadata={"axes": axes})
    return aged(path)


def write_without_letters(path, movie, *, axes):
    tifffile.imwrite(path, movie, photometric="minisblack")
    return aged(path)


def write_ome(path, movie, *, axes):
    tifffile.imwrite(path, movie, photometric="minisblack", ome=True, metadata={"axes": axes})
    return aged(path)


WRITERS = [write_imagej_stack, write_tifffile, write_without_letters, write_ome]
LETTERED = [write_imagej_stack, write_tifffile, write_ome]


def shaped(*lengths):
    return MOVIE.reshape(*lengths, *MOVIE.shape[1:])


def read(path, planes=1, channels=1, pages_taken=None):
    said = write_session_json(path.parent, num_planes=planes, num_channels=channels)
    return read_plain_tif(path, read_session_json(said), pages_taken)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("axes", "lengths", "planes", "channels"),
    [
        ("TYX", (40,), 1, 1),
        ("TYX", (40,), 4, 2),
        ("ZYX", (40,), 1, 2),
        ("CYX", (40,), 1, 1),
        ("TCYX", (20, 2), 1, 2),
        ("TZYX", (10, 4), 4, 1),
        ("TCYX", (5, 8), 1, 8),
        ("TZCYX", (5, 4, 2), 4, 2),
    ],
)
def test_a_stack_in_the_order_that_is_said_is_read(tmp_path, write, axes, lengths, planes, channels):
    tif = read(write(tmp_path / "a.tif", shaped(*lengths), axes=axes), planes, channels)

    np.testing.assert_array_equal(np.stack(list(iter_pages(tif, range(40)))), MOVIE)


@pytest.mark.parametrize("write", LETTERED)
@pytest.mark.parametrize(
    ("axes", "lengths", "planes", "channels"),
    [
        ("TCYX", (20, 2), 1, 1),
        ("TCYX", (20, 2), 2, 1),
        ("TZYX", (10, 4), 1, 1),
        ("TZYX", (10, 4), 2, 1),
        ("TZCYX", (5, 4, 2), 2, 2),
    ],
)
def test_a_stack_of_other_channels_or_planes_than_are_said_is_refused(
    tmp_path, write, axes, lengths, planes, channels
):
    path = write(tmp_path / "a.tif", shaped(*lengths), axes=axes)
    found = " × ".join(f"{length} \\({axis}\\)" for length, axis in zip(lengths, axes, strict=False))

    with pytest.raises(FormatError, match=rf"a\.tif.*{found}.*channels \({channels}\) fastest"):
        read(path, planes, channels)


@pytest.mark.parametrize("write", [write_tifffile, write_without_letters, write_ome])
@pytest.mark.parametrize(
    ("axes", "lengths", "planes", "channels"),
    [("CTYX", (2, 20), 1, 2), ("ZTYX", (4, 10), 4, 1), ("TCZYX", (5, 2, 4), 4, 2)],
)
def test_a_stack_whose_channels_or_planes_are_not_the_fastest_is_refused(
    tmp_path, write, axes, lengths, planes, channels
):
    path = write(tmp_path / "a.tif", shaped(*lengths), axes=axes)

    with pytest.raises(FormatError, match=rf"order of its pages.*a\.tif.*{lengths[0]}.* × {lengths[1]}"):
        read(path, planes, channels)


def test_one_file_of_several_that_ome_describes_together_is_read(tmp_path):
    path = write_ome(tmp_path / "a.tif", shaped(2, 20), axes="CTYX")
    with tifffile.TiffFile(path) as tif:
        text = tif.pages[0].description
    tifffile.imwrite(path, MOVIE[:20], photometric="minisblack", description=text, metadata=None)

    assert read(aged(path)).num_pages == 20


def test_a_cut_stack_states_its_order_too(tmp_path):
    path = write_imagej_stack(tmp_path / "a.tif", shaped(20, 2), axes="TCYX")
    scanimage.truncate(path, 1000)

    with pytest.raises(TruncatedError):
        read(path, channels=2)
    assert read(path, channels=2, pages_taken=36).num_pages == 36
    with pytest.raises(FormatError, match="order of its pages"):
        read(path, channels=1, pages_taken=36)


def test_a_corrected_movie_of_other_channels_than_its_raw_tifs_is_refused(tmp_path):
    raw = write_recording(tmp_path, OPEN_FIELD)
    (corrected, _) = write_preprocessed(tmp_path, OPEN_FIELD)
    pages = tifffile.imread(corrected)
    write_tifffile(corrected, pages.reshape(-1, 2, *pages.shape[1:]), axes="TCYX")
    files = [StackFile(path, number) for path, number in zip(raw, (1, 1, 2), strict=True)]

    with pytest.raises(FormatError, match=rf"{corrected.name}.*2 \(C\).*channels \(1\) fastest"):
        experiment_type("2Pminiscope_A preprocessed").read_tifs(
            StackFiles("tif_preprocessed", OPEN_FIELD.name, (StackFile(corrected, 1),), tuple(files))
        )


@pytest.mark.parametrize("calibration", [{"cf": 0, "c0": -32768}, {"cf": 0, "c0": "1,5"}, {"cf": 20}])
def test_pixels_that_imagej_shifted_are_refused(tmp_path, calibration):
    path = write_imagej_stack(tmp_path / "a.tif", MOVIE + 2**15, **calibration)

    with pytest.raises(FormatError, match=rf"a\.tif.*cf={calibration['cf']}.*wrote them"):
        read(path)


@pytest.mark.parametrize("calibration", [{"cf": 0, "c0": "0.0", "c1": 1}, {"cf": 0, "c0": 0, "c1": 2.5}, {}])
def test_pixels_that_imagej_left_at_zero_are_read(tmp_path, calibration):
    assert read(write_imagej_stack(tmp_path / "a.tif", MOVIE, **calibration)).num_pages == 40


@pytest.mark.parametrize("digits", [10, 5000])
def test_numbers_that_no_stack_has_are_not_taken(tmp_path, digits):
    path = write_imagej_stack(tmp_path / "a.tif", MOVIE, truncate=False, frames="9" * digits)

    assert read(path).num_pages == 40
    text = f"ImageJ=1.53t\nimages={'9' * digits}\n"
    tifffile.imwrite(path, MOVIE[:1], photometric="minisblack", description=text, metadata=None)
    assert read(aged(path)).num_pages == 1
