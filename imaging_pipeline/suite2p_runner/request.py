"""The request and the result of a run of Suite2p."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif


@dataclass(frozen=True)
class RunRequest:
    """One run: these files, analysed as one recording, with these options.

    Attributes
    ----------
    tifs
        The files in the order in which they were recorded.
    acquisitions
        For each file the number of its acquisition, counted over the whole run.
    settings
        An option set as `options.translate` takes it, of either generation; frame rate, planes and
        channels come from the files' headers whatever it says.
    target
        The folder that the output becomes.
    scratch
        A folder on a local disk, with room for the whole movie.
    identity
        Names that are noted with the output; of these, ``contents_hash`` must be equal for it to be adopted.
    threads
        Threads that Suite2p may use; None for all cores.
    is_registered
        Whether the files are motion corrected already, so that Suite2p shall move no frame.
    registered
        Roots of outputs that are registered already, wherever they lie: the first that is whole, and of the
        same files and options, is adopted.
    bad_frames
        Volumes that Suite2p shall leave out when it looks for cells, from 0 over all files; one that is not
        whole at the end of an acquisition counts.
    """

    tifs: tuple[RecordedTif[Header], ...]
    acquisitions: tuple[int, ...]
    settings: Mapping[str, Any]
    target: Path
    scratch: Path
    identity: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None
    is_registered: bool = False
    bad_frames: tuple[int, ...] = ()
    registered: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Trim:
    """Pages at the end of an acquisition that were left out, because they make no whole volume."""

    file: str
    pages_dropped: int


@dataclass(frozen=True)
class RunResult:
    """A finished output.

    Attributes
    ----------
    target
        Its folder.
    adopted
        Whether it was there already, finished, of the same files and options.
    num_frames
        Frames of each plane.
    num_rois
        ROIs of all planes, cells or not.
    settings_used
        All settings that Suite2p ran with, nested, and those that describe the recording under ``db``.
    overridden
        For each option that was replaced, by dotted name: the value in the set, and the value used.
    trimmed
        What was left out of the files.
    bad_frames
        Frames of each plane that were left out of the detection, from 0; None if that is not known.
    pixel_conversion
        What became of pixels that are not int16; empty where they stayed as they are, None if that
        is not known.
    seconds, seconds_by_stage
        Wall time of the run, and of its stages (``registration``, ``detection`` …), all planes added up.
    versions
        Of ``suite2p``, ``torch``, ``python`` and ``imaging-pipeline``.
    machine, threads
        Where it ran, and with how many threads.
    """

    target: Path
    adopted: bool
    num_frames: int
    num_rois: int
    settings_used: Mapping[str, Any]
    overridden: Mapping[str, tuple[Any, Any]]
    trimmed: tuple[Trim, ...]
    seconds: float
    seconds_by_stage: Mapping[str, float]
    versions: Mapping[str, str]
    machine: str
    threads: int
    pixel_conversion: str | None = None
    bad_frames: tuple[int, ...] | None = None
