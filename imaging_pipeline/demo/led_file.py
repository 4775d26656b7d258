"""Writes open-field tracking files: two LEDs on the head of an animal that runs in a box."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# As in real files, where the camera took 30.012 ms from frame to frame.
FRAME_PERIOD_NS = 30_012_000
BOX_PX = 500
WALL_PX = 40
STEP_PX = 4.0
TURN_RAD = 0.15
LED_DISTANCE_PX = 24.0
LOST_FRACTION = 0.03
"""Fraction of frames in which each of the two LEDs is hidden."""

HEADER = "frame,cam_timestamp,sys_timestamp,green_x,green_y,red_x,red_y"


def write_led_file(path: Path, start: datetime, duration_s: float, seed: int) -> None:
    """Write ``NAME_0001.csv`` of a recording that lasts ``duration_s``.

    The layout is that of the two-LED tracker's files: camera, image size, start, column names, then
    a line for each frame. Timestamps are in ns: the camera's are regular, the computer's jitter.
    Positions are in px, (0, 0) where a LED is hidden.
    """
    rng = np.random.default_rng(seed)
    num_frames = int(duration_s * 1e9) // FRAME_PERIOD_NS + 1
    elapsed_ns = np.arange(num_frames) * FRAME_PERIOD_NS
    # In real files the computer's clock jitters by 5 to 14 ms, the camera's by a few µs.
    late_ns = rng.exponential(4e6, num_frames).astype(np.int64)
    columns = np.column_stack(
        [
            np.arange(1, num_frames + 1),
            # Both clocks begin anywhere, as in real files: only differences of times mean something.
            4_025_916_007_344 + elapsed_ns,
            777_076_861_338_983 + elapsed_ns + late_ns,
            *_leds(rng, num_frames),
        ]
    )
    with path.open("w", newline="\n") as file:
        file.write("Basler_acA2040-55uc\n")
        file.write(f"Tracking height (px): {BOX_PX} | Tracking width (px): {BOX_PX}\n")
        file.write(f"First frame system timestamp:  {start:%Y-%m-%d_%H-%M-%S}\n")
        np.savetxt(file, columns, fmt="%d", delimiter=",", header=HEADER, comments="")


def _leds(rng: np.random.Generator, num_frames: int) -> list[NDArray[np.int64]]:
    """Return green x and y, red x and y of an animal that runs with turns and stays off the walls."""
    direction_rad = rng.uniform(0, 2 * np.pi) + rng.normal(0, TURN_RAD, num_frames).cumsum()
    heading = np.stack([np.cos(direction_rad), np.sin(direction_rad)])
    run_px = rng.uniform(WALL_PX, BOX_PX - WALL_PX, (2, 1)) + STEP_PX * heading.cumsum(axis=1)
    # Folding an endless run at the walls reflects it there.
    width_px = BOX_PX - 2 * WALL_PX
    folded_px = np.abs((run_px - WALL_PX + width_px) % (2 * width_px) - width_px) + WALL_PX
    leds: list[NDArray[np.int64]] = []
    for side in (1, -1):
        led_px = np.rint(folded_px + side * LED_DISTANCE_PX / 2 * heading).astype(np.int64)
        led_px[:, rng.random(num_frames) < LOST_FRACTION] = 0
        leds.extend(led_px)
    return leds
