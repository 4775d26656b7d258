"""The demo's picture of a session: the outlines of its cells, and traces of some."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.analysis.matching import Pixels
from imaging_pipeline.analysis.sample_times import gapless_starts
from imaging_pipeline.errors import MissingPackageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NUM_TRACES = 10
DPI = 150
OTHERS_COLOUR = "#d5dde5"
SPIKE_COLOUR = "#20262e"


@dataclass(frozen=True)
class SessionView:
    """The data of the picture of a session: N cells, T frames.

    Attributes
    ----------
    title
        A line above the picture.
    mean_image
        (height, width), in counts.
    cell_ids
        The N cells' numbers.
    pixels
        y and x of each cell's pixels.
    df_f
        (N, T), dF/F; may hold NaN.
    spikes
        (N, T), filtered spikes, 0 where there is none.
    times_s
        (T,), when the frames were taken, seconds since the first.
    """

    title: str
    mean_image: NDArray[np.floating]
    cell_ids: tuple[int, ...]
    pixels: tuple[Pixels, ...]
    df_f: NDArray[np.floating]
    spikes: NDArray[np.floating]
    times_s: NDArray[np.float64]


def draw_session(view: SessionView, target: Path) -> None:
    """Write a PNG: the mean image with the cells' outlines beside traces of the most active cells.

    Raises
    ------
    MissingPackageError
        Matplotlib is not installed.
    """
    try:
        from matplotlib import colormaps
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingPackageError(
            "Pictures need matplotlib, which is not installed",
            remedy="Install it: pip install 'imaging-pipeline[demo]'.",
        ) from error
    # Not by pyplot, which keeps each figure and may need a display.
    figure = Figure(figsize=(12.5, 5.8), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(view.title, fontsize=11)
    image_axes, trace_axes = figure.subplots(1, 2, width_ratios=(1, 1.25))
    shown = _most_active(view)
    # The ends of this map are too dark for a grey image.
    colours = {cell: colormaps["turbo"](0.14 + 0.76 * rank / len(shown)) for rank, cell in enumerate(shown)}
    _draw_outlines(image_axes, view, colours)
    _draw_traces(trace_axes, view, colours)
    figure.savefig(target, dpi=DPI)


def _most_active(view: SessionView) -> list[int]:
    """Return the cells whose dF/F varies most above its noise, in the order of their numbers."""
    if not view.cell_ids:
        return []
    df_f = np.nan_to_num(view.df_f.astype(np.float64))
    # From frame to frame noise changes and calcium hardly does; 1e-9 avoids a division by 0.
    noise = np.median(np.abs(np.diff(df_f, axis=1)), axis=1) + 1e-9
    activity = np.percentile(df_f, 99, axis=1) / noise
    return sorted(np.argsort(-activity, kind="stable")[:NUM_TRACES].tolist())


def _draw_outlines(axes: Axes, view: SessionView, colours: dict[int, Any]) -> None:
    from matplotlib.patheffects import withStroke

    darkest, brightest = np.nanpercentile(view.mean_image, (1, 99.7))
    axes.imshow(view.mean_image, cmap="gray", vmin=darkest, vmax=brightest, interpolation="nearest")
    for cell, (cell_id, (y, x)) in enumerate(zip(view.cell_ids, view.pixels, strict=True)):
        colour = colours.get(cell, OTHERS_COLOUR)
        mask = np.zeros(view.mean_image.shape)
        mask[y, x] = 1
        axes.contour(mask, levels=[0.5], colors=[colour], linewidths=1.6 if cell in colours else 0.8)
        # Numbers stand out from dark neuropil and bright cells alike.
        axes.annotate(
            str(cell_id),
            (x.max(), y.min()),
            xytext=(1, 1),
            textcoords="offset points",
            color=colour,
            fontsize=8,
            fontweight="bold" if cell in colours else "normal",
            path_effects=[withStroke(linewidth=2, foreground="black")],
        )
    axes.set(title=f"Mean image, {len(view.cell_ids)} cells", xlabel="x (px)", ylabel="y (px)")


def _draw_traces(axes: Axes, view: SessionView, colours: dict[int, Any]) -> None:
    time_s = view.times_s
    axes.set(title="dF/F, and filtered spikes below each trace", xlabel="time (s)", ylabel="cell")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_xlim(0, time_s[-1] if len(time_s) else 1)
    step = 1.1 * max((_height(view.df_f[cell]) for cell in colours), default=1.0)
    for row, (cell, colour) in enumerate(colours.items()):
        base = -row * step
        for stretch in _stretches(time_s):
            axes.plot(time_s[stretch], view.df_f[cell][stretch] + base, color=colour, linewidth=0.8)
        spikes_s = time_s[view.spikes[cell] > 0]
        axes.vlines(spikes_s, base - 0.24 * step, base - 0.12 * step, color=SPIKE_COLOUR, linewidth=0.6)
    axes.set_yticks(
        [-row * step for row in range(len(colours))], [str(view.cell_ids[cell]) for cell in colours]
    )
    axes.tick_params(axis="y", length=0)
    _draw_scale(axes, step, time_s)


def _stretches(time_s: NDArray[np.float64]) -> list[slice]:
    """Return the samples between gaps: no line is drawn over what was not recorded."""
    starts = gapless_starts(time_s)
    return [slice(first, end) for first, end in zip(starts, [*starts[1:], len(time_s)], strict=True)]


def _height(df_f: NDArray[np.floating]) -> float:
    return max(float(np.percentile(np.nan_to_num(df_f), 99.8)), 0.1)


def _draw_scale(axes: Axes, step: float, time_s: NDArray[np.float64]) -> None:
    """Draw a scale bar of a power of ten of dF/F, right of the traces."""
    if not len(time_s):
        return
    height = 10 ** np.floor(np.log10(step))
    x_s = 1.01 * time_s[-1]
    axes.plot([x_s, x_s], [0, height], color=SPIKE_COLOUR, linewidth=2, clip_on=False)
    axes.annotate(
        f"{height:g} dF/F",
        (x_s, height / 2),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        rotation=90,
        annotation_clip=False,
    )
