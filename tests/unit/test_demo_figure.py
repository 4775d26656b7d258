import sys

import numpy as np
import pytest

from imaging_pipeline.demo.field_of_view import FieldSettings, make_field
from imaging_pipeline.demo.figure import SessionView, draw_session
from imaging_pipeline.demo.movie import MovieSettings, make_movie
from imaging_pipeline.errors import MissingPackageError

PNG = b"\x89PNG\r\n\x1a\n"


def view_of(num_cells):
    field = make_field(FieldSettings(height_px=96, width_px=96, num_cells=num_cells), seed=0)
    truth = make_movie(field, MovieSettings(), num_frames=200, seed=1).truth
    return SessionView(
        title="Animal 90218",
        mean_image=truth.mean_image,
        cell_ids=tuple(range(num_cells)),
        pixels=tuple(footprint.pixels for footprint in truth.footprints),
        df_f=truth.calcium,
        spikes=truth.spikes.astype(np.float32),
        # Two acquisitions with a pause between.
        times_s=np.arange(200) / 15 + np.repeat([0, 19], 100),
    )


@pytest.mark.parametrize("num_cells", [0, 1, 12])
def test_a_session_is_drawn_however_many_cells_it_has(tmp_path, num_cells):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    draw_session(view_of(num_cells), tmp_path / "session.png")
    assert (tmp_path / "session.png").read_bytes().startswith(PNG)


def test_unknown_samples_and_cropped_images_are_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    view = view_of(3)
    view.df_f[0] = np.nan
    view.mean_image[:5] = np.nan
    draw_session(view, tmp_path / "session.png")
    assert (tmp_path / "session.png").stat().st_size > 10_000


def test_without_matplotlib_the_error_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match="pip install"):
        draw_session(view_of(1), tmp_path / "session.png")
