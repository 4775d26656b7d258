"""Every experiment type with a recording folder of its own, for tests that hold of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from imaging_pipeline.experiments.recognised import (
    ExperimentType,
    Recognised,
    StackFile,
    StackFiles,
    Used,
)
from imaging_pipeline.experiments.registry import experiment_type
from tests.makers import folders, plain_tifs, preprocessed, recordings
from tests.makers.femtonics import write_femtonics


@dataclass(frozen=True)
class RegisteredExperiment:
    """An experiment type and a folder that was recorded so.

    Attributes
    ----------
    name
        Of the type.
    write
        Write a whole folder.
    sessions
        Frames of the analysed tifs of each session that is in it, by its timeseries name.
    """

    name: str
    write: Callable[[Path], object]
    sessions: Mapping[str, int]

    @property
    def type(self) -> ExperimentType:
        return experiment_type(self.name)


def listed(experiment: ExperimentType, folder: Path) -> list[str]:
    """Return the files of a folder by their paths below it, containers by their parts."""
    names: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        is_container = experiment.container and name.endswith(experiment.container) and "/" not in name
        parts = experiment.parts(path) if is_container else {}
        recorded = [f"{name}/{part}" for part, content in parts.items() if not content.reason]
        names += recorded if parts else [name]
    return names


def stack_files(
    experiment: ExperimentType, folder: Path, files: list[Recognised], timeseries_name: str
) -> StackFiles:
    """Return the analysed tifs of a session, and its primary files."""

    def of_type(datasettype: str) -> tuple[StackFile, ...]:
        chosen = [
            (file.verdict.acquisition, file.verdict.file_number, file.path)
            for file in files
            if isinstance(file.verdict, Used)
            and (file.verdict.datasettype, file.verdict.timeseries_name) == (datasettype, timeseries_name)
        ]
        return tuple(_file(experiment, folder, path, acquisition) for acquisition, _, path in sorted(chosen))

    return StackFiles(
        experiment.analysed, timeseries_name, of_type(experiment.analysed), of_type(experiment.primary)
    )


def _file(experiment: ExperimentType, folder: Path, name: str, acquisition: int) -> StackFile:
    path = folder / name
    if path.exists() or not experiment.container:
        return StackFile(path, acquisition)
    container, _, part = name.partition(f"{experiment.container}/")
    return StackFile(folder / f"{container}{experiment.container}", acquisition, part)


def _write_preprocessed(folder: Path) -> None:
    recordings.write_recording(folder, recordings.OPEN_FIELD)
    preprocessed.write_preprocessed(folder, recordings.OPEN_FIELD)


def _write_miniscope(folder: Path) -> None:
    folders.write_folder(folder, folders.OPEN_FIELD, replace(folders.WHEEL, is_split=False))


_NUM_FRAMES = sum(sum(files) for files in recordings.OPEN_FIELD.frames)
_MINISCOPE = {folders.OPEN_FIELD.name: 3 * folders.PAGES, folders.WHEEL.name: folders.PAGES}
_PLAIN = {plain_tifs.SAID["timeseries_name"]: 8 + 5}
_FEMTONICS = {"90218_MUnit_0": 20, "90218_MUnit_2": 20}
_Experiment = RegisteredExperiment

REGISTERED_EXPERIMENTS = (
    _Experiment("2Pminiscope_A", _write_miniscope, _MINISCOPE),
    _Experiment("2Pminiscope_A preprocessed", _write_preprocessed, {recordings.OPEN_FIELD.name: _NUM_FRAMES}),
    _Experiment("plain tifs", plain_tifs.write_plain_tifs, _PLAIN),
    _Experiment("femtonics", write_femtonics, _FEMTONICS),
)
