"""The configuration: file, environment, defaults, and what a wrong one says."""

import dataclasses
import json
import logging
import os
import pickle
import re
import sys
from pathlib import Path

import pytest

from imaging_pipeline.config.config import CONFIG_NAME, Config, embedded_config, find_config, load_config
from imaging_pipeline.config.keys import CONFIG_VARIABLE, KEYS
from imaging_pipeline.config.kinds import Secret
from imaging_pipeline.config.sources import settings_in_file
from imaging_pipeline.config.stores import PROTOCOLS
from imaging_pipeline.errors import ConfigError, Responsible

PROJECT = Path(__file__).parents[2]
EXAMPLE = PROJECT / "dj_local_conf.example.json"
DOCUMENTATION = PROJECT / "docs" / "configuration.md"
PASSWORD = "correct-horse-battery"
SERVER = {
    "database.host": "db.lab",
    "database.user": "anna",
    "database.password": PASSWORD,
    "stores": {"main": {"protocol": "file", "location": str(Path("/data/store").absolute())}},
}


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch):
    for variable in [CONFIG_VARIABLE, *(key.variable for key in KEYS if key.variable)]:
        monkeypatch.delenv(variable, raising=False)


def write(folder: Path, document: object) -> Path:
    path = folder / CONFIG_NAME
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def refusal(folder: Path, document: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(write(folder, document))
    assert caught.value.responsible is Responsible.ADMINISTRATOR
    return str(caught.value)


# What a file says


def test_flat_and_nested_spellings_are_the_same(tmp_path):
    flat = load_config(write(tmp_path, SERVER | {"custom": {"suite2p.scratch": str(tmp_path)}}))
    nested = load_config(
        write(
            tmp_path,
            {
                "database": {"host": "db.lab", "user": "anna", "password": PASSWORD},
                "stores": SERVER["stores"],
                "custom": {"suite2p": {"scratch": str(tmp_path)}},
            },
        )
    )
    assert flat == nested
    assert (flat.host, flat.user, flat.suite2p_scratch) == ("db.lab", "anna", tmp_path)


def test_the_port_follows_the_backend_unless_it_is_given(tmp_path):
    assert load_config(write(tmp_path, SERVER)).port == 3306
    postgresql = SERVER | {"database.backend": "postgresql"}
    assert load_config(write(tmp_path, postgresql)).port == 5432
    assert load_config(write(tmp_path, postgresql | {"database.port": 6543})).port == 6543


def test_a_null_is_no_value(tmp_path):
    config = load_config(write(tmp_path, SERVER | {"database.use_tls": None, "loglevel": None}))
    assert config.use_tls is None
    assert config.sources["loglevel"] == "default"


def test_a_byte_order_mark_does_no_harm(tmp_path):
    path = tmp_path / CONFIG_NAME
    path.write_text(json.dumps(SERVER), encoding="utf-8-sig")
    assert load_config(path).host == "db.lab"


def test_repositories_need_not_be_mounted(tmp_path):
    absent = tmp_path / "not mounted"
    config = load_config(write(tmp_path, SERVER | {"custom": {"repositories": {"moser": str(absent)}}}))
    assert config.repositories == {"moser": absent}


def test_a_home_folder_is_written_with_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    config = load_config(write(tmp_path, {"custom": {"embedded.folder": "~/pipeline"}}))
    assert config.embedded_folder == tmp_path / "pipeline"


# Where the file is looked for


def test_the_file_is_found_from_a_folder_upward(tmp_path):
    path = write(tmp_path, SERVER)
    below = tmp_path / "notebooks" / "2024"
    below.mkdir(parents=True)
    assert find_config(below).path == path


def test_the_nearest_file_counts(tmp_path):
    write(tmp_path, SERVER)
    below = tmp_path / "mine"
    below.mkdir()
    nearest = write(below, SERVER | {"database.host": "other.lab"})
    assert find_config(below) == load_config(nearest)


def test_the_working_directory_is_where_the_search_starts(tmp_path, monkeypatch):
    path = write(tmp_path, SERVER)
    monkeypatch.chdir(tmp_path)
    assert find_config().path == path


def test_a_variable_names_the_file(tmp_path, monkeypatch):
    elsewhere = tmp_path / "lab.json"
    elsewhere.write_text(json.dumps(SERVER), encoding="utf-8")
    monkeypatch.setenv(CONFIG_VARIABLE, str(elsewhere))
    assert find_config(tmp_path).path == elsewhere


def test_a_variable_that_names_no_file_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "gone.json"))
    with pytest.raises(ConfigError, match=rf"{CONFIG_VARIABLE}.*gone\.json.*What to do"):
        find_config(tmp_path)


