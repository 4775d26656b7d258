"""DeepLabCut's folders: ``dlc_NAME/`` holds the config, the positions, and metadata of each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import PurePosixPath

from imaging_pipeline.choices import near
from imaging_pipeline.experiments.dataset_types import DLC, DLC_FILTERED
from imaging_pipeline.experiments.recognised import Ignored, Unknown, Used

_PREFIX = "dlc_"
_CONFIG, _POSITIONS, _PICKLE, _TABLE = (".yaml", ".yml"), (".h5",), (".pickle",), (".csv",)
_META_ENDINGS = ("_meta", "includingmetadata")
# Of several animals, positions have the method by which they were followed in their name: ellipses, boxes or
# skeletons.
_TRACKERS = ("_el", "_bx", "_sk")
_FILTERED = "_filtered"
# What the network and the tracking went through, before there were positions.
_STEPS = ("_full", "_assemblies", "_bpt_features", *_TRACKERS)
STEP = "an intermediate result of DeepLabCut"
DERIVED = "made by DeepLabCut of the positions"


Verdict = Used | Ignored | Unknown

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


def recognise_deeplabcut(names: Sequence[str], naming: Naming) -> Mapping[str, Verdict]:
    """Return the verdict on every file in a folder of DeepLabCut; other files are not among them.

    Files of one folder are ordered: the config, the positions by name, then their metadata by name,
    so that both of a video have the same position among their kind. Filtered positions are a dataset of
    their own, in the order of those that were filtered. No file is opened.

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
    verdicts: dict[str, Verdict] = {}
    for folder, paths in folders.items():
        verdicts |= _of_folder(naming(folder.removeprefix(_PREFIX)), paths)
    return verdicts


@dataclass(frozen=True)
class _Files:
    """The files of a folder by what they are; those of one video have the same place among their kind."""

    configs: Sequence[PurePosixPath]
    positions: Sequence[PurePosixPath]
    filtered: Sequence[PurePosixPath]
    metas: Sequence[PurePosixPath]
    ignored: Mapping[PurePosixPath, str]

    @property
    def problem(self) -> str:
        """Why the folder is not whole; empty where it is."""
        if len(self.configs) != 1 or not 0 < len(self.positions) == len(self.metas):
            return (
                f"{len(self.configs)} config .yaml, {len(self.positions)} .h5 and {len(self.metas)} meta"
                " .pickle, where one config and as many .h5 as .pickle belong together"
            )
        # Without a pair for each video it is unknown which metadata belong to which positions.
        for positions, meta in zip(self.positions, self.metas, strict=True):
            if meta.stem.endswith(_META_ENDINGS) and _video(positions) != _video(meta):
                return f"'{positions.name}' and '{meta.name}' are not of one video"
        return ""


def _sorted_files(paths: Sequence[PurePosixPath]) -> _Files:
    files = [path for path in paths if len(path.parts) == 2]
    arrays, pickles, tables = (_ending(files, suffixes) for suffixes in (_POSITIONS, _PICKLE, _TABLE))
    ignored = {path: DERIVED for path in arrays if path.stem.endswith("_skeleton")}
    ignored |= {path: STEP for path in pickles if path.stem.endswith(_STEPS)}
    stems = {path.stem for path in arrays}
    ignored |= {path: DERIVED for path in tables if path.stem in stems}
    # Without such a name any other pickle counts: how DeepLabCut names them differs between its versions.
    rest = [path for path in pickles if path not in ignored]
    metas = [path for path in rest if path.stem.endswith(_META_ENDINGS)] or rest
    filtered = [path for path in arrays if path.stem.endswith(_FILTERED)]
    positions = [path for path in arrays if path not in filtered and path not in ignored]
    # By name alone, "a.h5" comes before "aB.h5", and "a_meta.pickle" behind "aB_meta.pickle".
    place = {_video(path): number for number, path in reversed(list(enumerate(positions)))}
    filtered, metas = (
        sorted(each, key=lambda path: (place.get(_video(path), len(place)), path))
        for each in (filtered, metas)
    )
    return _Files(_ending(files, _CONFIG), positions, filtered, metas, ignored)


def _of_folder(timeseries_name: str | Unknown, paths: Sequence[PurePosixPath]) -> dict[str, Verdict]:
    files = _sorted_files(paths)
    verdicts: dict[str, Verdict] = {
        str(path): Unknown("no config, positions or metadata of DeepLabCut") for path in paths
    }
    verdicts |= {str(path): Ignored(rule) for path, rule in files.ignored.items()}
    mixed, problem = [*files.configs, *files.positions, *files.metas], files.problem
    raw, filtered = {path.stem for path in files.positions}, files.filtered
    if isinstance(timeseries_name, Unknown):
        return verdicts | dict.fromkeys(map(str, [*mixed, *filtered]), timeseries_name)
    if problem:
        reason = Unknown(f"DeepLabCut's folder is not complete: {problem}", lacks_recording=True)
        return verdicts | dict.fromkeys(map(str, [*mixed, *filtered]), reason)
    for number, path in enumerate(mixed, 1):
        verdicts[str(path)] = Used(DLC, "mixed", timeseries_name, 0, number)
    for number, path in enumerate(filtered, 1):
        is_known = _unfiltered(path) in raw
        verdicts[str(path)] = (
            Used(DLC_FILTERED, "h5", timeseries_name, 0, number)
            if is_known
            else Unknown(f"there is no '{_unfiltered(path)}.h5' that was filtered", lacks_recording=True)
        )
    return verdicts


def _unfiltered(path: PurePosixPath) -> str:
    return path.stem.removesuffix(_FILTERED)


def _video(path: PurePosixPath) -> str:
    """Return what the names of all files of one video and network begin with."""
    name = _unfiltered(path)
    for ending in (*_META_ENDINGS, *_TRACKERS):
        name = name.removesuffix(ending)
    return name


def _ending(paths: Sequence[PurePosixPath], suffixes: Sequence[str]) -> list[PurePosixPath]:
    return [path for path in paths if path.suffix.lower() in suffixes]
