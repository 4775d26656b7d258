"""All settings of one run: the option set, what the recording says, and what a safe run needs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from imaging_pipeline.errors import InputError, MissingWeightsError
from imaging_pipeline.printable import printable
from imaging_pipeline.readers.scanimage.fields import LocatedField
from imaging_pipeline.suite2p_runner.classifier import read_classifier
from imaging_pipeline.suite2p_runner.known_options import AUTO, default_settings, flat, put
from imaging_pipeline.suite2p_runner.options import OptionSet
from imaging_pipeline.suite2p_runner.preflight import Inputs

# Suite2p's own default: more were not faster, and up to it the results are those of the defaults.
_MOST = 100
_FEWEST = 5
# Of each frame at once; near the most that was measured, see `auto_batch_size`.
_BYTES_A_PIXEL = 120
_MOST_BYTES = 1_000_000_000
# Workers share a machine, and a run needs memory for other things too.
_PART_OF_AVAILABLE = 8


def auto_batch_size(height: int, width: int, available_bytes: int) -> int:
    """Return the most frames whose arrays fit into a gigabyte and an eighth of the memory, from 5 to 100.

    Nonrigid registration by Suite2p 1.1.0 on two cores, in a process that retains its memory as those of
    `child_process` do. Milliseconds of processor time a frame, by frames at once:

    ======  =====  =====  =====  =====  =====  =====
    pixels      5     10     20     50    100    400
    ======  =====  =====  =====  =====  =====  =====
    128²                    3.0           4.3    2.4
    256²      9.2    9.2    8.3    8.3    6.4
    512²       50            74     32     42
    ======  =====  =====  =====  =====  =====  =====

    Beyond some ten frames the time hardly depends on the number. The memory does: for 50 frames or more it is
    70 to 126 bytes a pixel and frame. Of the numbers that fit, the one nearest to Suite2p's default is used,
    as another number changes nonrigid offsets by up to 0.1 px.

    Parameters
    ----------
    height, width
        Of a frame, in pixels.
    available_bytes
        Memory that the machine has free.
    """
    bytes_a_frame = height * width * _BYTES_A_PIXEL
    room_bytes = min(_MOST_BYTES, available_bytes // _PART_OF_AVAILABLE)
    return max(_FEWEST, min(_MOST, room_bytes // bytes_a_frame))


# A run is one process that makes the npy files which the import reads; its movie stays in scratch.
_FIXED = {
    "run.multiplane_parallel": False,
    "io.save_NWB": False,
    "io.delete_bin": False,
    "io.move_bin": False,
}
# Of a movie that is motion corrected already: a second time would only blur it.
_UNREGISTERED = {
    "run.do_registration": 0,
    "registration.two_step_registration": False,
    "registration.reg_tif": False,
    "registration.reg_tif_chan2": False,
}

# `tiff_to_binary` takes the other channel by counting back from the functional one.
_MAX_FUNCTIONAL = 2

_CELLPOSE_MODEL = "cpsam"
CELLPOSE_MODELS_VARIABLE = "CELLPOSE_LOCAL_MODELS_PATH"


@dataclass(frozen=True)
class RunSettings:
    """What Suite2p is called with.

    Attributes
    ----------
    settings
        All settings of Suite2p 1.x, nested.
    db
        Those that describe the recording.
    overridden
        By dotted name: the value in the option set, and the value used instead.
    """

    settings: Mapping[str, Any]
    db: Mapping[str, Any]
    overridden: Mapping[str, tuple[Any, Any]]

    @property
    def analysed_planes(self) -> tuple[int, ...]:
        """Numbers of the analysed planes, as Suite2p counts them: with the fields of each plane in turn."""
        left_out = self.db["ignore_flyback"] or ()
        num_fields = len(self.db.get("lines", ("page",)))
        return tuple(plane for plane in range(self.db["nplanes"] * num_fields) if plane not in left_out)


def assemble(options: OptionSet, inputs: Inputs, *, is_registered: bool = False) -> RunSettings:
    """Assemble the settings of a run.

    Parameters
    ----------
    options
        The option set.
    inputs
        The recording.
    is_registered
        Whether it is motion corrected already; then registration is always off.

    Raises
    ------
    InputError
        Options make no sense for this recording, or leave nothing to import.
    MissingWeightsError
        Cellpose is to be used, and its weights are not on this machine.
    """
    chosen = dict(flat(options.settings))
    forced = dict(_FIXED) | {"fs": inputs.header.volume_rate_hz}
    if is_registered:
        forced |= _UNREGISTERED
    if chosen.get("registration.batch_size") == AUTO:
        height, width = max(inputs.frame_sizes)
        available = psutil.virtual_memory().available
        forced["registration.batch_size"] = auto_batch_size(height, width, available)
    if not chosen.get("classification.classifier_path"):
        # Otherwise a classifier in somebody's home folder would decide.
        forced["classification.use_builtin_classifier"] = True
    settings = default_settings()
    for name, value in (chosen | forced).items():
        put(settings, name, value)
    db = _recording(options.db, inputs)
    _check_options(settings, inputs)
    stated = chosen | {key: value for key, value in options.db.items() if value is not None}
    used = forced | db
    overridden = {
        name: (stated[name], used[name]) for name in used if name in stated and stated[name] != used[name]
    }
    return RunSettings(settings, db, overridden)


def _recording(stated: Mapping[str, Any], inputs: Inputs) -> dict[str, Any]:
    header = inputs.header
    num_planes = header.num_planes + header.num_flyback_frames
    num_fields = max(len(inputs.fields), 1)
    left_out = set(range(header.num_planes, num_planes)) | set(stated.get("ignore_flyback") or ())
    functional = stated.get("functional_chan") or 1
    # A proper subset: with every plane left out there would be nothing to analyse.
    if not left_out < set(range(num_planes)):
        raise InputError(
            "An option set leaves out planes that the recording has not, or all of them",
            path=inputs.parts[0].tif.path,
            found=f"ignore_flyback = {sorted(left_out)}",
            allowed=f"some of 0 to {num_planes - 1}",
            remedy="Ask for an option set with another ignore_flyback.",
        )
    if functional > min(header.num_channels, _MAX_FUNCTIONAL):
        raise InputError(
            "The functional channel of an option set was not saved, or is one that Suite2p does not reach",
            path=inputs.parts[0].tif.path,
            found=f"functional_chan = {functional} of {header.num_channels} saved channels",
            allowed=f"1 to {min(header.num_channels, _MAX_FUNCTIONAL)}, counted over the saved channels",
            remedy="Correct functional_chan in the option set.",
        )
    return {
        "nplanes": num_planes,
        "nchannels": header.num_channels,
        "functional_chan": functional,
        # Suite2p counts each field of a plane as a plane of its own.
        "ignore_flyback": [
            plane * num_fields + field for plane in sorted(left_out) for field in range(num_fields)
        ]
        or None,
        "keep_movie_raw": bool(stated.get("keep_movie_raw")),
        **_fields(inputs.fields),
    }


def _fields(fields: Sequence[LocatedField]) -> dict[str, Any]:
    """Return the lines of each field in a page, and its offset in the canvas: Suite2p crops each.

    It uses only the first and the last line.
    """
    if not fields:
        return {}
    return {
        "lines": [[located.first_line, located.last_line] for located in fields],
        "dy": [located.canvas_y_px for located in fields],
        "dx": [located.canvas_x_px for located in fields],
    }


def _check_options(settings: Mapping[str, Any], inputs: Inputs) -> None:
    if not settings["run"]["do_detection"]:
        raise InputError(
            "An option set looks for no cells, so that nothing could be imported",
            found="run.do_detection = False",
            allowed="True",
            remedy="Ask for an option set that looks for cells.",
        )
    registration = settings["registration"]
    tif = inputs.parts[0].tif
    blocks = registration["block_size"]
    frame = tuple(min(sides) for sides in zip(*inputs.frame_sizes, strict=True))
    is_nonrigid = settings["run"]["do_registration"] and registration["nonrigid"]
    # Suite2p 1.1.0 fails there, as with its default of 128 pixels for a frame of 128.
    if is_nonrigid and any(size >= side for size, side in zip(blocks, frame, strict=True)):
        raise InputError(
            "A nonrigid registration needs blocks that are smaller than the frame, in both directions",
            path=tif.path,
            found=f"registration.block_size = {list(blocks)} for frames of {list(frame)} pixels",
            allowed="smaller blocks, such as [64, 64]",
            remedy="Make the blocks smaller in the option set, or set registration.nonrigid to false.",
        )
    classifier = settings["classification"]["classifier_path"]
    if classifier:
        read_classifier(Path(classifier))
    detection = settings["detection"]
    if detection["algorithm"] == "cellpose" or detection["cellpose_chan2"]:
        _check_weights(detection["cellpose_settings"]["cellpose_model"])


def cellpose_models() -> Path:
    """Return the folder of Cellpose's weights on this machine."""
    folder = os.environ.get(CELLPOSE_MODELS_VARIABLE)
    return Path(folder) if folder else Path.home() / ".cellpose" / "models"


def _check_weights(model: str) -> None:
    """Refuse weights that Suite2p would not take; those it takes are unpickled, and the administrator's."""
    if model != _CELLPOSE_MODEL:
        raise InputError(
            "Suite2p 1.1 detects with its own choice of Cellpose's weights, whatever an option set names",
            found=printable(model),
            allowed=_CELLPOSE_MODEL,
            remedy="Remove detection.cellpose_settings.cellpose_model from the option set.",
        )
    if not (cellpose_models() / model).is_file():
        raise MissingWeightsError(
            "Cellpose's weights are not on this machine",
            path=cellpose_models() / model,
            remedy=f"Put the file there, or name its folder in {CELLPOSE_MODELS_VARIABLE}.",
        )
