"""DeepLabCut's folders: ``dlc_NAME/`` holds the config, the positions and what is said of each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import PurePosixPath

from imaging_pipeline.errors import near
from imaging_pipeline.experiments.dataset_types import DLC
from imaging_pipeline.experiments.recognised import Unknown, Used

_PREFIX = "dlc_"
_CONFIG, _POSITIONS, _META = (".yaml", ".yml"), (".h5",), (".pickle",)
# Other pickles that DeepLabCut writes of a video hold no more than it went through.
_META_ENDINGS = ("_meta", "includingmetadata")


def recognise_deeplabcut(names: Sequence[str], timeseries_names: Set[str]) -> Mapping[str, Used | Unknown]:
    """Say of every file in a folder of DeepLabCut what it is; other files are not among them.

    Files of one folder are ordered: the config, the positions by name, then their metadata by name,
    so that both of a video stand at the same place of their kind. No file is opened.

    Parameters
    ----------
    names
        Paths below the folder of the recording.
    timeseries_names
        Names of which there is a recording.
    """
    folders: dict[str, list[PurePosixPath]] = {}
    for name in sorted(names):
        path = PurePosixPath(name)
        if len(path.parts) > 1 and path.parts[0].startswith(_PREFIX):
            folders.setdefault(path.parts[0], []).append(path)
    verdicts: dict[str, Used | Unknown] = {}
    for folder, paths in folders.items():
        verdicts |= _of_folder(folder.removeprefix(_PREFIX), paths, timeseries_names)
    return verdicts


def _of_folder(
    timeseries_name: str, paths: Sequence[PurePosixPath], timeseries_names: Set[str]
) -> dict[str, Used | Unknown]:
    here = [path for path in paths if len(path.parts) == 2]
    configs, positions = _ending(here, _CONFIG), _ending(here, _POSITIONS)
    pickles = _ending(here, _META)
    metas = [path for path in pickles if path.stem.endswith(_META_ENDINGS)] or pickles
    taken = [*configs, *positions, *metas]
    verdicts: dict[str, Used | Unknown] = {
        str(path): Unknown("no config, positions or metadata of DeepLabCut") for path in paths
    }
    reason = ""
    if timeseries_name not in timeseries_names:
        similar = near(timeseries_name, timeseries_names)
        reason = f"the folder has no recording '{timeseries_name}'"
        reason += f"; similar: {', '.join(similar)}" if similar else ""
    elif len(configs) != 1 or not positions or len(positions) != len(metas):
        reason = (
            f"DeepLabCut's folder is not complete: {len(configs)} config .yaml, {len(positions)} .h5 and"
            f" {len(metas)} meta .pickle, where one config and as many .h5 as .pickle belong together"
        )
    for number, path in enumerate(taken, 1):
        used = Used(DLC, "mixed", timeseries_name, 0, number)
        verdicts[str(path)] = Unknown(reason, lacks_recording=True) if reason else used
    return verdicts


def _ending(paths: Sequence[PurePosixPath], suffixes: Sequence[str]) -> list[PurePosixPath]:
    return [path for path in paths if path.suffix.lower() in suffixes]
