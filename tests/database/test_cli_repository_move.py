"""``imaging-pipeline repository move``: the share's files lie elsewhere, and its rows stay."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from imaging_pipeline.cli import main
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.register.history import history
from tests.makers.config_file import write_config
from tests.makers.femtonics import write_femtonics
from tests.makers.folders import OPEN_FIELD, write_folder
from tests.makers.lab import Lab, register, table_names
from tests.makers.mesc import MescUnitSpec, add_to_mesc

Move = Callable[..., Result]


@pytest.fixture
def new_share(lab: Lab, tmp_path: Path) -> Path:
    """Return the folder to which all files of a share were copied."""
    register(lab, write_folder(lab.share / "90218" / "day1", OPEN_FIELD), combined=False)
    return Path(shutil.copytree(lab.share, tmp_path / "new"))


@pytest.fixture
def move(lab: Lab, tmp_path: Path, new_share: Path) -> Move:
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")
    command = ["--config", str(config), "repository", "move", "moser", "--to", str(new_share)]
    return lambda *arguments: CliRunner().invoke(main, [*command, *arguments])


def all_rows(lab: Lab) -> dict[str, Any]:
    return {
        name: sorted(map(repr, lab.connection.query(f"SELECT * FROM {name}").fetchall()))
        for name in table_names(lab.connection)
    }


def test_only_roots_change_when_every_file_is_in_the_new_folder(
    lab: Lab, move: Move, new_share: Path
) -> None:
    before = all_rows(lab)
    result = move("--root", "M:\\moser", "--retire", "N:\\moser")
    assert result.exit_code == 0
    num_files = len(imaging.PhysicalFile())
    assert f"{num_files} of {num_files} files as registered in {new_share}." in result.stdout
    assert "Added the root M:\\moser.\nRemoved the root N:\\moser.\n" in result.stdout
    assert f'"repositories": {{"moser": "{new_share}"}}' in result.stdout
    changed = {name for name, rows in all_rows(lab).items() if rows != before[name]}
    assert changed == {imaging.Repository.Root.full_table_name}
    assert list(imaging.Repository.Root().to_arrays("root")) == ["M:\\moser"]
    typed = imaging.BaseFolder().fetch1("path")
    assert [len(history(tables.default_tables(), path)) for path in (typed, typed.replace("N:", "M:"))] == [
        1,
        1,
    ]


def test_without_a_root_files_are_only_verified(lab: Lab, move: Move) -> None:
    before = all_rows(lab)
    assert move().exit_code == 0
    assert all_rows(lab) == before


def test_missing_and_differing_files_are_listed_and_nothing_changes(
    lab: Lab, move: Move, new_share: Path
) -> None:
    first, second, third = (new_share / "90218" / "day1" / name for name in OPEN_FIELD.tif_names)
    first.unlink()
    content = second.read_bytes()
    second.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    third.write_bytes(b"short")
    before = all_rows(lab)
    result = move("--root", "M:\\moser")
    assert result.exit_code == 1
    assert f"  90218/day1/{first.name}: missing\n" in result.stdout
    assert f"  90218/day1/{second.name}: another content of the same size\n" in result.stdout
    assert f"  90218/day1/{third.name}: 5 bytes, registered with {len(content)}\n" in result.stdout
    assert "Nothing was changed." in result.stderr
    assert all_rows(lab) == before
    assert move("--root", "M:\\moser", "--anyway").exit_code == 0
    assert len(imaging.Repository.Root()) == 2


def test_the_last_root_and_another_one_s_are_not_retired(lab: Lab, move: Move) -> None:
    assert "The repository moser would have no root" in move("--retire", "N:\\moser").stderr
    assert "There is no root 'X:\\'" in move("--root", "M:\\moser", "--retire", "X:\\").stderr
    assert list(imaging.Repository.Root().to_arrays("root")) == ["N:\\moser"]


def test_measurements_are_verified_in_a_mesc_file_that_grew(lab: Lab, move: Move, new_share: Path) -> None:
    folder = write_femtonics(lab.share / "90218" / "day2")
    request = lab.request(folder, combined=False) | {"experiment_type": "femtonics"}
    imaging.BaseFolder.add(**request)
    imaging.MakeDatasetSessions.populate()
    copy = shutil.copytree(folder, new_share / "90218" / "day2")
    add_to_mesc(copy / "90218.mesc", MescUnitSpec(7))
    assert move().exit_code == 0
    (copy / "90218.mesc").write_bytes(b"no longer")
    assert "  90218/day2/90218.mesc: " in move().stdout
