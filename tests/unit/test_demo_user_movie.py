from pathlib import Path

import numpy as np
import pytest
import tifffile

from imaging_pipeline.demo.scanimage_file import ScanImageSettings, write_stack
from imaging_pipeline.demo.user_movie import open_movie
from imaging_pipeline.errors import DamagedError, FormatError, InputError
from tests.makers.tif_stacks import end_chain_after

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"


def noise(num_frames=120, height=40, width=50, highest=900):
    return np.random.default_rng(0).integers(0, highest, (num_frames, height, width)).astype(np.int16)


def read(path):
    return np.concatenate(list(open_movie(path).chunks()))


def write_npy(path, pixels):
    np.save(path.with_suffix(".npy"), pixels)
    return path.with_suffix(".npy")


def write_pages(path, pixels):
    with tifffile.TiffWriter(path) as tif:
        for frame in pixels:
            tif.write(frame, contiguous=False, metadata=None)


WRITERS = {
    "contiguous": lambda path, pixels: tifffile.imwrite(path, pixels),
    "compressed": lambda path, pixels: tifffile.imwrite(path, pixels, compression="zlib"),
    "page by page": write_pages,
    "ImageJ": lambda path, pixels: tifffile.imwrite(path, pixels, imagej=True),
    "ScanImage": lambda path, pixels: write_stack(path, pixels, ScanImageSettings(frame_rate_hz=30.0)),
}


def test_an_int16_array_is_unchanged_and_stays_on_the_disk(tmp_path):
    path = write_npy(tmp_path / "movie", noise())
    movie = open_movie(path)
    assert isinstance(movie.pixels, np.memmap)
    assert not movie.is_scaled
    np.testing.assert_array_equal(read(path), noise())


@pytest.mark.parametrize("kind", WRITERS)
def test_tif_stacks_are_read(tmp_path, kind):
    path = tmp_path / "movie.tif"
    WRITERS[kind](path, noise())
    np.testing.assert_array_equal(read(path), noise())


@pytest.mark.parametrize("kind", WRITERS)
def test_a_truncated_tif_is_refused_with_its_name(tmp_path, kind):
    path = tmp_path / "movie.tif"
    WRITERS[kind](path, noise())
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 19 // 20])
    with pytest.raises(FormatError, match=r"movie\.tif"):
        open_movie(path)


def test_a_tif_of_which_no_directory_names_most_pages_is_refused(tmp_path):
    path = tmp_path / "movie.tif"
    WRITERS["page by page"](path, noise())
    end_chain_after(path, 2)

    with pytest.raises(DamagedError, match=r"2 pages, and \d+ bytes.*that are of none"):
        open_movie(path)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", ">i4", "int64"])
def test_whole_numbers_that_fit_are_unchanged(tmp_path, dtype):
    pixels = noise(highest=200)
    np.testing.assert_array_equal(read(write_npy(tmp_path / "movie", pixels.astype(dtype))), pixels)


@pytest.mark.parametrize(
    "pixels",
    [
        noise() / np.float32(900),
        noise().astype(np.float64) - 1e6,
        noise().astype(np.uint16) * 70,
        noise() * 1e4,
    ],
)
def test_other_values_are_mapped_from_their_own_range(tmp_path, pixels):
    counts = read(write_npy(tmp_path / "movie", pixels))
    assert (counts.min(), counts.max()) == (0, 30_000)
    np.testing.assert_allclose(counts, (pixels - pixels.min()) / np.ptp(pixels) * 30_000, atol=0.6)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (noise()[0], r"three dimensions.*\(40, 50\)"),
        (noise()[..., None], r"three dimensions.*\(120, 40, 50, 1\)"),
        (noise(num_frames=99), "99 frames.*100 or more"),
        (noise(width=20), "40 × 20 px"),
        (noise() > 3, "bool"),
        (noise().astype(complex), "complex128"),
        (noise() * 0, "equal"),
        (np.where(noise() > 800, np.nan, 1.0), "nan"),
        (np.where(noise() > 800, np.inf, 1.0), "inf"),
    ],
)
def test_what_is_no_movie_is_refused_with_what_was_found(tmp_path, pixels, message):
    with pytest.raises(InputError, match=message):
        open_movie(write_npy(tmp_path / "movie", pixels))


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.avi.*\.npy, \.tif"):
        open_movie(tmp_path / "movie.avi")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="not there"):
        open_movie(tmp_path / "movie.npy")


@pytest.mark.parametrize("name", ["movie.npy", "movie.tif"])
def test_a_file_that_only_has_the_name_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"no pixels at all")
    with pytest.raises(FormatError, match="cannot be read"):
        open_movie(tmp_path / name)


def test_arrays_of_objects_are_never_unpickled(tmp_path):
    path = tmp_path / "movie.npy"
    np.save(path, np.array([{}] * 200), allow_pickle=True)
    with pytest.raises(FormatError, match="cannot be read"):
        open_movie(path)


def test_several_channels_are_refused_and_not_taken_for_frames(tmp_path):
    path = tmp_path / "movie.tif"
    write_stack(path, noise(), ScanImageSettings(frame_rate_hz=30.0, channels=(1, 2)))
    with pytest.raises(InputError, match="2 channels, 1 planes"):
        open_movie(path)


def test_a_real_movie_is_read():
    path = SAMPLES / "two_photon_movie" / "thunder_mouse_500x64x64_int16.npy"
    if not path.exists():
        pytest.skip("the sample movie is not here")
    pixels = read(path)
    assert (pixels.shape, pixels.min(), pixels.max()) == ((500, 64, 64), 0, 909)
