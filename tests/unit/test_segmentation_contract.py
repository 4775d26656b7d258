"""What holds of every segmentation program; a new one is a line in ``registered_programs``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.errors import OutputError, PipelineError
from imaging_pipeline.schemas.imaging.reference import DatasetType, FileType
from imaging_pipeline.segmentation.package import Output, OutputPlane, SegmentationPackage, SegmentedPlane
from imaging_pipeline.segmentation.registry import SEGMENTATION_PACKAGES
from tests.makers.folders import write_file
from tests.makers.registered_programs import (
    CURATED,
    IS_CELL,
    NUM_FRAMES,
    REGISTERED_PROGRAMS,
    SESSIONS,
    TIFS,
    RegisteredProgram,
)

NUM_ROIS = len(IS_CELL)


@pytest.fixture(params=REGISTERED_PROGRAMS, ids=lambda registered: registered.datasettype)
def registered(request: pytest.FixtureRequest) -> RegisteredProgram:
    return request.param


@pytest.fixture
def package(registered: RegisteredProgram) -> SegmentationPackage:
    return registered.package


@pytest.fixture
def folder(registered: RegisteredProgram, tmp_path: Path) -> Path:
    registered.write(tmp_path / "day1")
    return tmp_path / "day1"


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def output_in(package: SegmentationPackage, folder: Path) -> Output:
    ((place, files),) = package.find(folder, names(folder)).items()
    return package.read(folder / place, [folder / file for file in files])


def plane_in(package: SegmentationPackage, folder: Path) -> OutputPlane:
    (plane,) = output_in(package, folder).planes
    return plane


@pytest.fixture
def opened(package: SegmentationPackage, folder: Path) -> Iterator[SegmentedPlane]:
    with package.open_plane(plane_in(package, folder).labels_path) as plane:
        yield plane


def cell_ids(is_cell: tuple[bool, ...]) -> set[int]:
    return set(np.flatnonzero(is_cell).tolist())


def test_every_segmentation_program_is_tested() -> None:
    assert [registered.package for registered in REGISTERED_PROGRAMS] == list(SEGMENTATION_PACKAGES)


class TestSegmentationProgram:
    """A program finds its outputs, says what they were made of, and reads their planes."""

    def test_its_types_are_rows_of_the_tables(self, package: SegmentationPackage) -> None:
        assert package.datasettype in {row["datasettype"] for row in DatasetType.contents}
        assert package.filetype in {row["filetype"] for row in FileType.contents}

    def test_its_output_is_found_with_its_files_alone(
        self, package: SegmentationPackage, folder: Path
    ) -> None:
        before = package.find(folder, names(folder))
        write_file(folder / "notes.txt")
        write_file(folder / TIFS[0])
        assert package.find(folder, names(folder)) == before
        ((_place, files),) = before.items()
        assert set(files) <= set(names(folder))

    def test_no_output_is_found_of_other_files(self, package: SegmentationPackage, tmp_path: Path) -> None:
        write_file(tmp_path / "notes.txt")
        assert package.find(tmp_path, ["notes.txt", *TIFS]) == {}

    def test_a_whole_output_lacks_nothing_and_names_its_tifs(
        self, package: SegmentationPackage, folder: Path
    ) -> None:
        output = output_in(package, folder)
        assert output.missing() == []
        assert output.remarks() == []
        assert output.file_list == TIFS
        assert output.num_sessions in (None, len(SESSIONS))
        assert output.marker is None

    def test_a_plane_has_its_labels_in_a_file_that_is_imported(
        self, package: SegmentationPackage, folder: Path
    ) -> None:
        plane = plane_in(package, folder)
        assert plane.label == "plane0"
        assert plane.is_imported(plane.labels_path)
        assert not plane.is_imported(plane.labels_path.with_name("notes.txt"))
        assert plane.labelled().cell_ids == cell_ids(IS_CELL)

    def test_a_curation_changes_the_labels_and_nothing_else(
        self, registered: RegisteredProgram, folder: Path
    ) -> None:
        package, before = registered.package, names(folder)
        measured = plane_in(package, folder).labelled().measured_hash
        registered.curate(folder)
        labelled = plane_in(package, folder).labelled()
        assert labelled.cell_ids == cell_ids(CURATED)
        assert labelled.measured_hash == measured
        labels = plane_in(package, folder).labels_path
        is_new = labels.relative_to(folder).as_posix() not in before
        assert package.is_curation([] if is_new else [labels.name], [labels.name] if is_new else [])

    def test_all_that_is_read_of_a_plane_is_of_its_regions_and_frames(self, opened: SegmentedPlane) -> None:
        num_frames = sum(NUM_FRAMES.values())
        is_cell, probability = opened.cell_labels()
        assert (is_cell.tolist(), probability.shape) == (list(IS_CELL), (NUM_ROIS,))
        rois = opened.rois()
        assert [roi.plane for roi in rois] == [opened.plane] * NUM_ROIS
        assert all(roi.xpix.shape == roi.ypix.shape == roi.roi_weights.shape == (roi.npix,) for roi in rois)
        assert opened.neuropil_coefficients().shape == (NUM_ROIS,)
        motion = opened.motion()
        assert motion.x_offset.shape == motion.y_offset.shape == motion.bad_frames.shape == (num_frames,)
        assert opened.red_cells() is None
        assert opened.merges() == {}

    def test_each_session_has_its_own_frames(self, opened: SegmentedPlane) -> None:
        slices = opened.slices(SESSIONS)
        assert {name: piece.num_frames for name, piece in slices.items()} == NUM_FRAMES
        for name, piece in slices.items():
            traces = opened.traces(piece)
            for trace in (traces.fluo, traces.neuropil, traces.spikes):
                assert trace is not None
                assert trace.shape == (NUM_ROIS, NUM_FRAMES[name])
                assert trace.dtype == np.float32

    def test_regions_lie_within_the_images(self, opened: SegmentedPlane) -> None:
        projections = opened.projections()
        assert projections.mean_image is not None
        height, width = projections.mean_image.shape
        for roi in opened.rois():
            assert 0 <= roi.ypix.min() <= roi.ypix.max() < height
            assert 0 <= roi.xpix.min() <= roi.xpix.max() < width

    def test_sessions_that_are_not_of_the_output_are_refused_by_name(self, opened: SegmentedPlane) -> None:
        with pytest.raises(OutputError) as raised:
            opened.slices({"open field": TIFS[:1]})
        assert str(opened.path) in str(raised.value)
        assert raised.value.remedy

    def test_a_plane_that_is_gone_is_refused_by_name(
        self, package: SegmentationPackage, folder: Path
    ) -> None:
        path = plane_in(package, folder).labels_path
        for file in path.parent.iterdir():
            file.unlink()
        with pytest.raises(PipelineError, match=folder.name) as raised, package.open_plane(path):
            pass
        assert raised.value.remedy

    @pytest.mark.parametrize("part", [0, 0.5])
    def test_a_file_that_is_cut_off_is_told_as_missing_or_refused(
        self, package: SegmentationPackage, folder: Path, part: float
    ) -> None:
        plane = plane_in(package, folder)
        for path in sorted(path for path in folder.rglob("*") if plane.is_imported(path)):
            whole = path.read_bytes()
            path.write_bytes(whole[: int(len(whole) * part)])
            try:
                missing = output_in(package, folder).missing()
            except PipelineError as error:
                missing = [str(error)]
            path.write_bytes(whole)
            # Beside db.npy and settings.npy, ops.npy is a copy that nothing is read of.
            assert any(path.name in told for told in missing) or path.name == "ops.npy"
