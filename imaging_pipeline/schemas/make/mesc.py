"""From a part of a ``.mesc`` file to a row of ``Mesc``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from imaging_pipeline.errors import InputError
from imaging_pipeline.readers.mesc.file import MescRecording, read_mean_image, read_recording
from imaging_pipeline.schemas.make.fetching import DatasetFile
from imaging_pipeline.schemas.plain_rows import Row

# As the column of ``Mesc``.
_COMMENT_MAX_CHARACTERS = 4096


def mesc_row(file: DatasetFile) -> Row:
    """Return the columns of ``Mesc``, apart from its key, for a part of a file.

    Raises
    ------
    NothingFoundError
        The file is gone.
    FormatError
        The file is damaged, or has no such part.
    InputError
        The recording is not the registered one, or its comment is too long for its column.
    """
    path = Path(file.path)
    recording = read_recording(path, file.part)
    if recording.fingerprint != file.fingerprint:
        raise InputError(
            f"{recording.unit} is not the recording that was registered",
            path=path,
            found="other content under the same name",
            allowed="the content that the session was made of",
            remedy="Register the folder again; or put back the file that was there.",
        )
    return {
        "mesc_unit": recording.unit,
        "mesc_version": recording.version,
        "num_frames": recording.num_frames,
        "width": recording.width,
        "height": recording.height,
        "datatype": recording.dtype,
        "num_channels": len(recording.channels),
        "channels": [asdict(channel) for channel in recording.channels],
        "um_per_pixel_x": recording.um_per_px_x,
        "um_per_pixel_y": recording.um_per_px_y,
        "frame_period_ms": recording.frame_period_ms,
        "framerate": 1000 / recording.frame_period_ms,
        "curves": [asdict(curve) for curve in recording.curves],
        "comment": _comment(path, recording),
        "mean_image": read_mean_image(path, recording.unit),
    }


def _comment(path: Path, recording: MescRecording) -> str:
    if len(recording.comment) > _COMMENT_MAX_CHARACTERS:
        raise InputError(
            f"The comment of {recording.unit} is too long to be kept",
            path=path,
            found=f"{len(recording.comment)} characters",
            allowed=f"up to {_COMMENT_MAX_CHARACTERS}",
            remedy="shorten it in MESc, and register the folder again.",
        )
    return recording.comment
