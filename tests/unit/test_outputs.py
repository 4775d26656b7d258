import json
import os
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline import names
from imaging_pipeline.errors import StillCopyingError
from imaging_pipeline.ingest.comparison import compare
from imaging_pipeline.ingest.fingerprint import fingerprint
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import Request
from imaging_pipeline.readers.suite2p.output import MARKER_NAME
from tests.makers.folders import COPIED, START, Timeseries, aged, write_file, write_folder, write_suite2p
from tests.makers.suite2p_output import Suite2pSpec, curate
from tests.makers.suite2p_window import merge

REQUEST = Request("moser", "day1", "2Pminiscope_A", True, "90218", 0, "fast")
OPTIONS = {
    "fast": {"tau": 1.0, "registration": {"nonrigid": False}},
    "slow": {"tau": 2.0},
    "auto": {"tau": 1.0, "registration": {"batch_size": "auto"}},
    "estimated": {"tau": 1.0, "diameter": 0},
    "measured": {"tau": 1.0, "diameter": [12.0, 12.0]},
}
OPEN_FIELD = Timeseries("90218-openfield", files=(2,))
WHEEL = Timeseries("90218-wheel", START + timedelta(hours=1))
TIFS = (*OPEN_FIELD.tif_names, *WHEEL.tif_names)
SPEC = Suite2pSpec(file_list=TIFS, frames_per_file=(4, 4, 4))


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "day1", OPEN_FIELD, WHEEL)


def plan_of(folder, assigned=None, **changes):
    return make_plan(replace(REQUEST, **changes), scan(folder), {}, OPTIONS, assigned_options=assigned)


def metasession_of(folder):
    (metasession,) = plan_of(folder).metasessions
    return metasession


def run_folder(folder, ops_name="fast"):
    return folder / metasession_of(folder).suite2p_folder.removeprefix("day1/") / ops_name


def verdict_of(plan):
    (output,) = plan.outputs
    return str(output.verdict), output.reason


def imported_files(plane_folder):
    """Return all that Suite2p wrote but for an array that the import has no use for."""
    return {path.name for path in plane_folder.glob("*.npy")} - {"zcorr.npy"}


def bundles(plan):
    return [dataset.bundle for metasession in plan.metasessions for dataset in metasession.datasets]


def write_note(target, **note):
    return write_file(target / MARKER_NAME, json.dumps(note).encode())


def test_a_finished_output_is_a_dataset_of_its_metasession(folder):
    root = write_suite2p(run_folder(folder) / "suite2p", SPEC)

    plan = plan_of(folder)

    (metasession,) = plan.metasessions
    (dataset,) = metasession.datasets
    assert verdict_of(plan)[0] == "finished"
    assert dataset.dataset_name == names.dataset_name(
        metasession.metasession_name, "suite2p_python", "fast/plane0"
    )
    assert (dataset.bundle, dataset.filetype) == ("fast/plane0", "npy")
    assert {file.name for file in dataset.files} == imported_files(root / "plane0")
    assert all(file.path.startswith(metasession.suite2p_folder) for file in dataset.files)


def test_planes_that_suite2p_did_not_combine_are_datasets_of_their_own(folder):
    write_suite2p(run_folder(folder), replace(SPEC, num_planes=2, combined=False))

    assert bundles(plan_of(folder)) == ["fast/plane0", "fast/plane1"]


def test_the_combined_planes_are_preferred_over_each(folder):
    root = write_suite2p(run_folder(folder) / "suite2p", replace(SPEC, num_planes=2))

    plan = plan_of(folder)

    assert bundles(plan) == ["fast/combined"]
    unused = [report for report in plan.files if f"{root.name}/plane0/" in report.path]
    assert unused
    assert {report.verdict for report in unused} == {"ignored"}


@pytest.mark.parametrize("generation", ["0.x", "1.x"])
def test_an_old_folder_is_known_by_its_list_of_files(folder, generation):
    write_suite2p(folder / "suite2p", replace(SPEC, generation=generation))

    assert bundles(plan_of(folder)) == ["fast/plane0"]
    assert bundles(plan_of(folder, ops_name=None)) == ["suite2p/plane0"]


def test_planes_may_lie_in_the_folder_itself(folder):
    write_suite2p(folder, SPEC)

    plan = plan_of(folder)

    assert bundles(plan) == ["fast/plane0"]
    assert len(plan.metasessions[0].sessions) == 2


