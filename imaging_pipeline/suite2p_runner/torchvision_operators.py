"""Operators of torchvision, without which Suite2p cannot be imported beside a torch for the processor.

Suite2p imports Cellpose, which imports torchvision. For Linux the package index has torchvision for CUDA
only, whose library such a torch cannot load; and without two operators of this library torchvision cannot be
imported. Suite2p uses neither.

PyTorch calls `declare` whenever it is imported, by the entry point that this package has in the group
``torch.backends``; so Suite2p's own command and a plain ``import suite2p`` work as well.
"""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib import machinery, util
from pathlib import Path
from typing import Any

_OPERATORS = ("nms", "qnms")


def declare() -> Any:
    """Declare the operators where torchvision's library does not load; they live as long as the result.

    No error is raised where there is no torchvision: it would keep PyTorch from being imported.
    """
    # Its import calls this function, too, before it returns here.
    import torch  # noqa: F401

    return _declared()


@cache
def _declared() -> Any:
    import torch

    library_file = None if torch.version.cuda is not None else _library_file()
    if library_file is None or _is_loaded(library_file):
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in _OPERATORS:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def _library_file() -> Path | None:
    """Return torchvision's library without importing torchvision; None where it is not installed."""
    package = util.find_spec("torchvision")
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).parent
    return next(
        (folder / f"_C{end}" for end in machinery.EXTENSION_SUFFIXES if (folder / f"_C{end}").is_file()), None
    )


def _is_loaded(library_file: Path) -> bool:
    """Load the library as torchvision does later; return False if it does not load beside this torch."""
    import torch

    try:
        # Its operators would be declared twice if it loaded after ours.
        with _dependencies_beside(library_file):
            torch.ops.load_library(str(library_file))
    except OSError:
        return False
    return True


def _dependencies_beside(library_file: Path) -> AbstractContextManager[Any]:
    """Let what a library needs be found in its folder, for which Windows must be asked."""
    if sys.platform == "win32":
        return os.add_dll_directory(str(library_file.parent))
    return nullcontext()
