"""What a folder of Suite2p output says about itself, in both generations of the format.

Suite2p 0.x keeps everything in one flat dictionary, ``ops.npy``. Suite2p 1.x keeps the recording in
``db.npy``, the settings in nested groups in ``settings.npy``, and what was computed in
``reg_outputs.npy`` and ``detect_outputs.npy``; its ``combined`` folder has the first two only, with
the images of all planes in ``db.npy``. Its ``ops.npy`` is a copy of all of these, and optional.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

import numpy as np

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.npy.file import load_dictionary
from imaging_pipeline.readers.regular_file import is_present

Generation = Literal["0.x", "1.x"]

SETTINGS_GROUPS = (
    "run",
    "io",
    "registration",
    "detection",
    "classification",
    "extraction",
    "dcnv_preprocess",
)

# Several times what light-bead microscopes record; each plane is looked for in a folder of its own.
MAX_PLANES = 1000

# What Suite2p adds to its dictionaries while it runs: results and paths, not options.
_SIZES = {"Ly", "Lx", "Lyc", "Lxc", "nframes", "frames_per_file", "frames_per_folder", "iplane", "iroi"}
_INPUTS = {"filelist", "file_list", "first_files", "first_tiffs", "tiff_list", "h5list", "nwb_file"}
_FOLDERS = {"data_path", "save_path", "save_path0", "save_folder", "fast_disk", "ops_path", "db_path"}
_FILES = {"settings_path", "reg_file", "reg_file_chan2", "raw_file", "raw_file_chan2"}
_MEANS = {"meanImg", "meanImgE", "meanImg_chan2", "meanImg_chan2_corrected", "meanImg_crop", "refImg"}
_UPSAMPLED = {"meanImg_upsample", "mean_img_ups", "counts_ups"}
_DETECTION = {"max_proj", "Vcorr", "Vmap", "Vmax", "Vsplit", "ihop", "spatscale_pix", "chan2_masks"}
_REGISTRATION = {"rmin", "rmax", "yoff", "xoff", "corrXY", "yoff1", "xoff1", "corrXY1", "bidi_corrected"}
_VALID = {"badframes", "badframes0", "yrange", "xrange", "zpos_registration", "cmax_registration"}
_BLOCKS = {"xblock", "yblock", "nblocks", "NRsm", "tPC", "regPC", "regDX"}
_ABOUT = {"timing", "plane_times", "date_proc", "version", "suite2p_version"}
NOT_OPTIONS = (
    _SIZES
    | (_INPUTS | _FOLDERS | _FILES)
    | (_MEANS | _UPSAMPLED | _DETECTION)
    | (_REGISTRATION | _VALID | _BLOCKS)
    | _ABOUT
)


@dataclass(frozen=True)
class Metadata:
    """What one ``planeK`` or ``combined`` folder says about itself.

    Attributes
    ----------
    generation
        Which of the two formats it is.
    version
        Suite2p's version as written, or empty.
    values
        Every key of the folder's dictionaries; the settings nested in 1.x, flat in 0.x.
    """

    generation: Generation
    version: str
    values: Mapping[str, Any]

    @property
    def file_list(self) -> tuple[str, ...]:
        """Names of the input files, in order, without their folders."""
        # 1.x calls it file_list, 0.x filelist.
        names = self.values.get("file_list")
        if names is None or len(names) == 0:
            names = self.values.get("filelist")
        return tuple(file_name(str(name)) for name in (names if names is not None else ()))

    @property
    def num_frames(self) -> int:
        """Frames of this plane, as Suite2p counted them."""
        return int(self.values.get("nframes", 0))

    @property
    def frames_per_file(self) -> tuple[int, ...]:
        """Frames that each input file gave to this plane; empty where an old version did not say."""
        frames = self.values.get("frames_per_file")
        if frames is not None and len(frames):
            return tuple(int(count) for count in frames)
        return (self.num_frames,) if len(self.file_list) == 1 and self.num_frames else ()

    @property
    def num_folders(self) -> int:
        """Folders that Suite2p makes: one a plane, or one a field of each plane where pages have several."""
        num_folders = int(self.values.get("nplanes", 1)) * self.num_fields
        if not 1 <= num_folders <= MAX_PLANES:
            # Within `conversion_errors`, which makes it an error that names the folder.
            raise ValueError(f"{num_folders} planes")
        return num_folders

    @property
    def num_fields(self) -> int:
        """Fields of view that Suite2p cut each page into; 1 where it took pages as they are."""
        return max(int(self.values.get("nrois") or 1), 1)

    @property
    def num_channels(self) -> int | None:
        """Channels of each frame, as Suite2p was told; None where it does not say."""
        num_channels = self.values.get("nchannels")
        return None if num_channels is None else int(num_channels)

    @property
    def flyback_planes(self) -> frozenset[int]:
        """Numbers of the planes that Suite2p was configured to leave out."""
        planes = self.values.get("ignore_flyback")
        return frozenset(int(plane) for plane in (planes if planes is not None else ()))

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Height and width of the frames, in pixels.

        Raises
        ------
        OutputError
            The output does not say.
        """
        try:
            return int(self.values["Ly"]), int(self.values["Lx"])
        except KeyError as error:
            raise OutputError(
                "The output does not state the size of its frames",
                found=f"no {error}",
                remedy="Put back the ops.npy or db.npy that belongs to the output.",
            ) from error

    @property
    def options(self) -> dict[str, Any]:
        """The options of the run, as they were found, in types that JSON knows."""
        chosen = {key: plain(value) for key, value in self.values.items() if key not in NOT_OPTIONS}
        return {key: value for key, value in chosen.items() if value is not _TOO_LARGE}


