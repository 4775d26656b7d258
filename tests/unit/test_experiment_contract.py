"""What holds of every experiment type; a new one is a line in ``registered_experiments``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import pytest

from imaging_pipeline.errors import (
    FormatError,
    NothingFoundError,
    PipelineError,
    StillCopyingError,
    TruncatedError,
)
from imaging_pipeline.experiments.recognised import ExperimentType, Recognised, Unknown, Used
from imaging_pipeline.experiments.registry import EXPERIMENT_TYPES
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import Request
from imaging_pipeline.schemas.imaging.reference import DatasetType, FileType
from tests.makers.folders import aged, write_file
from tests.makers.registered_experiments import (
    REGISTERED_EXPERIMENTS,
    RegisteredExperiment,
    listed,
    stack_files,
)

ELSEWHERE = Path("nowhere")


@pytest.fixture(params=REGISTERED_EXPERIMENTS, ids=lambda registered: registered.name)
def registered(request: pytest.FixtureRequest) -> RegisteredExperiment:
    return request.param


@pytest.fixture
def experiment(registered: RegisteredExperiment) -> ExperimentType:
    return registered.type


@pytest.fixture
def folder(registered: RegisteredExperiment, tmp_path: Path) -> Path:
    registered.write(tmp_path / "day1")
    return tmp_path / "day1"


@pytest.fixture
def files(experiment: ExperimentType, folder: Path) -> list[Recognised]:
    return list(experiment.recognise(folder, listed(experiment, folder)))


def used(files: list[Recognised]) -> list[Used]:
    return [file.verdict for file in files if isinstance(file.verdict, Used)]


def primary_path(experiment: ExperimentType, folder: Path) -> Path:
    files = experiment.recognise(folder, listed(experiment, folder))
    (first, *_) = (
        file
        for file in sorted(files, key=lambda file: file.path)
        if isinstance(file.verdict, Used) and file.verdict.datasettype == experiment.primary
    )
    return next(path for path in (folder / first.path, *(folder / first.path).parents) if path.is_file())


def look_into(experiment: ExperimentType, path: Path) -> list[datetime | None]:
    """Return the starts that a file says, as a registration asks for them."""
    if experiment.container:
        return [part.examined.start for part in experiment.parts(path).values() if not part.left_out]
    return [experiment.examine(path, Used(experiment.primary, "tif", "90218", 1)).start]


def test_every_experiment_type_is_tested() -> None:
    assert [registered.type for registered in REGISTERED_EXPERIMENTS] == list(EXPERIMENT_TYPES)


class TestExperimentType:
    """An experiment type says of each file what it is by its name, and reads the tifs of a session."""

    def test_each_file_is_recognised_once(
        self, experiment: ExperimentType, folder: Path, files: list[Recognised]
    ) -> None:
        assert sorted(file.path for file in files) == sorted(listed(experiment, folder))

    def test_its_sessions_are_those_that_were_recorded(
        self, registered: RegisteredExperiment, files: list[Recognised]
    ) -> None:
        assert {use.timeseries_name for use in used(files)} == set(registered.sessions)

    def test_its_types_are_rows_of_the_tables(
        self, experiment: ExperimentType, files: list[Recognised]
    ) -> None:
        types = {row["datasettype"] for row in DatasetType.contents}
        assert {experiment.primary, experiment.analysed, *(use.datasettype for use in used(files))} <= types
        assert {use.filetype for use in used(files)} <= {row["filetype"] for row in FileType.contents}

    def test_files_are_recognised_by_their_names_alone_in_any_order(
        self, experiment: ExperimentType, folder: Path, files: list[Recognised]
    ) -> None:
        names = listed(experiment, folder)
        Random(1).shuffle(names)
        again = experiment.recognise(ELSEWHERE, names)
        assert sorted(again, key=lambda file: file.path) == sorted(files, key=lambda file: file.path)

    @pytest.mark.parametrize("name", ["notes.txt", "without_suffix", "sub/recording_00001.tif"])
    def test_a_file_of_another_kind_is_unknown_and_changes_no_other(
        self, experiment: ExperimentType, folder: Path, files: list[Recognised], name: str
    ) -> None:
        more = experiment.recognise(folder, [*listed(experiment, folder), name])
        (other,) = (file for file in more if file.path == name)
        assert isinstance(other.verdict, Unknown)
        assert other.verdict.reason
        assert {file.path: file.verdict for file in more if file is not other} == {
            file.path: file.verdict for file in files
        }

    def test_a_whole_folder_is_complete(self, experiment: ExperimentType, folder: Path) -> None:
        names = listed(experiment, folder)
        experiment.check_numbering(folder, names)
        experiment.check_complete(folder, names)

    def test_a_primary_file_says_when_its_session_started(
        self, experiment: ExperimentType, folder: Path
    ) -> None:
        starts = look_into(experiment, primary_path(experiment, folder))
        assert starts
        assert all(isinstance(start, datetime) for start in starts)

    @pytest.mark.parametrize("num_bytes", [0, 20])
    def test_a_primary_file_that_is_cut_off_is_refused_by_name(
        self, experiment: ExperimentType, folder: Path, num_bytes: int
    ) -> None:
        path = primary_path(experiment, folder)
        path.write_bytes(path.read_bytes()[:num_bytes])
        with pytest.raises(FormatError, match=path.name) as raised:
            look_into(experiment, path)
        assert raised.value.remedy

    def test_a_primary_file_that_is_gone_is_named(self, experiment: ExperimentType, folder: Path) -> None:
        path = primary_path(experiment, folder)
        path.unlink()
        with pytest.raises(NothingFoundError, match=path.name) as raised:
            look_into(experiment, path)
        assert raised.value.remedy

    def test_the_tifs_of_each_session_have_all_their_frames(
        self, registered: RegisteredExperiment, folder: Path, files: list[Recognised]
    ) -> None:
        for name, num_frames in registered.sessions.items():
            chosen = stack_files(registered.type, folder, files, name)
            tifs = registered.type.read_tifs(chosen)
            assert [tif.path for tif in tifs] == [file.path for file in chosen.tifs]
            assert sum(tif.num_frames for tif in tifs) == num_frames

    def test_a_stack_has_a_mean_image_of_the_size_of_its_tifs(
        self, registered: RegisteredExperiment, folder: Path, files: list[Recognised]
    ) -> None:
        for name in registered.sessions:
            stack = registered.type.read_stack(stack_files(registered.type, folder, files, name))
            assert stack.mean_image.shape == (stack.tifs[0].height, stack.tifs[0].width)
            assert stack.mean_image.dtype == np.float32
            assert np.isfinite(stack.mean_image).all()

    def test_a_tif_that_is_gone_or_cut_off_is_refused_by_name(
        self, registered: RegisteredExperiment, folder: Path, files: list[Recognised]
    ) -> None:
        chosen = stack_files(registered.type, folder, files, next(iter(registered.sessions)))
        path = chosen.tifs[0].path
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(FormatError, match=path.name):
            registered.type.read_tifs(chosen)
        path.unlink()
        with pytest.raises(PipelineError, match=path.name) as raised:
            registered.type.read_tifs(chosen)
        assert isinstance(raised.value, NothingFoundError)

    def test_every_tif_of_any_type_is_checked_to_its_end(
        self, experiment: ExperimentType, folder: Path
    ) -> None:
        path = write_file(folder / "90218_00001.tif", b"II*\0 no directory")
        with pytest.raises(FormatError, match=path.name):
            experiment.examine(path, Used(experiment.analysed, "tif", "90218", 1))


@pytest.mark.parametrize(("minutes", "expected"), [(59, StillCopyingError), (61, TruncatedError)])
def test_a_file_whose_copy_broke_off_waits_for_an_hour_and_is_then_an_error(
    experiment: ExperimentType, folder: Path, minutes: int, expected: type[PipelineError]
) -> None:
    path = primary_path(experiment, folder)
    # As Windows leaves it: with its size from the start, and zeros in place of what did not come.
    write_file(path, bytes(path.stat().st_size))
    for other in folder.rglob("*"):
        aged(other)
    arrived = datetime.fromtimestamp(path.stat().st_ctime, UTC).replace(tzinfo=None)
    request = Request("moser", "day1", experiment.name, False, "90218", 0)
    with pytest.raises(expected, match=path.name):
        make_plan(request, scan(folder), {}, {}, now=arrived + timedelta(minutes=minutes))
