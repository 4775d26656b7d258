"""Files that are not in their place, and lost frames, as registering finds them by first and last pages."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from imaging_pipeline.errors import NamingError, PipelineError
from imaging_pipeline.ingest.folder_changes import FindingKind, FolderChanges
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from tests.makers import scanimage
from tests.makers.folders import HEIGHT, PAGES, START, WIDTH, Timeseries, aged, write_folder, write_tif
from tests.makers.plain_tifs import write_plain_tifs
from tests.makers.preprocessed import write_preprocessed
from tests.makers.recordings import OPEN_FIELD, write_recording
from tests.makers.registered import SPLIT, Registered

RECORDING = Timeseries("mouse", files=(3, 1))
ONE, TWO, THREE, SECOND = RECORDING.tif_names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "day1", RECORDING)


def register(
    registered: Registered, folder: Path, experiment_type: str = SPLIT.experiment_type
) -> FolderChanges:
    request = replace(SPLIT, experiment_type=experiment_type)
    return registered.register(make_plan(request, scan(folder), registered.files(request.label), {}))


def lost(changes: FolderChanges) -> list[str]:
    return [each.message for each in changes.findings if each.kind is FindingKind.LOST_FRAMES]


def swap(first: Path, second: Path) -> None:
    other = first.with_suffix(".other")
    first.rename(other)
    second.rename(first)
    other.rename(second)


def swapped(folder: Path) -> tuple[str, ...]:
    swap(folder / TWO, folder / THREE)
    return "do not come after", TWO, THREE


def copied_to_the_next_number(folder: Path) -> tuple[str, ...]:
    aged(shutil.copy(folder / TWO, folder / THREE))
    return "do not come after", TWO, THREE


def copied_to_the_next_acquisition(folder: Path) -> tuple[str, ...]:
    aged(shutil.copy(folder / ONE, folder / SECOND))
    return "An acquisition began before", THREE, SECOND


def begun_before(folder: Path) -> tuple[str, ...]:
    write_tif(folder / SECOND, START - timedelta(minutes=5))
    return "An acquisition began before", THREE, SECOND


def begun_before_the_other_ended(folder: Path) -> tuple[str, ...]:
    write_tif(folder / SECOND, START + timedelta(seconds=0.2))
    return "An acquisition began before", THREE, SECOND


def overlapping(folder: Path) -> tuple[str, ...]:
    write_tif(folder / TWO, frames_before=2)
    return "do not come after", ONE, TWO


def of_another_acquisition(folder: Path) -> tuple[str, ...]:
    aged(shutil.copy(folder / SECOND, folder / THREE))
    return "of another acquisition", TWO, THREE


DAMAGES = (
    swapped,
    copied_to_the_next_number,
    copied_to_the_next_acquisition,
    begun_before,
    begun_before_the_other_ended,
    overlapping,
    of_another_acquisition,
)


@pytest.mark.parametrize("damage", DAMAGES)
def test_files_that_are_not_in_their_place_are_refused_by_both_names(
    folder: Path, damage: Callable[[Path], tuple[str, ...]]
) -> None:
    told = damage(folder)
    with pytest.raises(PipelineError) as error:
        register(Registered(), folder)
    for words in told:
        assert words in str(error.value)


@pytest.mark.parametrize(
    "damage", [copied_to_the_next_acquisition, begun_before, begun_before_the_other_ended]
)
def test_an_acquisition_that_joins_registered_ones_is_compared_with_the_one_before(
    tmp_path: Path, damage: Callable[[Path], tuple[str, ...]]
) -> None:
    folder, registered = write_folder(tmp_path / "day1", replace(RECORDING, files=(3,))), Registered()
    register(registered, folder)
    told = damage(folder)
    with pytest.raises(PipelineError) as error:
        register(registered, folder)
    for words in told:
        assert words in str(error.value)


def test_an_earlier_acquisition_that_comes_late_is_taken(tmp_path: Path) -> None:
    later = replace(RECORDING, files=(1,), first_acquisition=2)
    folder, registered = write_folder(tmp_path / "day1", later), Registered()
    register(registered, folder)
    write_folder(folder, replace(RECORDING, files=(2,)))
    assert lost(register(registered, folder)) == []


def test_frames_that_are_lost_are_told_when_their_files_are_new(folder: Path) -> None:
    settings = replace(scanimage.SETTINGS, start=START + timedelta(minutes=10))
    aged(scanimage.write_tif_with_losses(folder / SECOND, 12, (3, 4), settings, shape=(HEIGHT, WIDTH)))
    write_tif(folder / THREE, frames_before=2 * PAGES + 1)
    registered = Registered()

    (told,) = lost(register(registered, folder))

    assert told == (
        f"of mouse: 3 frames missing, in or before {THREE}, {SECOND}; the times of its frames have the gaps"
    )
    assert lost(register(registered, folder)) == []


def test_of_volumes_it_is_told_what_their_loss_means(tmp_path: Path) -> None:
    settings = replace(scanimage.SETTINGS, num_planes=4)
    aged(scanimage.write_tif_with_losses(tmp_path / "mouse_00001.tif", 80, (42,), settings))

    (told,) = lost(register(Registered(), tmp_path))

    assert told.startswith(
        "of mouse: 1 frame missing, in or before mouse_00001.tif: later frames may be of any plane"
    )


def test_a_plain_tif_twice_is_refused_by_both_names(tmp_path: Path) -> None:
    folder = write_plain_tifs(tmp_path)
    aged(shutil.copy(folder / "movie_1.tif", folder / "movie_3.tif"))
    with pytest.raises(NamingError, match=r"same content.*movie_3\.tif.*copy of movie_1\.tif"):
        register(Registered(), folder, "plain tifs")


def test_a_corrected_tif_twice_is_refused_by_both_names(tmp_path: Path) -> None:
    recording = replace(OPEN_FIELD, frames=((7,), (7,)))
    write_recording(tmp_path, recording)
    first, second = write_preprocessed(tmp_path, recording)
    aged(shutil.copy(first, second))
    with pytest.raises(NamingError, match=rf"same content.*{second.name}.*copy of {first.name}"):
        register(Registered(), tmp_path, "2Pminiscope_A preprocessed")