def test_a_split_session_finds_its_own_output_by_files(folder):
    write_suite2p(folder / "analysis/suite2p", Suite2pSpec(file_list=WHEEL.tif_names, frames_per_file=(4,)))

    plan = plan_of(folder, combined=False)

    assert [len(metasession.datasets) for metasession in plan.metasessions] == [0, 1]


def test_an_output_of_the_combined_sessions_is_foreign_to_the_split_ones(folder):
    write_suite2p(run_folder(folder), SPEC)

    verdict, reason = verdict_of(plan_of(folder, combined=False))

    assert verdict == "foreign"
    assert "combined" in reason


@pytest.mark.parametrize(
    ("file_list", "told"),
    [
        (TIFS[:2], "made without 90218-wheel_00001_00001.tif"),
        ((*TIFS, "other_00001.tif"), "made also of other_00001.tif"),
        ((TIFS[1], TIFS[0], TIFS[2]), "another order"),
    ],
)
def test_an_output_of_other_files_is_superseded(folder, file_list, told):
    spec = replace(SPEC, file_list=file_list, frames_per_file=(4,) * len(file_list))
    write_suite2p(run_folder(folder), spec)

    plan = plan_of(folder)

    verdict, reason = verdict_of(plan)
    assert verdict == "superseded"
    assert told in reason
    assert reason.endswith("let Suite2p run again")
    assert bundles(plan) == []


def test_an_output_of_unknown_files_is_foreign(folder):
    write_suite2p(folder / "suite2p", replace(SPEC, file_list=("x.tif",), frames_per_file=(12,)))

    assert verdict_of(plan_of(folder)) == (
        "foreign",
        "none of its input files is of a session of this folder; move it to the folder of its tifs",
    )


def test_an_output_that_is_being_copied_lets_the_request_wait(folder):
    root = write_suite2p(run_folder(folder) / "suite2p", SPEC)
    (root / "plane0/F.npy").unlink()
    now = COPIED.replace(tzinfo=None) + timedelta(minutes=10)
    aged(root / "plane0/stat.npy", COPIED + timedelta(minutes=10))

    with pytest.raises(StillCopyingError, match="stat.npy"):
        make_plan(REQUEST, scan(folder), {}, OPTIONS, now=now)


def test_an_output_of_full_size_lets_the_request_wait_until_it_has_rested(folder):
    root = write_suite2p(run_folder(folder) / "suite2p", SPEC)
    now = COPIED.replace(tzinfo=None) + timedelta(minutes=10)
    aged(root / "plane0/F.npy", COPIED + timedelta(minutes=10))

    with pytest.raises(StillCopyingError, match="F.npy"):
        make_plan(REQUEST, scan(folder), {}, OPTIONS, now=now)


def test_an_output_without_labels_that_are_numbers_is_not_finished(folder):
    root = write_suite2p(run_folder(folder), SPEC)
    labels = np.load(root / "plane0" / "iscell.npy")
    np.save(root / "plane0" / "iscell.npy", np.full_like(labels, np.nan))
    aged(root / "plane0" / "iscell.npy")

    verdict, reason = verdict_of(plan_of(folder))

    assert verdict == "incomplete"
    assert "iscell.npy. Found: nan and the like for 5 of 5 ROIs" in reason


def test_a_report_says_what_of_an_output_is_left_out(folder):
    root = write_suite2p(run_folder(folder), replace(SPEC, num_planes=2))
    curate(root / "plane1", [True, False, True, True, True])

    plan = plan_of(folder)

    (output,) = plan.outputs
    (finding,) = compare(plan, []).findings
    assert finding.message == f"of the output in {output.path}: {output.remarks[0]}"
    assert "they differ for 1 ROI of plane1" in finding.message


def test_a_curation_need_not_rest(folder):
    root = write_suite2p(run_folder(folder) / "suite2p", SPEC)
    now = COPIED.replace(tzinfo=None) + timedelta(minutes=10)
    aged(root / "plane0/iscell.npy", COPIED + timedelta(minutes=10))

    assert bundles(make_plan(REQUEST, scan(folder), {}, OPTIONS, now=now)) == ["fast/plane0"]