# Environment


def test_environment_variables_win_over_the_file(tmp_path, monkeypatch):
    path = write(tmp_path, SERVER | {"database.port": 3307})
    monkeypatch.setenv("DJ_HOST", "other.lab")
    monkeypatch.setenv("DJ_PORT", "3308")
    monkeypatch.setenv("DJ_USE_TLS", "no")
    config = load_config(path)
    assert (config.host, config.port, config.use_tls) == ("other.lab", 3308, False)
    assert config.sources["database.host"] == "environment DJ_HOST"
    assert config.sources["database.user"] == f"file {path}"
    assert config.sources["safemode"] == "default"


def test_the_environment_alone_is_enough(tmp_path, monkeypatch):
    for variable, text in {
        "DJ_HOST": "db.lab",
        "DJ_USER": "anna",
        "DJ_PASS": PASSWORD,
        "DJ_BACKEND": "postgresql",
        "DJ_STORES": json.dumps(SERVER["stores"]),
        "IMAGING_PIPELINE_PREFIX": "test_",
    }.items():
        monkeypatch.setenv(variable, text)
    config = find_config(tmp_path)
    assert (config.path, config.host, config.port, config.prefix) == (None, "db.lab", 5432, "test_")
    assert config.password.reveal() == PASSWORD
    assert config.notice == ""


def test_an_empty_variable_counts_as_not_set(tmp_path, monkeypatch):
    monkeypatch.setenv("DJ_HOST", "")
    assert load_config(write(tmp_path, SERVER)).host == "db.lab"


@pytest.mark.parametrize(
    ("variable", "text", "allowed"),
    [
        ("DJ_PORT", "33o6", "whole number from 1 to 65535"),
        ("DJ_USE_TLS", "perhaps", "true or false"),
        ("DJ_BACKEND", "oracle", "mysql, postgresql"),
        ("DJ_STORES", "{main", "an object"),
        ("DJ_STORES", '{"a": 1, "a": 2}', "twice"),
        ("IMAGING_PIPELINE_TIMEZONE", "Europe/Olso", "Europe/Oslo"),
        ("IMAGING_PIPELINE_SCRATCH", "scratch", "absolute path"),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_allowed(tmp_path, monkeypatch, variable, text, allowed):
    monkeypatch.setenv(variable, text)
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, SERVER))
    assert variable in str(caught.value)
    assert allowed in str(caught.value)
    assert caught.value.remedy == "Correct or unset it."


# The embedded server


