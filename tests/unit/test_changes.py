import os
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.ingest.folder_changes import Difference
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from tests.makers.folders import (
    COPIED,
    PAGES,
    START,
    Timeseries,
    aged,
    write_companions,
    write_folder,
    write_suite2p,
    write_tif,
)
from tests.makers.registered import COMBINED, SPLIT, Registered, write_run
from tests.makers.suite2p_output import Suite2pSpec, curate

OPTIONS = {"fast": {"tau": 1.0}, "quick": {"tau": 1}, "slow": {"tau": 2.0}}
OPEN_FIELD = Timeseries("openfield", files=(2, 1), has_companions=True)
WHEEL = Timeseries("wheel", START + timedelta(hours=1))
SLEEP = Timeseries("sleep", START + timedelta(minutes=30))


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "day1", OPEN_FIELD, WHEEL)


@pytest.fixture
def registered():
    return Registered()


def plan_of(registered, folder, request):
    return make_plan(request, scan(folder), registered.files(request.label), OPTIONS)


def register(registered, folder, request=SPLIT):
    return registered.register(plan_of(registered, folder, request))


def of(changes, verdict):
    return [change for change in changes if change.verdict == verdict]


def is_nothing(changes):
    """Return True if the database holds already what the folder means."""
    verdicts = {str(each.verdict) for each in (*changes.sessions, *changes.datasets)}
    return verdicts <= {"known"} and not any(
        (changes.new_metasessions, changes.purges, changes.option_sets, changes.relocations)
    )


def purged(changes):
    """Return what is purged, and why; the files of a dataset go with what is derived from it."""
    return {(str(purge.seed), purge.reason) for purge in changes.purges if purge.seed != "files"}


def kinds(changes):
    return {str(finding.kind) for finding in changes.findings}


@pytest.mark.parametrize("request_", [SPLIT, COMBINED])
def test_the_same_folder_again_changes_nothing(folder, registered, request_):
    first = register(registered, folder, request_)
    again = register(registered, folder, request_)

    assert len(of(first.sessions, "new")) == 2
    assert len(first.new_metasessions) == (1 if request_.combined else 2)
    assert is_nothing(again)
    assert again.findings == ()
    assert {str(each.verdict) for each in (*again.sessions, *again.datasets)} == {"known"}


def test_combined_and_split_sessions_of_one_folder_stand_side_by_side(folder, registered):
    register(registered, folder, SPLIT)

    changes = register(registered, folder, COMBINED)

    assert len(of(changes.sessions, "new")) == 2
    assert kinds(changes) == {"other label"}
    assert "imaging-pipeline retire" in changes.findings[0].message
    again = register(registered, folder, SPLIT)
    assert is_nothing(again)
    assert again.findings == ()


def test_sessions_are_ordered_by_their_start_also_when_one_is_found_later(folder, registered):
    register(registered, folder, COMBINED)
    write_folder(folder, SLEEP)

    changes = register(registered, folder, COMBINED)

    assert changes.new_metasessions == ()
    (joined,) = of(changes.sessions, "joined")
    ((_, order),) = changes.session_order
    assert joined.session.timeseries_name == "sleep"
    assert order.index(joined.session.session_name) == 1
    assert len(order) == 3
    assert is_nothing(register(registered, folder, COMBINED))


def test_a_session_that_joins_makes_the_output_out_of_date(folder, registered):
    write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, COMBINED)
    write_folder(folder, SLEEP)

    changes = register(registered, folder, COMBINED)

    assert purged(changes) == {("dataset", "session 'sleep' joined")}
    assert len(changes.purges[0].session_names) == 3
    assert is_nothing(register(registered, folder, COMBINED))


def test_many_sessions_that_join_are_told_in_short(folder, registered):
    write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, COMBINED)
    late = [Timeseries(f"sleep{number:02d}", START + timedelta(hours=2 + number)) for number in range(5)]
    write_folder(folder, *late)

    changes = register(registered, folder, COMBINED)

    joined = "session 'sleep00' joined; session 'sleep01' joined; session 'sleep02' joined and 2 more"
    assert purged(changes) == {("dataset", joined)}