def test_an_output_of_the_pipeline_need_not_rest(folder):
    target = run_folder(folder)
    root = write_suite2p(target / "suite2p", SPEC)
    write_note(target, ops_name="fast")
    now = COPIED.replace(tzinfo=None) + timedelta(minutes=10)
    aged(root / "plane0/F.npy", COPIED + timedelta(minutes=10))

    assert bundles(make_plan(REQUEST, scan(folder), {}, OPTIONS, now=now)) == ["fast/plane0"]


@pytest.mark.parametrize("generation", ["0.x", "1.x"])
def test_an_output_of_other_options_is_superseded_and_says_which(folder, generation):
    write_suite2p(folder / "suite2p", replace(SPEC, generation=generation, settings={"tau": 1.5}))

    verdict, reason = verdict_of(plan_of(folder))

    assert verdict == "superseded"
    assert "tau_s 1.5 instead of 1.0" in reason


def test_a_report_says_what_of_the_options_was_compared(folder):
    write_suite2p(folder / "suite2p", SPEC)

    assert verdict_of(plan_of(folder)) == ("finished", "options of 'fast' compared: tau_s, nonrigid")
    assert "not compared" in verdict_of(plan_of(folder, ops_name=None))[1]


def test_a_batch_size_that_suite2p_chooses_is_not_compared(folder):
    write_suite2p(folder / "suite2p", SPEC)

    assert verdict_of(plan_of(folder, ops_name="auto")) == ("finished", "options of 'auto' compared: tau_s")


@pytest.mark.parametrize(("made", "asked"), [(12, "estimated"), (0, "measured")])
def test_a_diameter_that_suite2p_estimates_is_not_compared(folder, made, asked):
    write_suite2p(folder / "suite2p", replace(SPEC, generation="0.x", settings={"diameter": made}))

    verdict, reason = verdict_of(plan_of(folder, ops_name=asked))

    assert (verdict, reason) == ("finished", f"options of '{asked}' compared: tau_s")


def test_our_own_note_decides_on_the_options(folder):
    target = run_folder(folder)
    write_suite2p(target / "suite2p", replace(SPEC, settings={"tau": 9.0}))
    write_note(target, ops_name="fast", settings_hash=names.settings_hash(OPTIONS["fast"]))
    assert verdict_of(plan_of(folder)) == ("finished", "its settings are those of 'fast'")

    write_note(target, ops_name="fast", settings_hash="0123456789abcdef")
    assert verdict_of(plan_of(folder)) == (
        "superseded",
        "its settings are not those of 'fast'; let Suite2p run again",
    )


def test_options_that_an_earlier_version_noted_otherwise_are_compared_by_what_they_mean(folder):
    target = run_folder(folder)
    write_suite2p(target / "suite2p", SPEC)
    former = OPTIONS["fast"] | {"nplanes": None, "nchannels": None, "functional_chan": None}
    for options, verdict in ((former, "finished"), (former | {"functional_chan": 2}, "superseded")):
        write_note(target, ops_name="fast", settings_hash=names.settings_hash(options), options=options)
        assert verdict_of(plan_of(folder))[0] == verdict


def test_our_own_note_betrays_a_replaced_tif(folder):
    target = run_folder(folder)
    write_suite2p(target / "suite2p", SPEC)
    fingerprints = [fingerprint(folder / name) for name in TIFS]
    write_note(target, contents_hash=names.contents_hash(fingerprints))
    assert verdict_of(plan_of(folder))[0] == "finished"

    write_note(target, contents_hash=names.contents_hash(["0" * 16, *fingerprints[1:]]))
    assert verdict_of(plan_of(folder)) == (
        "superseded",
        "made of files of the same names with other content; let Suite2p run again",
    )


def test_the_record_of_a_run_is_ignored_by_rule(folder):
    target = run_folder(folder)
    write_suite2p(target / "suite2p", SPEC)
    write_note(target, ops_name="fast")
    write_file(target / "run.log")

    found = {Path(report.path).name: report for report in plan_of(folder).files}

    assert {found[name].verdict for name in (MARKER_NAME, "run.log")} == {"ignored"}


def test_an_output_of_another_option_set_waits_for_no_import(folder):
    write_suite2p(run_folder(folder, "slow"), replace(SPEC, settings={"tau": 2.0}))

    assert verdict_of(plan_of(folder))[0] == "superseded"
    assert bundles(plan_of(folder, ops_name="slow")) == ["slow/plane0"]