def test_without_a_file_the_embedded_server_is_used_and_a_notice_says_where(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        config = find_config(tmp_path)
    assert config.path is None
    assert config.host is None
    assert config.backend == "postgresql"
    assert str(config.embedded_folder) in caplog.text
    assert CONFIG_NAME in caplog.text


def test_an_embedded_server_that_was_chosen_needs_no_notice(tmp_path, caplog):
    write(tmp_path, {"custom": {"embedded.folder": str(tmp_path / "server")}})
    config = find_config(tmp_path)
    assert config.embedded_folder == tmp_path / "server"
    assert caplog.text == ""


def test_the_embedded_server_brings_a_store_of_its_own(tmp_path):
    config = embedded_config(tmp_path)
    assert config.datajoint_stores() == {
        "default": "main",
        "main": {"protocol": "file", "location": str(tmp_path / "store")},
    }


def test_an_embedded_configuration_minds_neither_file_nor_environment(tmp_path, monkeypatch):
    write(tmp_path, SERVER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DJ_HOST", "db.lab")
    config = embedded_config(tmp_path / "demo")
    assert (config.host, config.path, config.notice) == (None, None, "")


def test_a_host_wins_over_an_embedded_folder(tmp_path):
    config = load_config(write(tmp_path, SERVER | {"custom": {"embedded.folder": str(tmp_path)}}))
    assert (config.host, config.embedded_folder) == ("db.lab", None)


def test_an_account_without_a_host_is_refused(tmp_path):
    assert "DJ_HOST" in refusal(tmp_path, {"database.user": "anna"})


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root has another default")
def test_for_root_the_default_folder_is_below_no_private_home(tmp_path):
    folder = find_config(tmp_path).embedded_folder
    assert folder is not None
    assert not folder.is_relative_to(Path.home())


# What a wrong file says


def test_an_unknown_key_is_named_with_its_value_and_the_nearest_known_key(tmp_path):
    message = refusal(tmp_path, SERVER | {"database.hots": "db2.lab"})
    for part in ('"database.hots"', "'db2.lab'", '"database.host"', "loglevel", CONFIG_NAME):
        assert part in message


def test_a_key_outside_its_block_is_told_where_it_belongs(tmp_path):
    assert '"custom.repositories"' in refusal(tmp_path, SERVER | {"repositories": {}})


def test_an_unknown_key_within_a_block_is_refused(tmp_path):
    assert '"custom.timezone"' in refusal(tmp_path, SERVER | {"custom": {"time_zone": "Europe/Oslo"}})


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("database.host", "  ", "not empty"),
        ("database.port", "3306", "whole number"),
        ("database.port", True, "whole number"),
        ("database.port", 70000, "65535"),
        ("safemode", "true", "true or false"),
        ("loglevel", "info", "DEBUG, INFO"),
        ("custom", 5, "database.prefix"),
        ("custom", {"database.prefix": "Lab-"}, "lower-case"),
        ("custom", {"database.prefix": "pg_lab_"}, "PostgreSQL keeps"),
        ("custom", {"repositories": {"moser": "relative/folder"}}, "'moser': an absolute path"),
        ("custom", {"repositories": ["/mnt"]}, "an object"),
        ("custom", {"timezone": "../etc/passwd"}, "IANA"),
        ("stores", {}, "at least one store"),
        ("stores", {"main": {"protocol": "fle"}}, "file, s3, gcs, azure"),
        ("stores", {"main": {"protocol": "file"}}, "also location"),
        ("stores", {"main": {"protocol": "file", "loction": "/x"}}, "location"),
        ("stores", {"main": {"protocol": "file", "location": "x"}}, "absolute path"),
        ("stores", SERVER["stores"] | {"default": "other"}, "(main)"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(tmp_path, key, value, allowed):
    message = refusal(tmp_path, SERVER | {key: value})
    assert key in message
    assert allowed in message


def test_a_path_whose_backslashes_json_took_for_escapes_is_refused(tmp_path):
    text = json.dumps(SERVER)[:-1] + r', "custom": {"repositories": {"moser": "N:\temp"}}}'
    assert "a backslash is written twice" in refusal(tmp_path, text)


def test_broken_json_is_told_by_file_line_and_column(tmp_path):
    message = refusal(tmp_path, '{\n  "database.host": "db.lab"\n  "database.user": "anna"\n}')
    assert "line 3, column 3" in message
    assert CONFIG_NAME in message


def test_a_single_backslash_is_told_by_its_remedy(tmp_path):
    assert "backslash twice" in refusal(tmp_path, r'{"custom": {"repositories": {"moser": "N:\moser"}}}')


def test_a_key_given_twice_is_refused(tmp_path):
    assert "twice" in refusal(tmp_path, '{"loglevel": "INFO", "loglevel": "DEBUG"}')
    assert "twice" in refusal(tmp_path, {"database.host": "db.lab", "database": {"host": "db.lab"}})


@pytest.mark.parametrize("missing", ["database.user", "stores"])
def test_a_server_needs_an_account_and_a_store(tmp_path, missing):
    message = refusal(tmp_path, {key: value for key, value in SERVER.items() if key != missing})
    assert f'"{missing}"' in message
    assert "for example" in message


@pytest.mark.parametrize("content", [b"\xff\xfe{}", b"[]"])
def test_a_file_that_is_no_json_object_is_refused(tmp_path, content):
    path = tmp_path / CONFIG_NAME
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=CONFIG_NAME):
        load_config(path)


# Passwords


def test_no_password_is_in_the_repr_or_in_a_dict_of_the_configuration(tmp_path):
    keys = {"protocol": "s3", "endpoint": "s3.lab", "bucket": "b", "location": "l"}
    secret_store = keys | {"access_key": PASSWORD, "secret_key": PASSWORD}
    config = load_config(write(tmp_path, SERVER | {"stores": {"main": secret_store}}))
    assert PASSWORD not in repr(config)
    assert PASSWORD not in str(dataclasses.asdict(config))
    assert PASSWORD not in f"{config.password}{config.stores}"
    assert config.datajoint_stores()["main"] == secret_store


@pytest.mark.parametrize(
    "wrong",
    [
        {"database.password": [PASSWORD]},
        {"database.pasword": PASSWORD},
        {"database": {"passwd": PASSWORD}},
        {"database.pw": PASSWORD},
        {"password": PASSWORD},
        {"databse": {"password": PASSWORD}},
        {"stores": {"main": {"protocol": "s3", "access_key": PASSWORD}}},
    ],
)
def test_no_password_is_in_a_refusal(tmp_path, wrong):
    server = {key: value for key, value in SERVER.items() if key != "database.password"}
    assert PASSWORD not in refusal(tmp_path, server | wrong)


def test_no_password_hangs_on_the_error_of_broken_json(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, json.dumps(SERVER)[:-1]))
    assert PASSWORD not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_secret_is_revealed_only_on_demand():
    secret = Secret(PASSWORD)
    assert secret.reveal() == PASSWORD
    assert PASSWORD not in f"{secret} {secret!r}"
    assert secret == Secret(PASSWORD)
    assert not Secret("")


def test_a_configuration_goes_to_another_process_whole(tmp_path):
    config = load_config(write(tmp_path, SERVER))
    copy = pickle.loads(pickle.dumps(config))
    assert copy == config
    assert copy.password.reveal() == PASSWORD


# The source of animals


def test_a_source_of_animals_is_taken_with_its_password_apart(tmp_path, monkeypatch):
    block = {"mlims": {"source": {"kind": "mysql", "host": "db"}, "every_min": 5}}
    monkeypatch.setenv("IMAGING_PIPELINE_MLIMS_PASSWORD", PASSWORD)
    config = load_config(write(tmp_path, SERVER | {"custom": block}))
    assert config.mlims_source == {"kind": "mysql", "host": "db"}
    assert (config.mlims_password.reveal(), config.mlims_every_min) == (PASSWORD, 5)
    assert PASSWORD not in repr(config)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("source", {"host": "db"}, '"kind"'),
        ("source", "mysql", "an object"),
        ("source", {"kind": "mysql", "password": PASSWORD}, "which is custom.mlims.password"),
        ("source", {"kind": "mysql", "Passwd": PASSWORD}, "which is custom.mlims.password"),
        ("every_min", 0, "a whole number of minutes from 1 to 1440"),
        ("every_min", 0.5, "a whole number of minutes from 1 to 1440"),
    ],
)
def test_a_wrong_source_of_animals_is_refused_and_not_shown(tmp_path, name, value, allowed):
    with pytest.raises(ConfigError) as told:
        load_config(write(tmp_path, SERVER | {"custom": {"mlims": {name: value}}}))
    assert f"custom.mlims.{name}" in str(told.value)
    assert allowed in str(told.value)
    assert PASSWORD not in str(told.value)