def test_a_new_run_of_all_sessions_takes_the_place_of_the_old(folder, registered):
    write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, COMBINED)
    write_folder(folder, SLEEP)
    write_run(folder, OPEN_FIELD, SLEEP, WHEEL)

    changes = register(registered, folder, COMBINED)

    (change,) = of(changes.datasets, "changed")
    assert {str(purge.seed) for purge in changes.purges} == {"links", "files"}
    assert {purge.dataset_name for purge in changes.purges} == {change.dataset.dataset_name}
    assert len(change.session_names) == 3
    assert is_nothing(register(registered, folder, COMBINED))


def test_a_recording_that_grew_keeps_its_dataset_and_loses_what_was_derived(folder, registered):
    before = register(registered, folder)
    write_tif(folder / "wheel_00001_00002.tif", WHEEL.start, seed=77, frames_before=PAGES)

    changes = register(registered, folder)

    (change,) = of(changes.datasets, "changed")
    assert change.dataset.dataset_name in {each.dataset.dataset_name for each in of(before.datasets, "new")}
    assert change.reason == "added wheel_00001_00002.tif"
    assert purged(changes) == {("links", "'wheel': added wheel_00001_00002.tif")}
    assert is_nothing(register(registered, folder))


def test_a_replaced_tif_of_the_same_name_drops_the_output_too(folder, registered):
    write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, COMBINED)
    aged(write_tif(folder / "wheel_00001_00001.tif", WHEEL.start, seed=77), COPIED + timedelta(hours=1))

    changes = register(registered, folder, COMBINED)

    replaced = "'wheel': replaced wheel_00001_00001.tif"
    assert purged(changes) == {("links", replaced), ("dataset", replaced)}


@pytest.fixture
def replaced(folder, registered):
    """Return the output of a folder that was registered with it, and again when a tif had been replaced."""
    root = write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, COMBINED)
    aged(write_tif(folder / "wheel_00001_00001.tif", WHEEL.start, seed=77), COPIED + timedelta(hours=1))
    register(registered, folder, COMBINED)
    return root


def test_an_output_does_not_come_back_after_a_tif_was_replaced(folder, registered, replaced):
    plan = plan_of(registered, folder, COMBINED)

    (output,) = plan.outputs
    assert (str(output.verdict), output.reason) == (
        "superseded",
        "made before wheel_00001_00001.tif was written; let Suite2p run again",
    )
    assert is_nothing(registered.register(plan))


def test_an_output_that_is_newer_than_a_replaced_tif_is_a_new_dataset(folder, registered, replaced):
    for path in replaced.rglob("*.npy"):
        aged(path, COPIED + timedelta(hours=2))

    changes = register(registered, folder, COMBINED)

    assert [each.dataset.bundle for each in of(changes.datasets, "new")] == ["fast/plane0"]


def test_a_curation_after_a_tif_was_replaced_makes_no_output_newer(folder, registered, replaced):
    aged(replaced / "plane0/iscell.npy", COPIED + timedelta(hours=2))

    assert is_nothing(register(registered, folder, COMBINED))


def test_copied_tifs_that_look_newer_than_their_output_are_registered_with_it(folder, registered):
    root = write_run(folder, OPEN_FIELD, WHEEL)
    for path in folder.glob("*.tif"):
        aged(path, COPIED + timedelta(hours=1))

    first = register(registered, folder, COMBINED)

    assert "fast/plane0" in {each.dataset.bundle for each in of(first.datasets, "new")}
    assert is_nothing(register(registered, folder, COMBINED))
    aged(folder / "wheel_00001_00001.tif", COPIED + timedelta(hours=2))
    aged(root / "plane0/F.npy", COPIED + timedelta(minutes=1))
    assert register(registered, folder, COMBINED).purges == ()


