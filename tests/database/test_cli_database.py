"""The commands of an administrator, as typed."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from imaging_pipeline import passwords
from imaging_pipeline.cli import main
from imaging_pipeline.schemas import imaging, mlims
from tests.makers.config_file import write_config
from tests.makers.lab import Lab
from tests.makers.options_0x import default_ops

Run = Callable[..., Result]


@pytest.fixture
def run(lab: Lab, tmp_path: Path) -> Run:
    """Return a function that runs a command on the lab's database."""
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")
    return lambda *arguments: CliRunner().invoke(main, ["--config", str(config), *map(str, arguments)])


def lines(text: str) -> list[list[str]]:
    """Return the words of each line."""
    return [line.split() for line in text.splitlines()]


def npy_of(value: object) -> bytes:
    """Return a file of numpy's that holds any object, pickled."""
    file = io.BytesIO()
    np.save(file, np.array(value, object))
    return file.getvalue()


def test_init_db_may_run_again_and_names_the_time_zone(run: Run) -> None:
    result = run("init-db")
    assert result.exit_code == 0
    assert "test_imaging are ready" in result.stdout
    assert "Recording times are those of Europe/Oslo." in result.stdout


def test_a_user_is_added_and_listed(run: Run) -> None:
    assert run("users", "add", "bo", "--first-name", "Bo", "--staff").stdout == "Added the user bo.\n"
    assert run("users", "add", "bo").stdout == "The user bo is there already.\n"
    assert ["bo", "Bo", "yes", "yes"] in lines(run("users", "list").stdout)


