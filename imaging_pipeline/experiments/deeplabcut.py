"""DeepLabCut's folders: ``dlc_NAME/`` holds the config, the positions, and metadata of each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import PurePosixPath

from imaging_pipeline.choices import near
from imaging_pipeline.experiments.dataset_types import DLC
from imaging_pipeline.experiments.recognised import Unknown, Used

_PREFIX = "dlc_"
_CONFIG, _POSITIONS, _META = (".yaml", ".yml"), (".h5",), (".pickle",)
# Other pickles that DeepLabCut writes of a video hold no more than it went through.
_META_ENDINGS = ("_meta", "includingmetadata")


# Returns the timeseries that a name refers to, or why that is not known.
Naming = Callable[[str], str | Unknown]


def named_as(timeseries_names: Set[str]) -> Naming:
    """Return a function that takes a name for that of a timeseries, if the folder has one of that name."""

    def named(name: str) -> str | Unknown:
        if name in timeseries_names:
            return name
        similar = near(name, timeseries_names)
        hint = f"; similar: {', '.join(similar)}" if similar else ""
        return Unknown(f"the folder has no recording '{name}'{hint}", lacks_recording=True)

    return named


def recognise_deeplabcut(names: Sequence[str], naming: Naming) -> Mapping[str, Used | Unknown]:
    """Return the verdict on every file in a folder of DeepLabCut; other files are not among them.

    Files of one folder are ordered: the config, the positions by name, then their metadata by name,
    so that both of a video have the same position among their kind. No file is opened.

    Parameters
    ----------
    names
        Paths below the folder of the recording.
    naming
        Returns the recording that the name behind ``dlc_`` refers to.
    """
    folders: dict[str, list[PurePosixPath]] = {}
    for name in sorted(names):
        folder, separator, _ = name.partition("/")
        if separator and folder.startswith(_PREFIX):
            folders.setdefault(folder, []).append(PurePosixPath(name))
    verdicts: dict[str, Used | Unknown] = {}
    for folder, paths in folders.items():
        verdicts |= _of_folder(naming(folder.removeprefix(_PREFIX)), paths)
    return verdicts


def _of_folder(timeseries_name: str | Unknown, paths: Sequence[PurePosixPath]) -> dict[str, Used | Unknown]:
    files = [path for path in paths if len(path.parts) == 2]
    configs, positions = _ending(files, _CONFIG), _ending(files, _POSITIONS)
    pickles = _ending(files, _META)
    # Without such a name any pickle counts: how DeepLabCut names them differs between its versions.
    metas = [path for path in pickles if path.stem.endswith(_META_ENDINGS)] or pickles
    taken = [*configs, *positions, *metas]
    verdicts: dict[str, Used | Unknown] = {
        str(path): Unknown("no config, positions or metadata of DeepLabCut") for path in paths
    }
    # Without a pair for each video it is unknown which metadata belong to which positions.
    whole = len(configs) == 1 and 0 < len(positions) == len(metas)
    for number, path in enumerate(taken, 1):
        if isinstance(timeseries_name, Unknown):
            verdicts[str(path)] = timeseries_name
        elif whole:
            verdicts[str(path)] = Used(DLC, "mixed", timeseries_name, 0, number)
        else:
            verdicts[str(path)] = Unknown(
                f"DeepLabCut's folder is not complete: {len(configs)} config .yaml, {len(positions)} .h5 and"
                f" {len(metas)} meta .pickle, where one config and as many .h5 as .pickle belong together",
                lacks_recording=True,
            )
    return verdicts


def _ending(paths: Sequence[PurePosixPath], suffixes: Sequence[str]) -> list[PurePosixPath]:
    return [path for path in paths if path.suffix.lower() in suffixes]