def test_a_file_that_was_only_touched_purges_nothing(folder, registered):
    register(registered, folder)
    aged(folder / "wheel_00001_00001.tif", COPIED + timedelta(hours=1))

    changes = register(registered, folder)

    (change,) = of(changes.datasets, "changed")
    assert str(change.difference) == "location"
    assert changes.purges == ()
    assert is_nothing(register(registered, folder))


def test_a_companion_that_arrives_later_is_a_new_dataset_and_purges_nothing(folder, registered):
    register(registered, folder)
    write_companions(folder, "wheel", 1)

    changes = register(registered, folder)

    assert {each.dataset.datasettype for each in of(changes.datasets, "new")} == {
        "wavesurfer",
        "tracking_openfield",
        "tracking_wheel",
        "tracking_video",
    }
    assert changes.purges == ()


def test_a_file_that_is_gone_is_told_and_its_rows_stay(folder, registered):
    register(registered, folder)
    (folder / "openfield_00001_00002.tif").unlink()

    changes = register(registered, folder)

    assert is_nothing(changes)
    (finding,) = changes.findings
    assert "day1/openfield_00001_00002.tif" in finding.message


def test_labels_that_were_swapped_for_others_of_the_same_size_and_time_are_a_curation(folder, registered):
    root = write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, COMBINED)
    path = root / "plane0" / "iscell.npy"
    before = path.stat()
    curate(root / "plane0", [False] * 5)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size

    (change,) = of(register(registered, folder, COMBINED).datasets, "changed")

    assert (str(change.difference), change.dataset.labels.cell_ids) == ("curation", frozenset())
    assert is_nothing(register(registered, folder, COMBINED))


def test_a_curated_output_purges_nothing_by_itself(folder, registered):
    root = write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, COMBINED)
    curate(root / "plane0", [False] * 5)

    changes = register(registered, folder, COMBINED)

    (change,) = of(changes.datasets, "changed")
    assert str(change.difference) == "curation"
    assert purged(changes) == set()


def test_an_output_that_was_run_again_purges_what_came_of_the_old(folder, registered):
    root = write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, COMBINED)
    np.save(root / "plane0/spks.npy", np.load(root / "plane0/spks.npy") + 1)
    aged(root / "plane0/spks.npy", COPIED + timedelta(hours=1))

    changes = register(registered, folder, COMBINED)

    assert purged(changes) == {("links", "'fast/plane0': replaced spks.npy")}


def test_an_output_that_is_gone_is_told_and_its_rows_stay(folder, registered):
    root = write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, COMBINED)
    shutil.rmtree(root)

    changes = register(registered, folder, COMBINED)

    assert is_nothing(changes)
    assert "fast/plane0" in changes.findings[0].message


@pytest.mark.parametrize("combined_first", [False, True])
def test_merged_planes_and_single_planes_take_each_others_place(folder, registered, combined_first):
    root = write_run(folder, OPEN_FIELD, WHEEL, num_planes=2)
    merged, away = root / "combined", folder.parent / "combined"
    if not combined_first:
        merged.rename(away)
    register(registered, folder, COMBINED)
    if combined_first:
        merged.rename(away)
    else:
        away.rename(merged)

    changes = register(registered, folder, COMBINED)

    reason = (
        "the planes are imported one by one now" if combined_first else "the planes are imported merged now"
    )
    assert purged(changes) == {("dataset", reason)}
    (metasession,) = registered.metasessions.values()
    assert {dataset.bundle for dataset in metasession.datasets} == (
        {"fast/plane0", "fast/plane1"} if combined_first else {"fast/combined"}
    )


@pytest.mark.parametrize("is_curated", [False, True])
def test_a_renamed_output_keeps_its_dataset(folder, registered, is_curated):
    root = write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, COMBINED)
    (before,) = (each for metasession in registered.stored for each in metasession.datasets)
    registered.import_cells(range(5))
    root = root.parent.rename(root.parent.with_name("best")) / root.name
    registered.mark_gone()
    if is_curated:
        curate(root / "plane0", [True, False, True, True, True])
        aged(root / "plane0" / "iscell.npy")

    changes = register(registered, folder, COMBINED)

    (change,) = (each for each in changes.datasets if each.dataset.datasettype == "suite2p_python")
    assert change.difference is (Difference.CURATION if is_curated else Difference.LOCATION)
    assert {seed for seed, _ in purged(changes)} == ({"links"} if is_curated else set())
    (metasession,) = registered.metasessions.values()
    (dataset,) = metasession.datasets
    assert (dataset.dataset_name, dataset.bundle) == (before.dataset_name, before.bundle)
    assert is_nothing(register(registered, folder, COMBINED))