# What is written about it


@pytest.mark.skipif(sys.platform == "win32", reason="the example shows POSIX folders")
def test_the_example_is_right_and_shows_every_key():
    config = load_config(EXAMPLE)
    document = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    in_custom = {f"custom.{name}" for name in document.pop("custom")}
    assert set(document) | in_custom == {key.name for key in KEYS}
    assert config.sources["custom.timezone"] == f"file {EXAMPLE}"


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_the_documentation_tells_each_key_as_it_is(key):
    variable = f"`{key.variable}`" if key.variable else ""
    row = f"| `{key.name}` | {key.kind.name} | {variable} | {key.default} | {key.meaning} |"
    assert row in DOCUMENTATION.read_text(encoding="utf-8").splitlines()


def test_the_documentation_tells_no_key_that_is_not_there():
    rows = re.findall(r"^\| `([^`]+)` \|", DOCUMENTATION.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [key.name for key in KEYS]


def test_every_attribute_of_a_configuration_has_a_key():
    attributes = {field.name for field in dataclasses.fields(Config)}
    # Where it was read from; and what a worker was told when it was started.
    attributes -= {"path", "sources", "suite2p_threads"}
    assert {key.field for key in KEYS} == attributes


@pytest.mark.filterwarnings("ignore:datajoint.migrate is deprecated")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_datajoint_takes_every_store_attribute_that_we_take(protocol):
    import datajoint as dj

    spec = dict.fromkeys(PROTOCOLS[protocol].attributes, "x") | {"protocol": protocol}
    spec |= {
        "hash_prefix": "h",
        "schema_prefix": "s",
        "filepath_prefix": "f",
        "token_length": 8,
        "secure": True,
    }
    spec = {key: value for key, value in spec.items() if key in PROTOCOLS[protocol].attributes}
    with dj.config.override(stores={"main": spec}):
        assert dj.config.get_store_spec("main")["protocol"] == protocol


def test_a_setting_tells_its_file(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"loglevel": "DEBUG"}')
    settings = settings_in_file(path)
    assert settings["loglevel"].source == f"file {path}"


@pytest.mark.parametrize(
    "wrong",
    [{"database.host": "mysql://anna:s3cr3tpw@db"}, {"database.host": "db", "database.port": "s3cr3tpw"}],
)
def test_a_password_in_the_wrong_place_is_not_shown(tmp_path, wrong):
    path = tmp_path / "dj_local_conf.json"
    path.write_text(json.dumps(wrong))
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert "s3cr3tpw" not in str(error.value)
