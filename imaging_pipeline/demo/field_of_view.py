"""A synthetic field of view: where the cells are, how they look and what lies around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import InputError

NUCLEUS_SHADE = 0.6
"""Fraction of the light that is missing in the middle of a cell: the nucleus has no indicator."""

OUTLINE_WEIGHT = 0.2
"""Fraction of a cell's brightness from which on a pixel belongs to its outline."""

NUM_NEUROPIL_MODES = 4
MAX_ATTEMPTS = 20_000
"""Random places that are tried in all: a field that is too full ends in an error, not in an endless loop."""


@dataclass(frozen=True)
class FieldSettings:
    """Size of a field of view and brightness of what is in it.

    Attributes
    ----------
    height_px, width_px
        Size of the image.
    num_cells
        Cells in it.
    radius_px
        Mean radius of a cell.
    resting_counts, neuropil_counts
        Mean brightness of a cell at rest and of the neuropil around it, in digitizer counts.
    margin_px
        Tissue beyond each edge of the image, which drift can move into view.
    """

    height_px: int = 144
    width_px: int = 144
    num_cells: int = 30
    radius_px: float = 5.5
    resting_counts: float = 100.0
    neuropil_counts: float = 80.0
    margin_px: int = 8


@dataclass(frozen=True)
class Footprint:
    """The pixels of one cell.

    Attributes
    ----------
    y, x
        int64 (P,), in pixels of the image without its margin.
    weights
        float32 (P,), the fraction of the cell's brightness in a pixel, up to 1.
    """

    y: NDArray[np.int64]
    x: NDArray[np.int64]
    weights: NDArray[np.float32]

    @property
    def pixels(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return y and x of the pixels with a fifth of the cell's brightness or more."""
        is_bright = self.weights >= OUTLINE_WEIGHT
        return self.y[is_bright], self.x[is_bright]


@dataclass(frozen=True)
class FieldOfView:
    """Cells and neuropil at rest, without drift.

    Attributes
    ----------
    settings
        The settings from which it was made.
    centres_px
        float32 (N, 2), y and x of the cells in the image without its margin.
    footprints
        The N cells' pixels.
    resting_counts
        float32 (N,), brightness of each cell at rest.
    neuropil
        float32 (H, W) with margins, brightness of the neuropil.
    neuropil_modes
        float32 (M, H, W) with margins, patterns in which the neuropil brightens and dims.
    """

    settings: FieldSettings
    centres_px: NDArray[np.float32]
    footprints: tuple[Footprint, ...]
    resting_counts: NDArray[np.float32]
    neuropil: NDArray[np.float32]
    neuropil_modes: NDArray[np.float32]

    @property
    def num_cells(self) -> int:
        """Number of cells."""
        return len(self.footprints)

    def cell_maps(self) -> NDArray[np.float32]:
        """Return float32 (N, H, W) with margins: each cell's brightness at rest in each pixel."""
        margin = self.settings.margin_px
        maps = np.zeros((self.num_cells, *self.neuropil.shape), np.float32)
        for cell_map, footprint, counts in zip(maps, self.footprints, self.resting_counts, strict=True):
            cell_map[footprint.y + margin, footprint.x + margin] = footprint.weights * counts
        return maps

    def mean_image(self) -> NDArray[np.float32]:
        """Return float32 (height, width): the field at rest, without its margin."""
        margin = self.settings.margin_px
        resting: NDArray[np.float32] = self.neuropil + self.cell_maps().sum(axis=0)
        return resting[margin:-margin, margin:-margin]


def make_field(settings: FieldSettings, seed: int) -> FieldOfView:
    """Return a random field of view; the same seed gives the same one.

    Raises
    ------
    InputError
        The cells do not fit.
    """
    # A stream for each, so that another number of cells, say, leaves the tissue as it is.
    positions, shapes, tissue = (np.random.default_rng([seed, stream]) for stream in range(3))
    centres_px = _centres(positions, settings)
    shape = (settings.height_px + 2 * settings.margin_px, settings.width_px + 2 * settings.margin_px)
    return FieldOfView(
        settings=settings,
        centres_px=centres_px,
        footprints=tuple(_footprint(shapes, centre, settings) for centre in centres_px),
        resting_counts=_lognormal(shapes, settings.resting_counts, 0.25, settings.num_cells),
        neuropil=_neuropil(tissue, shape, settings.neuropil_counts),
        neuropil_modes=np.stack([_clouds(tissue, shape, 25.0) for _ in range(NUM_NEUROPIL_MODES)]),
    )


def _centres(rng: np.random.Generator, settings: FieldSettings) -> NDArray[np.float32]:
    """Return random centres that are apart from each other and from the edge, whatever the drift."""
    edge_distance = settings.radius_px + settings.margin_px / 2
    # Cells of mean size are a tenth of a diameter apart.
    min_distance = 2.2 * settings.radius_px
    size = np.array([settings.height_px, settings.width_px])
    centres = np.empty((0, 2))
    for candidate in rng.uniform(edge_distance, size - edge_distance, (MAX_ATTEMPTS, 2)):
        if len(centres) == settings.num_cells:
            break
        if (np.hypot(*(centres - candidate).T) >= min_distance).all():
            centres = np.vstack([centres, candidate])
    if len(centres) < settings.num_cells:
        raise InputError(
            "So many cells do not fit into the field of view",
            found=f"{settings.num_cells} cells of radius {settings.radius_px} px in {size[0]} × {size[1]} px",
            allowed=f"up to {len(centres)} cells there",
            remedy="Ask for fewer cells or a larger image.",
        )
    return centres.astype(np.float32)


def _footprint(rng: np.random.Generator, centre: NDArray[np.float32], settings: FieldSettings) -> Footprint:
    """Return a random cell: a soft ellipse, dark in the middle where its nucleus is."""
    radius = settings.radius_px * rng.uniform(0.85, 1.15)
    stretch, angle = rng.uniform(0.88, 1.14), rng.uniform(0, np.pi)
    reach = int(np.ceil(2 * radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1] + np.rint(centre).astype(int)[:, None, None]
    dy, dx = y - centre[0], x - centre[1]
    along = (np.cos(angle) * dx + np.sin(angle) * dy) * stretch / radius
    across = (np.cos(angle) * dy - np.sin(angle) * dx) / (stretch * radius)
    distance = np.hypot(along, across)
    # The distance is 1 at the edge of the cell, where half of the brightness is left.
    membrane = 1 / (1 + np.exp(8 * (distance - 1)))
    weights = membrane * (1 - NUCLEUS_SHADE * np.exp(-((distance / 0.45) ** 2)))
    lit = (weights > 0.02) & (y >= 0) & (y < settings.height_px) & (x >= 0) & (x < settings.width_px)
    return Footprint(y[lit], x[lit], weights[lit].astype(np.float32))


def _neuropil(rng: np.random.Generator, shape: tuple[int, int], counts: float) -> NDArray[np.float32]:
    """Return random neuropil: coarse clouds, fine grain and a few dark vessels."""
    texture = 1 + 0.25 * _clouds(rng, shape, 20.0) + 0.12 * _clouds(rng, shape, 1.5)
    # A contour line of smooth noise winds and branches as a vessel does.
    vessels = np.exp(-0.5 * (_clouds(rng, shape, 18.0) / 0.06) ** 2)
    lit: NDArray[np.float32] = counts * np.maximum(texture, 0.1) * (1 - 0.7 * vessels)
    return lit


def _clouds(rng: np.random.Generator, shape: tuple[int, int], size_px: float) -> NDArray[np.float32]:
    """Return smooth noise with mean 0 and standard deviation 1, in clouds of ``size_px``."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(rng.standard_normal(shape), size_px, mode="wrap")
    clouds: NDArray[np.float32] = ((noise - noise.mean()) / noise.std()).astype(np.float32)
    return clouds


def _lognormal(rng: np.random.Generator, median: float, spread: float, size: int) -> NDArray[np.float32]:
    """Return random positive values around a median, with a relative spread."""
    return (median * rng.lognormal(0.0, spread, size)).astype(np.float32)