def test_a_renamed_output_is_not_replaced_by_a_copy_with_other_cells(folder, registered):
    root = write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, COMBINED)
    copy = shutil.copytree(root.parent, root.parent.with_name("a copy")) / "suite2p"
    curate(root / "plane0", [True, False, True, True, True])
    aged(root / "plane0" / "iscell.npy")
    register(registered, folder, COMBINED)
    root = root.parent.rename(root.parent.with_name("renamed")) / "suite2p"
    registered.mark_gone()

    changes = register(registered, folder, COMBINED)

    assert purged(changes) == set()
    (change,) = (each for each in changes.datasets if each.dataset.datasettype == "suite2p_python")
    assert {Path(file.path).parts[-4] for file in change.dataset.files} == {"renamed"}
    assert any(str(copy.relative_to(folder)) in finding.message for finding in changes.findings)


def test_an_output_that_is_left_of_two_equal_ones_takes_the_place_of_both(folder, registered):
    root = write_run(folder, OPEN_FIELD, WHEEL, ops_name="good")
    write_run(folder, OPEN_FIELD, WHEEL, ops_name="best", tau=2.0)
    register(registered, folder, COMBINED)
    shutil.rmtree(root)
    shutil.copytree(root.parent.with_name("best") / "suite2p", root)
    for path in root.rglob("*.npy"):
        aged(path, COPIED + timedelta(days=1))
    register(registered, folder, COMBINED)
    shutil.rmtree(root)
    registered.mark_gone()

    changes = register(registered, folder, COMBINED)

    assert purged(changes) == {("dataset", "the same output is now best/plane0")}


def test_an_output_outside_the_place_of_runs_keeps_its_dataset_when_it_gets_an_option_set(folder, registered):
    write_run(folder, OPEN_FIELD, WHEEL).rename(folder / "suite2p")
    register(registered, folder, COMBINED)
    (before,) = (each for metasession in registered.stored for each in metasession.datasets)

    changes = register(registered, folder, replace(COMBINED, ops_name="fast"))

    assert purged(changes) == set()
    assert [each.new_name for each in changes.option_sets] == ["fast"]
    (metasession,) = registered.metasessions.values()
    assert [each.dataset_name for each in metasession.datasets] == [before.dataset_name]


def test_another_option_set_drops_the_old_output_and_is_set(folder, registered):
    write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, replace(COMBINED, ops_name="fast"))

    changes = register(registered, folder, replace(COMBINED, ops_name="slow"))

    reason = "the option set is now slow, no longer fast"
    assert purged(changes) == {("dataset", reason), ("run", reason)}
    (option_set,) = changes.option_sets
    assert (option_set.old_name, option_set.new_name) == ("fast", "slow")
    (told,) = changes.findings
    assert str(told.kind) == "option set"
    assert told.message == "of openfield + wheel: slow, no longer fast"
    assert is_nothing(register(registered, folder, replace(COMBINED, ops_name="slow")))


def test_files_of_an_output_that_is_dropped_are_not_missed_where_its_folder_was_moved(folder, registered):
    write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, replace(COMBINED, ops_name="fast"))
    moved = folder.rename(folder.with_name("archive"))
    registered.mark_gone()

    changes = register(registered, moved, replace(COMBINED, folder="archive", ops_name="slow"))

    assert {seed for seed, _ in purged(changes)} == {"dataset", "run"}
    (relocation,) = changes.relocations
    assert (relocation.folder, relocation.missed) == ("archive", ())


def test_an_option_set_of_equal_content_under_another_name_changes_nothing(folder, registered):
    write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, replace(COMBINED, ops_name="fast"))

    assert is_nothing(register(registered, folder, replace(COMBINED, ops_name="quick")))