def test_a_command_prints_no_messages_of_datajoint(lab: Lab, tmp_path: Path) -> None:
    config = write_config(dataclasses.replace(lab.config, loglevel="INFO"), tmp_path / "dj_local_conf.json")
    program = "import sys; from imaging_pipeline.cli import main; main(sys.argv[1:])"
    ran = subprocess.run(
        [sys.executable, "-c", program, "--config", str(config), "scope", "list"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert lines(ran.stdout) == [["name", "notes"]]


def test_an_error_of_a_command_on_the_database_is_one_message(run: Run) -> None:
    result = run("users", "add", "anna", "--first-name", "Ann")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The user anna is there already with other values.")
    assert "Traceback" not in result.stderr


def test_a_repository_is_listed_with_its_folder_on_this_machine(run: Run, lab: Lab) -> None:
    added = run("repository", "add", "archive", "--root", "'F:\\'", "--root", "\\\\server\\share")
    assert "Added the repository archive." in added.stdout
    assert "Added the root F:\\." in added.stdout
    assert "This machine: not in the configuration." in added.stdout
    again = run("repository", "add", "archive", "--root", "f:\\")
    assert "The root f:\\ is there already." in again.stdout
    listed = lines(run("repository", "list").stdout)
    assert ["archive", "F:\\,", "\\\\server\\share", "not", "in", "the", "configuration"] in listed
    assert ["moser", "N:\\moser", str(lab.share)] in listed


def test_a_repository_that_is_not_mounted_is_listed_as_such(run: Run, lab: Lab) -> None:
    lab.share.rmdir()
    assert f"{lab.share} (not mounted)" in run("repository", "list").stdout


def test_a_setup_is_added_with_its_parts_and_listed(run: Run, tmp_path: Path) -> None:
    parts = tmp_path / "parts.json"
    parts.write_text(json.dumps({"Tracking1D": {"encoder_steps": 1024}}))
    arguments = ("rig", "--date", "2026-03-14", "--experiment-type", "2Pminiscope_A", "--parts", parts)
    added = run("setup", "add", *arguments)
    assert added.stdout == "Added the setup rig of 2026-03-14.\nAdded the part Tracking1D.\n"
    assert ["rig", "2026-03-14", "2Pminiscope_A", "Tracking1D"] in lines(run("setup", "list").stdout)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_parts_that_are_no_json_object_are_refused(run: Run, tmp_path: Path, text: str) -> None:
    parts = tmp_path / "parts.json"
    parts.write_text(text)
    result = run("setup", "add", "rig", "--date", "2026-03-14", "--experiment-type", "x", "--parts", parts)
    assert result.exit_code == 1
    assert f"File: {parts}. Found: " in result.stderr
    assert "The administrator's move." in result.stderr


def test_a_scope_is_added_and_listed(run: Run) -> None:
    assert run("scope", "add", "mini2p", "--notes", "the [second]").exit_code == 0
    assert ["mini2p", "the", "[second]"] in lines(run("scope", "list").stdout)


def test_an_apparatus_is_added_and_listed(run: Run) -> None:
    added = run("apparatus", "add", "wheel", "--category", "treadmill", "--note", "10 cm")
    assert added.stdout == "Added the apparatus wheel.\n"
    assert ["wheel", "treadmill", "10", "cm"] in lines(run("apparatus", "list").stdout)
    refused = run("apparatus", "add", "box", "--category", "arenas")
    assert "There is no category 'arenas'. Found: arenas (like arena?)." in refused.stderr


def test_a_user_gets_another_role(run: Run) -> None:
    assert run("users", "role", "anna", "administrator").stdout == "anna is an administrator.\n"
    assert run("users", "role", "anna", "administrator").stdout == "anna is an administrator already.\n"
    assert run("users", "role", "anna", "experimenter").stdout == "anna is an experimenter.\n"
    assert not imaging.User.fetch1("is_staff")
    assert run("users", "role", "nobody", "experimenter").exit_code == 1


def test_an_old_option_set_is_added_and_options_that_suite2p_no_longer_has_are_named(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "ops.npy"
    np.save(file, np.array(default_ops("0.12.0") | {"1Preg": True, "preclassify": 0.3}, dtype=object))
    added = run("options", "add", "old", file)
    assert added.stdout.startswith("Added the option set old.\nOf this set has no effect:\n")
    assert (
        "  frames_include, force_refImg, pad_fft: Suite2p 1.x has no such step or option.\n" in added.stdout
    )
    assert (
        "  1Preg: Suite2p 1.x has no filter for one-photon movies: this set will give other" in added.stdout
    )
    assert "  preclassify: 0.x asked only whether it is above 0" in added.stdout
    assert "save_path0" in added.stdout


def test_an_option_set_is_added_and_options_without_effect_are_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ops.json"
    file.write_text(json.dumps({"tau": 1.5, "nonrigid": False, "save_path0": "/x", "fast_disk": "/y"}))
    added = run("options", "add", "fast", file)
    assert added.stdout.startswith("Added the option set fast.\nOf this set has no effect:\n")
    assert "  save_path0, fast_disk: " in added.stdout
    assert run("options", "add", "fast", file).stdout.startswith("The option set fast is there already.")
    assert "The same content has fast." in run("options", "add", "quick", file).stdout
    row = (imaging.Suite2pyOps & {"ops_name": "fast"}).fetch1()
    assert ["fast", "2", "2", row["ops_hash"]] in [
        words[:4] for words in lines(run("options", "list").stdout)
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("ops.json", '{"registration": {"nonrigd": 1}}', ("nonrigd (like registration.nonrigid", "Correct")),
        ("ops.json", '{"nonrigd": 1, "neucoeff": 0.7}', ("nonrigd (like nonrigid", "Correct or remove")),
        ("ops.json", '{"fs": "fast"}', ("option fs ", "Found: 'fast'. Allowed: a number.", "Correct")),
        ("ops.json", '{"nplanes": [1, 2]}', ("option nplanes", "[1, 2]. Allowed: a whole number", "Correct")),
        ("ops.json", '{"neucoeff": "a"}', ("option neucoeff", "Found: 'a'. Allowed: a number", "Correct")),
        ("ops.json", '{"smooth_sigma": [1]}', ("option smooth_sigma", "[1]. Allowed: a number", "Correct")),
        ("ops.json", '{"tau": NaN}', ("option tau", "Found: 'nan'. Allowed: a number", "Correct")),
        ("ops.json", "[1]", ("holds no option set", "Found: list. Allowed: a dictionary", "Save")),
        ("ops.json", '{"tau": 1.5', ("is no JSON", "Found: Expecting", "Correct the file")),
        ("ops.mat", "MATLAB", ("of another kind", "Found: .mat. Allowed: .npy or .json", "Save")),
        pytest.param("ops.npy", pickle.dumps({}), ("whole .npy file", "Found: ", "Copy the file"), id="cut"),
        pytest.param("ops.npy", npy_of(os.system), ("more than", ".system. Allowed: ", "do not"), id="code"),
    ],
)
def test_an_invalid_option_set_is_refused_with_its_file(
    run: Run, tmp_path: Path, name: str, content: str | bytes, words: tuple[str, ...]
) -> None:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    refused = run("options", "add", "fast", file)
    assert refused.exit_code == 1
    for text in (f"File: {file}. ", *words, "The administrator's move."):
        assert text in refused.stderr
    assert len(imaging.Suite2pyOps()) == 0


def test_animals_are_imported_and_listed(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "animals.csv"
    file.write_text(
        "animal_id;animal_name;animal_dob\na0f1;90218b;2026-01-31\nb;90219;\n", encoding="utf-8-sig"
    )
    result = run("animals", "import", file)
    assert result.exit_code == 0
    assert ["a0f1", "animal_name", "90218", "90218b"] in lines(result.stdout)
    assert "  90219 (b)\n" in result.stdout
    assert "Added: 1, changed: 1, rows skipped: 0; of 2 animals." in result.stdout
    assert "Added: 0, changed: 0, rows skipped: 0; of 2 animals." in run("animals", "import", file).stdout
    assert ["90218b", "a0f1", "0", "mouse", "unknown", "2026-01-31"] in lines(run("animals", "list").stdout)


def test_skipped_rows_are_listed_and_all_others_imported(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "animals.csv"
    file.write_text("animal_id,animal_dob\nb,2026-02-30\nc,2026-02-28\n")
    result = run("animals", "import", file)
    assert result.exit_code == 1
    assert "Added: 1, changed: 0, rows skipped: 1; of 2 animals." in result.stdout
    assert [
        "2",
        "b",
        "animal_dob",
        "cannot",
        "be",
        "taken",
        "2026-02-30",
        "a",
        "day",
        "that",
        "there",
        "is",
    ] in lines(result.stderr)
    assert sorted(mlims.Animal().to_arrays("animal_id")) == ["a0f1", "c"]


def test_a_wide_table_is_not_folded_in_a_file(run: Run, tmp_path: Path) -> None:
    notes = " ".join(["eats"] * 200)
    file = tmp_path / "animals.csv"
    file.write_text(f"animal_id,animal_notes\na0f1,{notes}\n")
    run("animals", "import", file)
    assert notes in run("animals", "list").stdout


def test_a_password_is_made_and_shown_once(run: Run) -> None:
    shown = run("users", "reset", "anna").stdout
    password = shown.split()[-1]
    assert shown == f"anna has a new password.\nIt is shown this once: {password}\n"
    assert password not in str(imaging.Account.fetch1())
    change = imaging.Change.fetch1()
    assert change["change_username"].endswith(" (command)")
    assert (change["change_action"], change["change_subject"]) == ("reset the password of", "anna")


def test_a_password_is_asked_for_twice_and_not_shown(lab: Lab, tmp_path: Path) -> None:
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")
    typed = "wheel-otter-lamp\nwheel-otter-lamp\n"
    command = ["--config", str(config), "users", "reset", "anna", "--ask"]
    result = CliRunner().invoke(main, command, input=typed)
    assert result.exit_code == 0
    assert "wheel" not in result.output
    assert passwords.is_right(imaging.Account.fetch1("password_hash"), "wheel-otter-lamp")
    short = CliRunner().invoke(main, command, input="short\nshort\n")
    assert short.exit_code == 1
    assert "Allowed: 10 to 256 characters" in short.stderr


def test_a_user_is_disabled_and_enabled(run: Run) -> None:
    assert run("users", "disable", "anna").stdout == "anna is disabled.\n"
    assert run("users", "disable", "anna").stdout == "anna was disabled already.\n"
    assert ["anna", "Anna", "no", "no"] in lines(run("users", "list").stdout)
    assert run("users", "enable", "anna").stdout == "anna is enabled.\n"
    assert changes() == [("disabled the user", "anna", {}), ("enabled the user", "anna", {})]


def changes() -> list[tuple[str, str, dict[str, Any]]]:
    """Return what is kept of changes by commands, in order."""
    rows = imaging.Change.to_dicts(order_by="change_time")
    assert all(row["change_username"].endswith(" (command)") for row in rows)
    return [(row["change_action"], row["change_subject"], row["change_details"]) for row in rows]


def test_who_adds_a_user_and_gives_roles_is_recorded(run: Run) -> None:
    run("users", "add", "carl", "--email", "c@example.org")
    run("users", "add", "carl")
    for _ in range(2):
        run("users", "role", "carl", "administrator")
    assert changes() == [
        ("added the user", "carl", {"email": "c@example.org"}),
        ("gave another role to", "carl", {"role": "administrator"}),
    ]


@pytest.mark.parametrize("command", ["reset", "disable", "enable"])
def test_an_unknown_user_is_an_error_with_similar_names(run: Run, command: str) -> None:
    result = run("users", command, "ana")
    assert result.exit_code == 1
    assert "There is no username 'ana'. Found: ana (like anna?). Allowed: anna." in result.stderr
    assert not imaging.Change()
