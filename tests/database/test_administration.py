"""What an administrator does, as functions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from imaging_pipeline.errors import InputError, PathError, PipelineError
from imaging_pipeline.names import settings_hash
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer import administration
from imaging_pipeline.suite2p_runner.options import load_options, translate
from tests.makers.furnished import PARTS
from tests.makers.lab import Lab

DAY = date(2026, 3, 14)


def test_a_user_is_added_once(lab: Lab) -> None:
    added = administration.add_user(tables.default_tables(), " bo ", email="bo@example.org", is_staff=True)
    assert added == administration.Added("bo", is_new=True)
    assert administration.add_user(tables.default_tables(), "bo") == administration.Added("bo", is_new=False)
    row = (imaging.User & {"username": "bo"}).fetch1()
    assert (row["email"], bool(row["is_active"]), bool(row["is_staff"])) == ("bo@example.org", True, True)
    account = tables.default_tables().connection.get_user()
    assert imaging.Change().fetch1("change_username", "change_action") == (account, "added the user")


def test_a_user_is_not_changed_by_adding_again(lab: Lab) -> None:
    with pytest.raises(InputError, match="there already with other values.*first_name is 'Anna', not 'Ann'"):
        administration.add_user(tables.default_tables(), "anna", first_name="Ann")
    with pytest.raises(InputError, match="Found: email is .*not 'a@b.no'.*Leave out what differs"):
        administration.add_user(tables.default_tables(), "anna", email="a@b.no")


@pytest.mark.parametrize("name", ["", "  ", "an\nna", "x" * 65])
def test_a_name_that_cannot_be_is_refused(lab: Lab, name: str) -> None:
    with pytest.raises(InputError):
        administration.add_user(tables.default_tables(), name)


def test_a_scope_is_added_once(lab: Lab) -> None:
    handle = tables.default_tables()
    assert administration.add_scope(handle, "mini2p", notes="second").is_new
    assert not administration.add_scope(handle, "mini2p").is_new
    with pytest.raises(InputError, match="other values"):
        administration.add_scope(handle, "mini2p", notes="third")


def test_a_repository_gets_its_roots(lab: Lab) -> None:
    added = administration.add_repository(
        tables.default_tables(), "archive", ['"F:\\"', "\\\\server\\archive"]
    )
    assert added == administration.AddedRepository("archive", True, ("F:\\", "\\\\server\\archive"), ())
    again = administration.add_repository(
        tables.default_tables(), "archive", ["f:/", "/mnt/archive", "/mnt/archive/"]
    )
    assert again == administration.AddedRepository(
        "archive", False, ("/mnt/archive",), ("f:/", "/mnt/archive/")
    )
    roots = {root.root for root in tables.default_tables().roots() if root.repository_name == "archive"}
    assert roots == {"F:\\", "\\\\server\\archive", "/mnt/archive"}


def test_a_root_of_another_repository_is_refused_with_its_owner(lab: Lab) -> None:
    with pytest.raises(InputError, match=r"n:/Moser/ belongs to the repository 'moser'"):
        administration.add_repository(tables.default_tables(), "archive", ["/mnt/archive", "n:/Moser/"])
    assert not imaging.Repository & {"repository_name": "archive"}


def test_a_root_below_one_of_another_repository_is_its_own(lab: Lab) -> None:
    assert administration.add_repository(tables.default_tables(), "old", ["N:\\moser\\old"]).new_roots


@pytest.mark.parametrize("root", ["moser", "", "..\\moser", "\\\\server"])
def test_a_root_that_is_no_whole_path_is_refused(lab: Lab, root: str) -> None:
    with pytest.raises(PathError, match="whole path.*The administrator's move"):
        administration.add_repository(tables.default_tables(), "archive", [root])
    assert not imaging.Repository & {"repository_name": "archive"}


def test_a_setup_gets_its_parts(lab: Lab) -> None:
    added = administration.add_setup(
        tables.default_tables(), "rig", DAY, "2Pminiscope_A", note="new", parts=PARTS
    )
    assert added == administration.AddedSetup("rig", True, DAY, ("Sync", "Tracking1D", "Labview"), ())
    lines = imaging.Setup.Sync().to_dicts(order_by="sync_name")
    assert [(line["sync_name"], bool(line["master"]), line["tolerance"]) for line in lines] == [
        ("cam", False, 0.5),
        ("frames", True, 0.0),
    ]
    assert imaging.Setup.Labview().fetch1("labview_config") == {"rate": 100, "lines": ["a", "b"]}


def test_a_setup_added_again_gets_only_the_parts_that_it_lacks(lab: Lab) -> None:
    handle = tables.default_tables()
    administration.add_setup(handle, "rig", DAY, "2Pminiscope_A", parts=PARTS)
    more = PARTS | {"Treadmill": {"calibration": 0.25}}
    again = administration.add_setup(handle, "rig", DAY, "2Pminiscope_A", parts=more)
    assert again == administration.AddedSetup(
        "rig", False, DAY, ("Treadmill",), ("Sync", "Tracking1D", "Labview")
    )
    assert len(imaging.Setup.Sync()) == 2


@pytest.mark.parametrize("part", [{"Tracking1D": {"encoder_steps": 512}}, {"Sync": PARTS["Sync"][:1]}])
def test_a_calibration_is_never_changed(lab: Lab, part: dict) -> None:
    handle = tables.default_tables()
    administration.add_setup(handle, "rig", DAY, "2Pminiscope_A", parts=PARTS)
    with pytest.raises(InputError, match="there already with other values"):
        administration.add_setup(handle, "rig", DAY, "2Pminiscope_A", parts=part)
    later = administration.add_setup(handle, "rig", date(2026, 4, 1), "2Pminiscope_A", parts=part)
    assert later.is_new


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"Synk": []}, r"has no 'Synk'. Found: Synk \(like Sync\?\). Allowed: .*Treadmill"),
        (
            {"Tracking1D": {"encoder_step": 3}},
            r"has no 'encoder_step'.*like encoder_steps.*Allowed: .*encoder_steps",
        ),
        ({"Tracking1D": {}}, "lacks encoder_steps"),
        ({"Tracking1D": {"encoder_steps": 1.5}}, "cannot have this encoder_steps.*a whole number"),
        ({"Tracking1D": [{"encoder_steps": 3}]}, "a group of names and values"),
        ({"Treadmill": {"calibration": float("nan")}}, "cannot have this calibration.*a number"),
        ({"Tracking1D": {"encoder_steps": 3, "setup_name": "x"}}, "has no 'setup_name'"),
        ({"Sync": [PARTS["Sync"][0] | {"polarity": "up"}]}, "cannot have this polarity.*rising, falling"),
        ({"Sync": [PARTS["Sync"][0], PARTS["Sync"][0]]}, "a line twice.*frames"),
        ({"Sync": [PARTS["Sync"][0], PARTS["Sync"][1] | {"master": True}]}, "several masters.*frames, cam"),
        ({"Sync": [PARTS["Sync"][1] | {"tolerance": -1}]}, "tolerance below 0.*cam"),
        ({"Labview": {"labview_config": "text"}}, "cannot have this labview_config"),
    ],
)
def test_parts_that_cannot_be_are_refused(lab: Lab, parts: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        administration.add_setup(tables.default_tables(), "rig", DAY, "2Pminiscope_A", parts=parts)
    assert not imaging.Setup()


def test_a_setup_is_for_an_experiment_type_that_there_is(lab: Lab) -> None:
    with pytest.raises(InputError, match="no experiment_type '2pminiscope'.*2Pminiscope_A"):
        administration.add_setup(tables.default_tables(), "rig", DAY, "2pminiscope")


def test_an_option_set_is_told_in_the_words_of_todays_suite2p(lab: Lab) -> None:
    given = {
        "tau": 1.5,
        "nonrigid": False,
        "functional_chan": 2,
        "save_path0": "/somewhere",
        "preclassify": 0.0,
    }
    added = administration.add_options(tables.default_tables(), "fast", given)
    row = imaging.Suite2pyOps().fetch1()
    # A place is no option.
    assert row["ops"] == {name: value for name, value in given.items() if name != "save_path0"}
    assert row["ops_settings"]["registration"] == {"nonrigid": False}
    assert dict(added.not_carried) == row["ops_not_carried"]
    assert "save_path0" in added.not_carried
    again = translate(row["ops_settings"])
    assert again.db == {"functional_chan": 2}
    assert row["ops_hash"] == added.ops_hash == settings_hash(row["ops_settings"])


def test_the_same_content_is_the_same_set_and_another_content_needs_another_name(lab: Lab) -> None:
    handle = tables.default_tables()
    first = administration.add_options(handle, "fast", {"tau": 1.0, "neucoeff": 0.7})
    again = administration.add_options(
        handle, "fast", {"extraction": {"neuropil_coefficient": 0.7}, "tau": 1}
    )
    assert (first.is_new, again.is_new) == (True, False)
    assert again.ops_hash == first.ops_hash
    other = administration.add_options(handle, "quick", {"tau": 1.0, "neucoeff": 0.7})
    assert (other.is_new, other.alike) == (True, ("fast",))
    with pytest.raises(InputError, match="Take another name"):
        administration.add_options(handle, "fast", {"tau": 2.0})
    with pytest.raises(InputError, match="differs in case only"):
        administration.add_options(handle, "Fast", {"tau": 1.0, "neucoeff": 0.7})


@pytest.mark.parametrize(
    "name", ["a/b", "..", "plane0", "Combined", "suite2p", "Matlab", "aux", "fast.", ".fast", "a:b", "x" * 65]
)
def test_a_name_that_no_folder_can_have_is_refused(lab: Lab, name: str) -> None:
    with pytest.raises(InputError, match="cannot have this name"):
        administration.add_options(tables.default_tables(), name, {"tau": 1.0})


def test_an_option_that_suite2p_does_not_know_is_refused(lab: Lab) -> None:
    with pytest.raises(InputError, match="tua"):
        administration.add_options(tables.default_tables(), "fast", {"tua": 1.0})


def test_a_real_option_set_is_added(lab: Lab, samples: Path) -> None:
    file = samples / "suite2p_options" / "GCaMP6S_P2_C1_7.25Hz_MEC.npy"
    added = administration.add_options(tables.default_tables(), file.stem, load_options(file))
    assert added.is_new
    assert not administration.add_options(tables.default_tables(), file.stem, load_options(file)).is_new


@pytest.mark.parametrize(
    ("add", "field"),
    [
        (lambda bound: administration.add_user(bound, "x" * 65), "username"),
        (lambda bound: administration.add_user(bound, " "), "username"),
        (lambda bound: administration.add_user(bound, "bo", email="x" * 256), "email"),
        (lambda bound: administration.add_scope(bound, "mini", notes="x" * 1025), "scope_notes"),
        (lambda bound: administration.add_apparatus(bound, "box", "cage"), "category"),
        (lambda bound: administration.add_repository(bound, "other", ["moser"]), "roots"),
        (lambda bound: administration.add_repository(bound, "other", ["/" + "x" * 255]), "roots"),
        (lambda bound: administration.add_setup(bound, "wheel", DAY, "2P"), "experiment_type"),
        (
            lambda bound: administration.add_setup(
                bound, "wheel", DAY, "2Pminiscope_A", parts={"Tracking1D": {"encoder_steps": "many"}}
            ),
            "parts",
        ),
        (
            lambda bound: administration.add_setup(bound, "wheel", DAY, "2Pminiscope_A", parts={"Motor": {}}),
            "parts",
        ),
        (lambda bound: administration.add_options(bound, "suite2p", {"tau": 0.7}), "ops_name"),
    ],
)
def test_an_error_names_the_field_that_it_is_about(lab: Lab, add: Callable, field: str) -> None:
    with pytest.raises(PipelineError) as error:
        add(tables.default_tables())
    assert error.value.field == field