def test_a_request_without_an_option_set_leaves_it_as_it_is(folder, registered):
    write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, replace(COMBINED, ops_name="fast"))

    assert is_nothing(register(registered, folder, COMBINED))


def test_an_output_whose_inputs_were_renamed_beside_it_is_purged(folder, registered):
    root = write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, COMBINED)
    names = [*OPEN_FIELD.tif_names, "other.tif"]
    shutil.rmtree(root)
    write_suite2p(root, Suite2pSpec(file_list=names, frames_per_file=(4,) * 4, settings={"tau": 1.0}))

    changes = register(registered, folder, COMBINED)

    (purge,) = changes.purges
    assert "other.tif" in purge.reason
    assert str(purge.seed) == "dataset"


@pytest.mark.parametrize("request_", [SPLIT, COMBINED])
def test_a_moved_folder_keeps_its_sessions_and_its_output(folder, registered, tmp_path, request_):
    if request_.combined:
        write_run(folder, OPEN_FIELD, WHEEL)
    first = register(registered, folder, request_)
    moved = folder.rename(tmp_path / "archive")
    registered.mark_gone()

    changes = register(registered, moved, replace(request_, folder="archive"))

    assert {str(each.verdict) for each in changes.sessions} == {"known"}
    assert {str(each.verdict) for each in changes.datasets} == {"changed"}
    assert changes.purges == ()
    assert {str(change.difference) for change in of(changes.datasets, "changed")} == {"location"}
    assert len(of(changes.datasets, "changed")) == len(of(first.datasets, "new"))
    assert kinds(changes) == {"moved"}
    assert {moved.folder for moved in changes.relocations} == {"archive"}
    assert all(moved.suite2p_folder.endswith(moved.metasession_name) for moved in changes.relocations)
    assert is_nothing(register(registered, moved, replace(request_, folder="archive")))


def test_a_moved_folder_that_lost_a_file_has_its_new_place(folder, registered, tmp_path):
    register(registered, folder, COMBINED)
    moved = folder.rename(tmp_path / "archive")
    (moved / "openfield_00002_00001.tif").unlink()
    registered.mark_gone()

    changes = register(registered, moved, replace(COMBINED, folder="archive"))

    (change,) = (
        each
        for each in changes.datasets
        if each.dataset.bundle == "openfield" and each.dataset.datasettype == "tif"
    )
    assert (str(change.verdict), str(change.difference)) == ("changed", "location")
    assert [file.path for file in change.dataset.files] == [
        "archive/openfield_00001_00001.tif",
        "archive/openfield_00001_00002.tif",
    ]
    assert changes.purges == ()


def test_an_earlier_acquisition_that_arrives_late_joins_the_session_that_is_there(tmp_path, registered):
    folder = write_folder(tmp_path / "day1", Timeseries("wheel", first_acquisition=2))
    first = register(registered, folder)
    write_folder(folder, Timeseries("wheel", files=(1,)))

    changes = register(registered, folder)

    assert of(changes.sessions, "new") == []
    assert kinds(changes) == {"late"}
    (change,) = of(changes.datasets, "changed")
    assert change.dataset.dataset_name == of(first.datasets, "new")[0].dataset.dataset_name
    assert [file.acquisition for file in change.dataset.files] == [1, 2]
    assert is_nothing(register(registered, folder))


def test_a_renamed_timeseries_keeps_its_session_and_dataset(tmp_path, registered):
    folder = write_folder(tmp_path / "day1", Timeseries("wheel"))
    first = register(registered, folder)
    (folder / "wheel_00001_00001.tif").rename(folder / "treadmill_00001_00001.tif")
    registered.mark_gone()

    changes = register(registered, folder)

    (change,) = of(changes.datasets, "changed")
    assert change.dataset.dataset_name == of(first.datasets, "new")[0].dataset.dataset_name
    assert str(change.difference) == "location"
    assert changes.purges == ()
    assert changes.relocations == ()
