"""Suite2p's own window, in which people curate cells."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from imaging_pipeline.errors import (
    InputError,
    MissingPackageError,
    NotHereError,
    NothingFoundError,
    OutputError,
)
from imaging_pipeline.readers.regular_file import require_folder
from imaging_pipeline.readers.suite2p.output import PlaneOutput, find_outputs, read_output
from imaging_pipeline.suite2p_runner import torchvision_operators
from imaging_pipeline.suite2p_runner.run import version

_ROIS = "stat.npy"
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def rois_file(folder: Path) -> Path:
    """Return the file that the window opens: the ``stat.npy`` of what the pipeline imports of an output.

    Parameters
    ----------
    folder
        A plane's folder, or one with a single output in it, at any depth.

    Raises
    ------
    NothingFoundError
        The folder is not there, or has no output of Suite2p.
    InputError
        It has several outputs, or planes that were not merged.
    FormatError, OutputError
        The output is damaged, or not finished.
    """
    require_folder(folder)
    if (folder / _ROIS).is_file():
        return folder / _ROIS
    roots = find_outputs(folder)
    if not roots:
        raise NothingFoundError(
            "There is no output of Suite2p in this folder",
            path=folder,
            allowed="a folder with plane0 or combined in it",
            remedy="give the folder of the output; the page of its session, and reports, name it.",
        )
    (root,) = _only("There are several outputs of Suite2p in this folder", folder, roots)
    (plane,) = _only_plane(root, read_output(root).imported)
    if not (plane.folder / _ROIS).is_file():
        raise OutputError(
            "The output has no regions to look at",
            path=plane.folder,
            found=f"no {_ROIS}",
            remedy="let Suite2p finish, or run it again.",
        )
    return plane.folder / _ROIS


def _only(what: str, folder: Path, found: Sequence[Path]) -> Sequence[Path]:
    if len(found) > 1:
        raise InputError(
            what, path=folder, found=", ".join(map(str, found)), remedy="Give the folder of one of them."
        )
    return found


def _only_plane(root: Path, planes: Sequence[PlaneOutput]) -> Sequence[PlaneOutput]:
    _only(
        "The planes of this output were not merged, so that each is looked at by itself",
        root,
        [plane.folder for plane in planes],
    )
    return planes


def open_window(rois: Path) -> None:
    """Open Suite2p's window with an output, and end this process when it is closed.

    Parameters
    ----------
    rois
        A file that `rois_file` gave.

    Raises
    ------
    MissingPackageError
        Suite2p, or what its window needs, is not installed.
    NotHereError
        This machine shows no windows.
    """
    installed = version()
    if installed is None:
        raise MissingPackageError(
            "Suite2p is not installed on this machine",
            remedy="install it with its window: pip install 'imaging-pipeline[suite2p]' 'suite2p[gui]'.",
        )
    # Without a display, Qt ends the process.
    if sys.platform == "linux" and not any(os.environ.get(name) for name in _DISPLAYS):
        raise NotHereError(
            "This machine shows no windows",
            found=f"none of {', '.join(_DISPLAYS)} is set",
            remedy="start the command on a desktop, or by ssh -X; a share's output can be opened on any"
            " machine that reaches it.",
        )
    try:
        torchvision_operators.declare()
        from suite2p import gui
    except ImportError as error:
        raise MissingPackageError(
            "Suite2p is installed here without what its window needs",
            found=str(error),
            remedy=f"install it: pip install 'suite2p[gui]=={installed}'. If it is installed, the system"
            " lacks a library that the error names.",
        ) from error
    gui.run(statfile=str(rois))
