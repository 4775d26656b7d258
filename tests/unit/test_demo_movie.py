import numpy as np
import pytest

from imaging_pipeline.demo.field_of_view import FieldSettings, make_field
from imaging_pipeline.demo.movie import MovieSettings, make_movie
from imaging_pipeline.errors import InputError

SMALL = FieldSettings(height_px=64, width_px=72, num_cells=4)


def small_movie(num_frames=300, seed=1, **settings):
    return make_movie(make_field(SMALL, seed=0), MovieSettings(**settings), num_frames, seed)


def pixels_of(movie):
    return np.concatenate(list(movie.chunks()))


def test_frames_are_int16_and_as_many_as_requested():
    pixels = pixels_of(small_movie(num_frames=250))
    assert (pixels.shape, pixels.dtype) == ((250, 64, 72), np.int16)


def test_the_same_seed_gives_the_same_movie_and_another_seed_another():
    movie = small_movie()
    np.testing.assert_array_equal(pixels_of(movie), pixels_of(movie))
    np.testing.assert_array_equal(pixels_of(movie), pixels_of(small_movie()))
    assert (pixels_of(movie) != pixels_of(small_movie(seed=2))).any()


def test_cells_are_apart_from_each_other_and_from_the_edge():
    field = make_field(FieldSettings(), seed=3)
    y, x = field.centres_px.T
    assert min(y.min(), x.min()) > 5.5
    assert max(y.max(), x.max()) < 144 - 5.5
    distances_px = np.hypot(y[:, None] - y, x[:, None] - x) + 1e9 * np.eye(30)
    assert distances_px.min() >= 2 * 5.5


def test_more_cells_than_fit_are_refused_with_how_many_would():
    with pytest.raises(InputError, match=r"500 cells.*Allowed: up to \d+"):
        make_field(FieldSettings(height_px=64, width_px=64, num_cells=500), seed=0)


def test_calcium_rises_with_spikes_and_decays_in_the_stated_time():
    truth = small_movie(num_frames=2000, decay_s=0.5).truth
    calcium, spikes = truth.calcium[0], truth.spikes[0]
    alone = [t for t in np.flatnonzero(spikes) if spikes[max(t - 60, 0) : t + 30].sum() == 1 and t < 1960]
    decay = calcium[alone[0] + 15] / calcium[alone[0] + 5]
    assert decay == pytest.approx(np.exp(-10 / 15 / 0.5), rel=0.05)
    assert not calcium[: np.flatnonzero(spikes)[0]].any()


def test_a_cells_pixels_follow_its_calcium():
    movie = small_movie(num_frames=600, drift_px=0.5, spike_rate_hz=0.5)
    still = (movie.truth.y_drift_px == 0) & (movie.truth.x_drift_px == 0)
    pixels = pixels_of(movie)[still]
    for footprint, calcium in zip(movie.truth.footprints, movie.truth.calcium, strict=True):
        trace = pixels[:, *footprint.pixels].mean(axis=1)
        assert np.corrcoef(trace, calcium[still])[0, 1] > 0.9


def test_the_image_is_moved_by_the_stated_drift():
    movie = small_movie(num_frames=200, drift_px=4.0, photon_counts=0.1, read_noise_counts=0)
    pixels = pixels_of(movie).astype(float)
    frame = int(np.argmax(movie.truth.y_drift_px))
    moved = np.roll(
        movie.truth.mean_image, (movie.truth.y_drift_px[frame], movie.truth.x_drift_px[frame]), axis=(0, 1)
    )
    inside = (slice(8, -8), slice(8, -8))
    assert movie.truth.y_drift_px[frame] >= 3
    unmoved = np.corrcoef(pixels[frame][inside].ravel(), movie.truth.mean_image[inside].ravel())[0, 1]
    assert np.corrcoef(pixels[frame][inside].ravel(), moved[inside].ravel())[0, 1] > 0.95 > unmoved


def test_noise_is_that_of_counted_photons():
    movie = small_movie(
        num_frames=800,
        drift_px=0.01,
        response=0.0,
        read_noise_counts=0.0,
        offset_counts=0.0,
        photon_counts=5.0,
    )
    still = (movie.truth.y_drift_px == 0) & (movie.truth.x_drift_px == 0)
    pixels = pixels_of(movie)[still].astype(float)
    # Between neighbouring frames the neuropil hardly changes: what differs is noise.
    variance = np.diff(pixels, axis=0).var(axis=0) / 2
    assert variance.mean() == pytest.approx(5.0 * pixels.mean(), rel=0.1)


def test_drift_beyond_the_tissue_is_refused():
    with pytest.raises(InputError, match="up to 8 px"):
        small_movie(drift_px=9)


def test_a_cell_that_never_fires_is_distinguished_from_the_others():
    truth = small_movie(num_frames=300, spike_rate_hz=0.02).truth
    np.testing.assert_array_equal(truth.is_active, truth.spikes.sum(axis=1) > 0)
    assert not truth.is_active.all()
