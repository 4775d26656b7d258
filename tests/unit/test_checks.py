"""What `config check` finds on this machine, each broken as it happens to labs."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from imaging_pipeline.checks import scratch
from imaging_pipeline.checks.database import check_database
from imaging_pipeline.checks.disk import is_memory, is_network, kind_of_disk
from imaging_pipeline.checks.finding import Finding, Severity
from imaging_pipeline.checks.repositories import check_repositories
from imaging_pipeline.checks.scratch import check_scratch
from imaging_pipeline.checks.stores import check_stores
from imaging_pipeline.checks.suite2p import check_suite2p
from imaging_pipeline.checks.values import check_origin, values_in_force
from imaging_pipeline.checks.writing import try_writing
from imaging_pipeline.cli import main
from imaging_pipeline.config.config import Config, embedded_config, load_config
from imaging_pipeline.config.stores import file_store
from imaging_pipeline.suite2p_runner.run import is_available
from tests.makers.small_disk import small_disk

MEGABYTE = 1_000_000


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return embedded_config(tmp_path / "server")


def server_config(folder: Path, **changed: object) -> Config:
    """Return a configuration of a server, read from a file in a folder."""
    document = {
        "database.host": "db.example.org",
        "database.user": "anna",
        "database.password": "correct horse",
        "stores": {
            "default": "main",
            "main": {"protocol": "file", "location": "/data/store"},
            "cloud": {
                "protocol": "s3",
                "endpoint": "s3.example.org",
                "bucket": "lab",
                "location": "arrays",
                "access_key": "AKIA123",
                "secret_key": "battery staple",
            },
        },
    }
    file = folder / "dj_local_conf.json"
    file.write_text(json.dumps(document | changed))
    return load_config(file)


def finding(findings: Sequence[Finding], subject: str) -> Finding:
    """Return the one finding about a subject."""
    (found,) = [found for found in findings if found.subject == subject]
    return found


# Values in force


def test_every_value_is_told_with_the_file_the_variable_or_that_it_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJ_USER", "bo")
    values = {value.key: value for value in values_in_force(server_config(tmp_path))}
    assert (values["database.host"].text, values["database.host"].source) == ("db.example.org", "file")
    assert (values["database.user"].text, values["database.user"].source) == ("bo", "DJ_USER")
    assert (values["database.port"].text, values["database.port"].source) == ("3306", "default")
    assert "custom.embedded.folder" not in values


def test_of_secrets_only_whether_they_are_set_is_told(tmp_path: Path) -> None:
    values = values_in_force(server_config(tmp_path))
    told = "\n".join(value.text for value in values)
    assert "access_key set, secret_key set" in told
    assert [value.text for value in values if value.key == "database.password"] == ["set"]
    assert [secret for secret in ("correct", "AKIA", "battery") if secret in told] == []


def test_a_password_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    values = values_in_force(server_config(tmp_path, **{"database.password": None}))
    assert [value.text for value in values if value.key == "database.password"] == ["not set"]


def test_without_a_file_the_embedded_server_and_its_place_are_told(config: Config) -> None:
    sources = config.sources | {"custom.embedded.folder": "default"}
    found = check_origin(dataclasses.replace(config, sources=sources))
    assert found.severity is Severity.NOTICE
    assert str(config.embedded_folder) in found.found
    assert "dj_local_conf.json" in found.remedy


def test_a_broken_configuration_is_shown_as_its_error_and_ends_with_1(tmp_path: Path) -> None:
    file = tmp_path / "dj_local_conf.json"
    file.write_text('{"databse.host": "db"}')
    result = CliRunner().invoke(main, ["--config", str(file), "config", "check"])
    assert result.exit_code == 1
    assert 'Unknown key "databse.host"' in result.stdout
    assert str(file) in result.stdout
    assert '"database.host"' in result.stdout
    assert "1 failed" in result.stdout


# Database


def test_an_embedded_server_that_is_not_there_is_not_made(config: Config) -> None:
    checked = check_database(config)
    assert checked.findings[0].severity is Severity.FAILED
    assert "not initialised" in checked.findings[0].found
    assert checked.findings[0].remedy == "Run: imaging-pipeline init-db"
    assert not config.embedded_folder.exists()


# Stores


def test_a_store_is_tried_and_nothing_is_left_in_it(config: Config, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    found = finding(check_stores(dataclasses.replace(config, stores=file_store(store))), "store main")
    assert "GB free" in found.found
    assert found.severity in (Severity.OK, Severity.NOTICE)
    assert list(store.iterdir()) == []


@pytest.mark.parametrize(("make", "told"), [(Path.touch, "no folder"), (lambda path: None, "not there")])
def test_a_store_that_is_no_folder_is_told(tmp_path: Path, make, told: str) -> None:
    store = tmp_path / "store"
    make(store)
    config = server_config(tmp_path, stores={"main": {"protocol": "file", "location": str(store)}})
    found = finding(check_stores(config), "store main")
    assert found.severity is Severity.FAILED
    assert f"{store} is {told}" in found.found
    assert "Mount the share" in found.remedy


def test_the_store_of_an_embedded_server_is_left_to_init_db(config: Config) -> None:
    found = finding(check_stores(config), "store main")
    assert found.severity is Severity.NOTICE
    assert found.remedy.endswith("run: imaging-pipeline init-db")


def test_a_store_elsewhere_is_mounted_or_made_by_a_person_also_for_an_embedded_server(
    config: Config, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "not mounted"
    found = finding(check_stores(dataclasses.replace(config, stores=file_store(elsewhere))), "store main")
    assert found.severity is Severity.FAILED
    assert f"{elsewhere} is not there" in found.found
    assert "Mount the share" in found.remedy
    assert "init-db" not in found.remedy


def test_a_read_only_and_a_full_store_are_told_apart(config: Config, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", MEGABYTE) as disk:
        stored = dataclasses.replace(config, stores=file_store(disk.path))
        (disk.path / "filling").write_bytes(bytes(MEGABYTE - 20_000))
        full = finding(check_stores(stored), "store main")
        disk.remount("ro")
        read_only = finding(check_stores(stored), "store main")
        left = [path.name for path in disk.path.iterdir()]
    assert "it is full" in full.found
    assert "Make room" in full.remedy
    assert "cannot be written to" in read_only.found
    assert "Let this account write there" in read_only.remedy
    assert {full.severity, read_only.severity} == {Severity.FAILED}
    assert left == ["filling"]


def test_a_bucket_that_could_not_be_tested_is_not_called_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    found = finding(check_stores(server_config(tmp_path)), "store cloud")
    assert found.severity is Severity.FAILED
    assert "s3 lab/arrays: not tested" in found.found
    assert "Install s3fs" in found.remedy


# Repositories


def test_repositories_of_machine_and_database_are_compared(config: Config, tmp_path: Path) -> None:
    for name in ("moser", "rootless"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a file").touch()
    (tmp_path / "a file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "mosr").mkdir()
    names = ("moser", "mosr", "gone", "a file", "empty", "rootless")
    config = dataclasses.replace(config, repositories={name: tmp_path / name for name in names})
    known = ("moser", "gone", "a file", "empty", "elsewhere")
    roots = {name: [f"N:\\{name}"] for name in known} | {"rootless": []}
    found = {finding.subject: finding for finding in check_repositories(config, roots)}
    assert list(found) == sorted({*names, *known})
    assert {name: finding.severity.value for name, finding in found.items()} == {
        "moser": "ok",
        "mosr": "failed",
        "gone": "failed",
        "a file": "failed",
        "empty": "notice",
        "rootless": "notice",
        "elsewhere": "notice",
    }
    assert "roots: N:\\moser" in found["moser"].found
    assert "Where moser is meant" in found["mosr"].remedy
    assert "is not there" in found["gone"].found
    assert "is a file" in found["a file"].found
    assert "not mounted" in found["empty"].found
    assert found["rootless"].remedy.endswith("imaging-pipeline repository add rootless --root PATH")
    assert "cannot do its jobs" in found["elsewhere"].found


def test_without_a_database_repositories_are_looked_at_all_the_same(config: Config, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    found = check_repositories(dataclasses.replace(config, repositories={"moser": tmp_path}), None)
    assert [(each.subject, each.severity) for each in found] == [("moser", Severity.OK)]
    assert "roots were not asked" in found[0].found


# Scratch


def test_scratch_is_told_with_its_room_in_frames_and_its_speed(config: Config, tmp_path: Path) -> None:
    found = check_scratch(dataclasses.replace(config, suite2p_scratch=tmp_path), MEGABYTE)
    assert [each.subject for each in found] == ["scratch", "room", "speed"]
    assert "frames of 512 x 512 pixels" in found[1].found
    assert "MB/s, writing 1 MB to the disk" in found[2].found
    assert list(tmp_path.iterdir()) == []


def test_a_slow_scratch_is_told(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_SLOW_MB_PER_S", 1e9)
    found = check_scratch(dataclasses.replace(config, suite2p_scratch=tmp_path), MEGABYTE)
    assert finding(found, "speed").severity is Severity.NOTICE
    assert "faster local disk" in finding(found, "speed").remedy


def test_scratch_in_memory_and_without_room_is_told(config: Config, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", MEGABYTE) as disk:
        found = check_scratch(dataclasses.replace(config, suite2p_scratch=disk.path))
    assert finding(found, "room").severity is Severity.FAILED
    assert "not enough for any run" in finding(found, "room").found
    assert [each.subject for each in found] == ["scratch", "room"]


def test_a_read_only_scratch_is_told(config: Config, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", MEGABYTE) as disk:
        disk.remount("ro")
        (found,) = check_scratch(dataclasses.replace(config, suite2p_scratch=disk.path))
    assert found.severity is Severity.FAILED
    assert "cannot be written to" in found.found
    assert "custom.suite2p.scratch" in found.remedy


def test_a_scratch_that_is_not_there_is_not_made(config: Config, tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    (found,) = check_scratch(dataclasses.replace(config, suite2p_scratch=folder))
    assert found.severity is Severity.NOTICE
    assert "were not tested" in found.found
    assert not folder.parent.exists()


def test_a_scratch_below_a_file_is_told(config: Config, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (found,) = check_scratch(dataclasses.replace(config, suite2p_scratch=tmp_path / "file" / "scratch"))
    assert found.severity is Severity.FAILED
    assert f"{tmp_path / 'file'} is a file" in found.found


def test_what_is_written_on_trial_is_written_whole(tmp_path: Path) -> None:
    written = try_writing(tmp_path, 3 * MEGABYTE)
    assert written.num_bytes == 3 * MEGABYTE
    assert written.megabytes_per_s > 0


def test_a_slow_disk_is_not_waited_for(tmp_path: Path) -> None:
    assert try_writing(tmp_path, 1000 * MEGABYTE, within_s=0.01).num_bytes < 1000 * MEGABYTE


def test_disks_of_other_machines_and_in_memory_are_known() -> None:
    assert is_network("nfs4")
    assert is_network("CIFS")
    assert is_memory("tmpfs")
    assert not is_network("ext4")


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="this system has no disk in memory at /dev/shm")
def test_the_kind_of_a_folders_disk_is_that_of_the_nearest_mount() -> None:
    assert kind_of_disk(Path("/dev/shm")) == "tmpfs"


def test_folders_that_the_system_refuses_to_look_at_are_findings_too(config: Config, tmp_path: Path) -> None:
    # As a folder in another person's private home would be, but for root too.
    refused = tmp_path / ("long" * 100)
    config = dataclasses.replace(
        config, stores=file_store(refused), suite2p_scratch=refused, repositories={"moser": refused}
    )
    found = (
        *check_database(dataclasses.replace(config, embedded_folder=refused)).findings,
        *check_stores(config),
        *check_scratch(config),
        *check_repositories(config, None),
    )
    assert [each.severity for each in found] == [Severity.FAILED] * 4
    assert all("too long" in each.found for each in found)


# Suite2p


def test_a_machine_without_suite2p_leaves_the_runs_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    (found,) = check_suite2p()
    assert found.severity is Severity.NOTICE
    assert "left for other machines" in found.found
    assert "imaging-pipeline[suite2p]" in found.remedy


@pytest.mark.skipif(not is_available(), reason="Suite2p is not installed")
@pytest.mark.slow(reason="a process imports torch and Suite2p")
def test_suite2p_is_told_with_what_it_runs_on() -> None:
    found = check_suite2p()
    assert [each.subject for each in found] == ["suite2p", "torch", "classifier", "cellpose"]
    assert [each.severity for each in found[:3]] == [Severity.OK] * 3
    assert importlib.metadata.version("suite2p") in found[0].found
    assert importlib.metadata.version("torch") in found[1].found


@pytest.mark.skipif(not is_available(), reason="Suite2p is not installed")
def test_a_suite2p_that_cannot_be_imported_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "torch"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('libcudart.so.12: no such file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (found,) = check_suite2p()
    assert found.severity is Severity.FAILED
    assert "libcudart.so.12" in found.found
    assert "Install" in found.remedy
