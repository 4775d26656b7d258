"""Images of a Suite2p folder: what was averaged over the registered movie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.conversion_errors import conversion_errors
from imaging_pipeline.readers.suite2p.metadata import read_metadata
from imaging_pipeline.readers.suite2p.plane import PlaneOutput

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Projections:
    """Images of one plane, or of the canvas of all planes; float32 (height, width).

    Suite2p stores some only for the area that registration left valid: these have NaN outside of it. The
    canvas of all planes is 0 where no plane, or no valid area of one, is.

    Attributes
    ----------
    mean_image
        Mean of the registered frames.
    mean_image_enhanced
        The same, with the local contrast evened out.
    max_image
        Maximum over the binned movie.
    correlation_image
        Correlation of each pixel with its neighbours.
    mean_image_second, mean_image_second_corrected
        Mean of the second channel, and the same without the first channel's bleed-through.
    reference_image
        What the frames were registered to; None for ``combined``.
    x_range, y_range
        First valid column and row, and the one after the last.
    """

    mean_image: Image | None
    mean_image_enhanced: Image | None
    max_image: Image | None
    correlation_image: Image | None
    mean_image_second: Image | None
    mean_image_second_corrected: Image | None
    reference_image: Image | None
    x_range: tuple[int, int]
    y_range: tuple[int, int]


def read_projections(plane: PlaneOutput) -> Projections:
    """Read the images of a folder; an image that its run did not make is None.

    Raises
    ------
    OutputError
        An image is neither of the frames' size nor of the valid area's.
    """
    with conversion_errors(plane.folder):
        metadata = read_metadata(plane.folder, with_results=True)
        values = metadata.values
        height, width = metadata.frame_shape
        y_range, x_range = _range(values, "yrange", height), _range(values, "xrange", width)

        def image(key: str) -> Image | None:
            if values.get(key) is None:
                return None
            return full_frame(plane.folder, key, values[key], (height, width), y_range, x_range)

        return Projections(
            mean_image=image("meanImg"),
            mean_image_enhanced=image("meanImgE"),
            max_image=image("max_proj"),
            correlation_image=image("Vcorr"),
            mean_image_second=image("meanImg_chan2"),
            mean_image_second_corrected=image("meanImg_chan2_corrected"),
            # A combined folder carries the reference of its last plane only.
            reference_image=None if plane.plane is None else image("refImg"),
            x_range=x_range,
            y_range=y_range,
        )


def _range(values: Mapping[str, Any], key: str, size: int) -> tuple[int, int]:
    first, *_, last = values.get(key, (0, size))
    return int(first), int(last)


def full_frame(
    path: Path,
    name: str,
    values: ArrayLike,
    shape: tuple[int, ...],
    y_range: tuple[int, int],
    x_range: tuple[int, int],
) -> Image:
    """Return an image of the size of the frames, NaN where it is one of the valid area only.

    Parameters
    ----------
    path, name
        Where it is from, for errors to name.
    values
        The image, of the frames' ``shape`` or of the size of ``y_range`` and ``x_range``.

    Raises
    ------
    OutputError
        It is of another size.
    """
    image = np.asarray(values, dtype=np.float32)
    if image.shape == shape:
        return image
    valid = (y_range[1] - y_range[0], x_range[1] - x_range[0])
    if image.shape != valid:
        raise OutputError(
            f"The image {name} has a size of its own",
            path=path,
            found=image.shape,
            allowed=f"{shape} (the frames) or {valid} (the valid area)",
            remedy="Put back the file that belongs to the output: Suite2p writes images of no other size.",
        )
    full = np.full(shape, np.nan, dtype=np.float32)
    full[slice(*y_range), slice(*x_range)] = image
    return full