def file_name(path: str) -> str:
    """Return the last part of a path that was written on any system."""
    return PurePosixPath(PureWindowsPath(path).name if "\\" in path else path).name


def has_metadata(folder: Path) -> bool:
    """Return True if the folder holds the dictionaries of either generation."""
    return is_present(folder / "ops.npy") or all(
        is_present(folder / name) for name in ("db.npy", "settings.npy")
    )


def read_metadata(folder: Path, *, with_results: bool = False) -> Metadata:
    """Read a folder's dictionaries.

    Parameters
    ----------
    with_results
        Whether to read the images, offsets and whatever else was computed, too. In 0.x they come
        always, because all is in one file.

    Raises
    ------
    OutputError
        The folder holds the dictionaries of neither generation.
    """
    # First, since ops.npy of 1.x is an optional copy of both.
    if is_present(folder / "db.npy") and is_present(folder / "settings.npy"):
        values = load_dictionary(folder / "db.npy") | load_dictionary(folder / "settings.npy")
        if with_results:
            for name in ("reg_outputs.npy", "detect_outputs.npy"):
                if is_present(folder / name):
                    values |= load_dictionary(folder / name)
        return Metadata("1.x", _version(values), values)
    if is_present(folder / "ops.npy"):
        values = load_dictionary(folder / "ops.npy")
        # Only 1.x has groups of settings.
        generation: Generation = "1.x" if isinstance(values.get("registration"), Mapping) else "0.x"
        return Metadata(generation, _version(values), values)
    raise OutputError(
        "A Suite2p folder does not say how it was made",
        path=folder,
        allowed="ops.npy, or db.npy with settings.npy",
        remedy="Let Suite2p finish, or copy the missing file there.",
    )


def _version(values: Mapping[str, Any]) -> str:
    return str(values.get("version") or values.get("suite2p_version") or "")


_TOO_LARGE = object()


def plain(value: Any, max_items: int = 1000) -> Any:
    """Return ``value`` in types that JSON knows: arrays as lists, numpy's numbers as Python's, dates as text.

    Numbers that JSON does not know become text, too: "nan", "inf", "-inf". An array of more than
    ``max_items`` elements is a result that slipped in: its dictionary loses it.
    """
    if isinstance(value, Mapping):
        items = {str(key): plain(item, max_items) for key, item in value.items()}
        return {key: item for key, item in items.items() if item is not _TOO_LARGE}
    if isinstance(value, np.ndarray):
        return _TOO_LARGE if value.size > max_items else plain(value.tolist(), max_items)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [item for item in (plain(item, max_items) for item in value) if item is not _TOO_LARGE]
    if isinstance(value, np.generic):
        item = value.item()  # Python has no number that is as exact as numpy's long ones
        return str(item) if isinstance(item, np.generic) else plain(item, max_items)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
