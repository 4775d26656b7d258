"""How far the frames of a plane had moved, as Suite2p found when it registered them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.conversion_errors import conversion_errors
from imaging_pipeline.readers.suite2p.metadata import read_metadata
from imaging_pipeline.readers.suite2p.plane import RESULTS, PlaneOutput, lacks_results

_OF_EACH_FRAME = ("xoff", "yoff", "corrXY", "badframes", "xoff1", "yoff1")


@dataclass(frozen=True)
class PrincipalComponents:
    """Suite2p's measure of what motion is left, for K principal components of the registered movie.

    Attributes
    ----------
    time_courses
        float32 (frames sampled, K).
    low_images, high_images
        float32 (K, height, width): means of the frames lowest and highest on each component.
    rigid_shift_px, nonrigid_shift_px, max_nonrigid_shift_px
        float64 (K,): shift between the two images, as a whole, mean and largest of the blocks.
    """

    time_courses: NDArray[np.float32]
    low_images: NDArray[np.float32]
    high_images: NDArray[np.float32]
    rigid_shift_px: NDArray[np.float64]
    nonrigid_shift_px: NDArray[np.float64]
    max_nonrigid_shift_px: NDArray[np.float64]


@dataclass(frozen=True)
class Motion:
    """Registration of the T frames of one plane.

    Attributes
    ----------
    x_offset, y_offset
        int64 (T,), pixels by which each frame lies further right and down than the reference. Suite2p moved
        the frame by minus that.
    correlation
        float32 (T,), of each frame with the reference; NaN where nothing was registered.
    bad_frames
        bool (T,), frames that were left out when cells were looked for.
    x_offset_blocks, y_offset_blocks
        float32 (T, blocks), pixels by which each block lies further than that; None for a rigid registration.
    components
        What motion is left; None for fewer than 1,500 frames, or if the run did not compute it.
    """

    x_offset: NDArray[np.int64]
    y_offset: NDArray[np.int64]
    correlation: NDArray[np.float32]
    bad_frames: NDArray[np.bool_]
    x_offset_blocks: NDArray[np.float32] | None
    y_offset_blocks: NDArray[np.float32] | None
    components: PrincipalComponents | None


def read_motion(plane: PlaneOutput) -> Motion:
    """Read how far the frames of a plane had moved; offsets of 0 where the run registered nothing.

    Raises
    ------
    OutputError
        For ``combined``, which carries the offsets of its last plane only: read each plane. Also where
        a value of each frame is there for more or fewer frames.
    """
    with conversion_errors(plane.folder):
        if plane.plane is None:
            raise OutputError(
                "The motion of several planes is not one motion",
                path=plane.folder,
                found="a combined folder, which has the offsets of its last plane only",
                remedy="Read each plane's own folder.",
            )
        if lacks_results(plane.folder):
            raise OutputError(
                "A Suite2p folder lacks what was found when its frames were registered",
                path=plane.folder / RESULTS,
                remedy="Copy the file there from where Suite2p ran.",
            )
        values = read_metadata(plane.folder, with_results=True).values
        frames = plane.num_frames
        for name in _OF_EACH_FRAME:
            if values.get(name) is not None:
                require_num_frames(plane.folder, name, len(values[name]), frames)
        return Motion(
            x_offset=np.asarray(values.get("xoff", np.zeros(frames)), dtype=np.int64),
            y_offset=np.asarray(values.get("yoff", np.zeros(frames)), dtype=np.int64),
            correlation=np.asarray(values.get("corrXY", np.full(frames, np.nan)), dtype=np.float32),
            bad_frames=np.asarray(values.get("badframes", np.zeros(frames)), dtype=np.bool_),
            x_offset_blocks=_blocks(values, "xoff1"),
            y_offset_blocks=_blocks(values, "yoff1"),
            components=_components(values),
        )


def require_num_frames(path: Path, name: str, num_values: int, num_frames: int) -> None:
    """Check that there is a value for each frame: sessions take theirs by the frame's number.

    Raises
    ------
    OutputError
        There are more, or fewer.
    """
    if num_values != num_frames:
        raise OutputError(
            "There are not as many values of the registration as frames",
            path=path,
            found=f"{name} of {num_values}",
            allowed=num_frames,
            remedy="Put back the files that belong together; a folder or file mixed from two runs cannot be"
            " imported.",
        )


def _blocks(values: Mapping[str, Any], key: str) -> NDArray[np.float32] | None:
    return None if values.get(key) is None else np.asarray(values[key], dtype=np.float32)


def _components(values: Mapping[str, Any]) -> PrincipalComponents | None:
    if any(values.get(key) is None for key in ("tPC", "regPC", "regDX")):
        return None
    low, high = np.asarray(values["regPC"], dtype=np.float32)
    shifts = np.asarray(values["regDX"], dtype=np.float64)
    return PrincipalComponents(
        time_courses=np.asarray(values["tPC"], dtype=np.float32),
        low_images=low,
        high_images=high,
        rigid_shift_px=shifts[:, 0],
        nonrigid_shift_px=shifts[:, 1],
        max_nonrigid_shift_px=shifts[:, 2],
    )
