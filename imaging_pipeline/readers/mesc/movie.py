"""The channels of a ``.mesc`` time series: checked, sampled and averaged, never loaded whole."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline import progress
from imaging_pipeline.readers.mesc.curves import CURVE_VALUES
from imaging_pipeline.readers.mesc.unit import Unit, numbered

# Rows of a channel, and values of a curve. With another number every stored measurement would seem replaced.
_NUM_SAMPLES = 8
# Of 4096 × 4096 px in four bytes, four times as wide and high as any microscope records.
_MAX_FRAME_BYTES = 64 * 2**20
# In the order of a channel's axes. The third dimension of a time series is time: ZDim counts frames.
_SIZES = ("ZDim", "YDim", "XDim")


def check_movie(unit: Unit) -> list[Any]:
    """Return the datasets of the channels, each (frames, height, width), if they agree with each other.

    Raises
    ------
    FormatError
        There is none or not every one, one has other dimensions, or they differ from what is stated.
    """
    channels = [unit.group[name] for name in numbered(unit.group, "Channel")]
    stated = int(unit.number("VecChannelsSize")) if "VecChannelsSize" in unit.attributes else len(channels)
    # A copy that broke off may have lost whole channels.
    if not channels or len(channels) != stated:
        raise unit.error("Channels are missing", f"{len(channels)} channels", max(stated, 1))
    if any(channel.is_group or channel.dtype.kind not in "iuf" for channel in channels):
        raise unit.error("The channels are no movies", None, "arrays of numbers")
    shapes = {channel.shape for channel in channels}
    if len(shapes) > 1 or channels[0].ndim != 3:
        raise unit.error("The channels are no movies of one size", shapes, "(frames, height, width) for all")
    frame_bytes = math.prod(channels[0].shape[1:]) * channels[0].dtype.itemsize
    if frame_bytes > _MAX_FRAME_BYTES:
        raise unit.error("A frame is too large", f"{frame_bytes} bytes", f"{_MAX_FRAME_BYTES} bytes")
    for attribute, length in zip(_SIZES, channels[0].shape, strict=True):
        if attribute in unit.attributes and int(unit.number(attribute)) != length:
            stated_length = int(unit.number(attribute))
            raise unit.error(f"{attribute} differs from the channels", length, stated_length)
    return channels


def first_frames_mean(channel: Any, max_frames: int) -> NDArray[np.float32]:
    """Average the first frames, read one by one: float32 (height, width), raw values."""
    num_frames = min(max_frames, channel.shape[0])
    # Sums of whole numbers are exact in float64, and would overflow in the type of the pixels.
    total = np.zeros(channel.shape[1:], np.float64)
    for frame in range(num_frames):
        total += channel[frame]
        progress.report("averaging frames", frame, num_frames)
    mean: NDArray[np.float32] = (total / num_frames).astype(np.float32)
    return mean


def fingerprint(unit: Unit, settings: str, channels: Sequence[Any]) -> str:
    """Return 16 hexadecimal characters of a time series: of its settings and of samples of its data.

    Of each channel eight rows are read, of frames that are spread evenly with the first and the last
    among them; of each curve up to eight values. Their position in the file has no effect.
    """
    digest = hashlib.blake2b(settings.encode(), digest_size=8)
    for channel in channels:
        num_frames, height, _ = channel.shape
        for frame, row in zip(_spread(num_frames), _spread(height), strict=True):
            digest.update(channel[frame, row].tobytes())
    for curve in numbered(unit.group, "Curve"):
        values = unit.group[curve][CURVE_VALUES]
        # A selection must ascend, and a short curve has fewer than eight values.
        digest.update(values[sorted(set(_spread(len(values))))].tobytes() if len(values) else b"")
    return digest.hexdigest()


def _spread(length: int) -> list[int]:
    return [(length - 1) * sample // (_NUM_SAMPLES - 1) for sample in range(_NUM_SAMPLES)]
