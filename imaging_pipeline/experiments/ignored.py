"""Files that are no recording whatever the experiment: the rules that leave them out."""

from __future__ import annotations

import re

from imaging_pipeline.readers.suite2p.output import MARKER_NAME
from imaging_pipeline.readers.suite2p_matlab.output import result_name

SYSTEM = "a file of the operating system"
HIDDEN = "a hidden or temporary file"
UNFINISHED = "an unfinished copy of a Suite2p run"
SUPERSEDED = "an output that a newer run has superseded"
WORKING = "a working file of Suite2p"
RECORD = "the record of a Suite2p run of the pipeline"

# Of Windows, and of the network storage of Synology (@eaDir); in lower case, as they are compared.
_SYSTEM_NAMES = frozenset(
    {"thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information", "@eadir"}
)
_UNFINISHED = re.compile(r"\..+\.partial-")
_SUPERSEDED = re.compile(r".\.superseded-")
_SUITE2P_FOLDER = re.compile(r"suite2p|plane\d+|combined|combined_.*|split_.*", re.IGNORECASE)
_WORKING_FOLDER = re.compile(r"reg_tif(_chan2)?", re.IGNORECASE)
_WORKING_FILE = re.compile(r"data(_chan2)?(_raw)?\.bin|data_raw_chan2\.bin|ops1\.npy|.*\.mat", re.IGNORECASE)

# Folders into which the pipeline runs Suite2p; run.log elsewhere may be a person's.
_RUN_FOLDER = re.compile(r"(combined|split)_.*|(.*_)?MUnit_[0-9]+")
_RECORDS = (MARKER_NAME, "run.log")


def ignoring_rule(path: str) -> str | None:
    """Return the rule that leaves a file out, or None where none does.

    Parameters
    ----------
    path
        Path below the registered folder with forward slashes. A rule that holds for a folder holds
        for all that lies in it.
    """
    *folders, name = path.split("/")
    for part in (*folders, name):
        rule = _rule_of_name(part)
        if rule is not None:
            return rule
    if not folders:
        return None
    if any(_WORKING_FOLDER.fullmatch(folder) for folder in folders):
        return WORKING
    is_working = _WORKING_FILE.fullmatch(name) and result_name(name) is None
    if is_working and any(_SUITE2P_FOLDER.fullmatch(folder) for folder in folders):
        return WORKING
    if any(_RUN_FOLDER.fullmatch(folder) for folder in folders) and name in _RECORDS:
        return RECORD
    return None


def _rule_of_name(name: str) -> str | None:
    # Before hidden files, whose names begin with a dot as well.
    if _UNFINISHED.match(name):
        return UNFINISHED
    if _SUPERSEDED.search(name):
        return SUPERSEDED
    if name.lower() in _SYSTEM_NAMES or name == ".DS_Store" or name.startswith("._"):
        return SYSTEM
    if name.startswith((".", "~$")):
        return HIDDEN
    return None