def test_a_request_without_an_option_set_means_the_one_that_is_assigned(folder):
    for ops_name, tau in (("fast", 1.0), ("slow", 2.0)):
        write_suite2p(run_folder(folder, ops_name), replace(SPEC, settings={"tau": tau}))
    name = metasession_of(folder).metasession_name

    assert bundles(plan_of(folder, ops_name=None)) == ["fast/plane0", "slow/plane0"]
    assert bundles(plan_of(folder, {name: "slow"}, ops_name=None)) == ["slow/plane0"]


def test_of_two_equal_outputs_the_one_in_our_place_is_used(folder):
    write_suite2p(folder / "suite2p", SPEC)
    write_suite2p(run_folder(folder) / "suite2p", SPEC)

    plan = plan_of(folder)

    assert bundles(plan) == ["fast/plane0"]
    assert {output.path.split("/")[1][:8]: str(output.verdict) for output in plan.outputs} == {
        "combined": "finished",
        "suite2p": "superseded",
    }


def test_of_two_outputs_with_other_regions_it_is_told_which_one_is_used(folder):
    """A copy was made before a person merged regions in the original."""
    root = write_suite2p(folder / "suite2p", SPEC)
    copy = folder / "before_merging" / "suite2p"
    shutil.copytree(root, copy)
    merge(root / "plane0", (0, 3))
    for path in (*root.glob("*/*.npy"), *copy.glob("*/*.npy")):
        aged(path)

    reports = {output.path: output for output in plan_of(folder).outputs}

    used, other = reports["day1/before_merging/suite2p"], reports["day1/suite2p"]
    assert (used.verdict, used.remarks) == ("finished", ())
    told = "another output of the same tifs, in 'before_merging/suite2p', is used"
    assert (other.verdict, other.reason) == ("superseded", told)
    (remark,) = other.remarks
    assert remark.startswith("its regions or traces are others than those of the output in 'before_merging/")
    assert "until you move it out of the folder" in remark


def test_set_aside_and_unfinished_outputs_are_ignored_by_rule(folder):
    place = run_folder(folder)
    write_suite2p(place.with_name("fast.superseded-20240101") / "suite2p", SPEC)
    write_suite2p(place.with_name(".fast.partial-0123") / "suite2p", SPEC)

    plan = plan_of(folder)

    assert plan.outputs == ()
    assert {report.verdict for report in plan.files if "combined_" in report.path} == {"ignored"}


def test_content_that_would_run_a_program_is_foreign(folder):
    class Danger:
        def __reduce__(self):
            return os.getcwd, ()

    root = write_suite2p(folder / "suite2p", SPEC)
    for name in ("ops.npy", "db.npy", "settings.npy"):
        np.save(root / "plane0" / name, np.array(Danger(), dtype=object), allow_pickle=True)
        aged(root / "plane0" / name)

    assert verdict_of(plan_of(folder))[0] == "foreign"


@pytest.mark.parametrize("generation", ["0.x", "1.x"])
def test_all_that_suite2p_wrote_of_two_channels_is_of_the_dataset(folder, generation):
    root = write_suite2p(folder / "suite2p", replace(SPEC, generation=generation, num_channels=2))

    (dataset,) = plan_of(folder).metasessions[0].datasets

    assert {file.name for file in dataset.files} == imported_files(root / "plane0")


def test_an_array_of_a_persons_own_beside_an_output_is_no_part_of_it(folder):
    root = write_suite2p(folder / "suite2p", SPEC)
    before = plan_of(folder)
    write_file(root / "plane0/iscell_before_curation.npy")

    plan = plan_of(folder)

    assert plan.metasessions == before.metasessions
    (report,) = (report for report in plan.files if "before_curation" in report.path)
    assert (report.verdict, report.reason) == (
        "ignored",
        "of a finished Suite2p output, and not needed for its import",
    )


def test_every_file_of_an_output_is_accounted_for(folder):
    root = write_suite2p(run_folder(folder) / "suite2p", SPEC)
    write_file(root / "plane0/data.bin")
    write_file(root / "plane0/reg_tif/file000.tif")
    write_file(root / "plane0/notes.txt")

    plan = plan_of(folder)

    found = {report.path.removeprefix("day1/"): report for report in plan.files}
    assert set(found) == {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert all(report.reason and report.verdict != "unknown" for report in found.values())
