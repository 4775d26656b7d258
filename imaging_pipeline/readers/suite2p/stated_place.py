"""Whether a plane's folder is still the one that Suite2p wrote."""

from __future__ import annotations

import re
from pathlib import Path

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.suite2p.metadata import Metadata, file_name

_PLANE = re.compile(r"plane\d+")


def check_place(folder: Path, metadata: Metadata) -> None:
    """Refuse the folder of a plane that was renamed, or copied into the place of another one's.

    The folder's name says which plane it is, so that its cells would be taken for another plane's. A run of
    one plane says nothing against it: planes of several such runs may have been put together by hand.

    Raises
    ------
    OutputError
        The run had several planes, and wrote the folder under another number.
    """
    stated = file_name(str(metadata.values.get("save_path") or ""))
    if metadata.num_folders > 1 and _PLANE.fullmatch(stated) and stated != folder.name:
        raise OutputError(
            "The folder of a plane holds what Suite2p wrote of another plane",
            path=folder,
            found=f"save_path {metadata.values['save_path']}",
            allowed=f"a path that ends in {folder.name}",
            remedy="give the folder its name back, or copy the planes' folders again from where Suite2p ran.",
        )
