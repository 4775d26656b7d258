"""Whether Suite2p's scratch folder has room, and is fast."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from imaging_pipeline import progress
from imaging_pipeline.checks.disk import gigabytes, is_memory, is_network, kind_of_disk
from imaging_pipeline.checks.finding import Finding, Severity, failed, notice, ok
from imaging_pipeline.checks.writing import how_to_help, try_writing, why_not
from imaging_pipeline.config.config import Config

SPEED_BYTES = 256_000_000
# Of a frame of 512 x 512 pixels in Suite2p's movie, which is int16.
_FRAME_BYTES = 512 * 512 * 2
# What a run needs beside the movie, as `suite2p_runner.run` reckons.
_SPARE_BYTES = 500_000_000
# Frames: 30 min of 60 s at 30 Hz.
_HALF_AN_HOUR = 30 * 60 * 30
_SLOW_MB_PER_S = 100
_CORRECT = "Correct custom.suite2p.scratch"


def check_scratch(config: Config, speed_bytes: int = SPEED_BYTES) -> tuple[Finding, ...]:
    """Check the scratch folder, its room and kind, and measure how fast a movie is written to it.

    Parameters
    ----------
    config
        The configuration in force.
    speed_bytes
        How much is written for that, at most a quarter of what is free; removed again.
    """
    folder = config.scratch
    try:
        if not folder.is_dir():
            return (_missing(folder),)
        # A byte first: a disk that is full or read-only is told as such, and not measured.
        try_writing(folder, 1)
        free_bytes = shutil.disk_usage(folder).free
        findings = (_kind(folder), _room(free_bytes))
        if findings[-1].severity is Severity.FAILED:
            return findings
        return (*findings, _speed(folder, min(speed_bytes, free_bytes // 4)))
    except OSError as error:
        remedy = f"{how_to_help(error)} Or {_lower(_CORRECT)}."
        return (failed("scratch", f"{folder}: {why_not(error)}", remedy),)


def _speed(folder: Path, num_bytes: int) -> Finding:
    progress.report("writing a file to measure the scratch disk's speed")
    written = try_writing(folder, num_bytes)
    found = f"{written.megabytes_per_s:,.0f} MB/s, writing {written.num_bytes / 1e6:,.0f} MB to the disk"
    if written.megabytes_per_s < _SLOW_MB_PER_S:
        return notice(
            "speed", found, f"{_CORRECT} where there is a faster local disk: Suite2p would wait for this one."
        )
    return ok("speed", found)


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _missing(folder: Path) -> Finding:
    # The first run makes the folder with all that is missing above it.
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        return failed("scratch", f"{folder} cannot be made: {existing} is a file", f"{_CORRECT}.")
    if not os.access(existing, os.W_OK):
        return failed(
            "scratch",
            f"{folder} is not there, and this account cannot make it in {existing}",
            f"Make it and let this account write there, or {_lower(_CORRECT)}.",
        )
    return notice(
        "scratch",
        f"{folder} is not there yet: the first run makes it. Room and speed were not tested",
        "Make it and check again; mount its disk first, if it has one of its own.",
    )


def _kind(folder: Path) -> Finding:
    kind = kind_of_disk(folder)
    if is_network(kind):
        return notice(
            "scratch",
            f"{folder} lies on a network share ({kind})",
            f"{_CORRECT}: Suite2p reads its movie several times, which wants a local disk.",
        )
    if is_memory(kind):
        return notice(
            "scratch",
            f"{folder} lies in memory ({kind}), where a movie takes the room that Suite2p itself needs",
            f"{_CORRECT} where there is a local disk.",
        )
    return ok("scratch", f"{folder} can be written to{f' ({kind})' if kind else ''}")


def _room(free_bytes: int) -> Finding:
    num_frames = max(0, free_bytes - _SPARE_BYTES) // _FRAME_BYTES
    found = f"{gigabytes(free_bytes)} free, enough for {num_frames:,} frames of 512 x 512 pixels"
    if num_frames == 0:
        return failed(
            "room",
            f"{gigabytes(free_bytes)} free, not enough for any run",
            f"Make room, or {_lower(_CORRECT)}.",
        )
    if num_frames < _HALF_AN_HOUR:
        return notice(
            "room",
            found,
            f"Make room, or {_lower(_CORRECT)}: half an hour at 30 Hz has {_HALF_AN_HOUR:,} frames.",
        )
    return ok("room", found)
