"""What a server makes of the definitions, and who may declare them when."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from typing import Any

import datajoint as dj
import pytest

from imaging_pipeline import database
from imaging_pipeline.config.config import Config, Secret
from imaging_pipeline.errors import DatabaseError, OtherVersionError, SchemaError
from imaging_pipeline.schemas import imaging, mlims, suite2p_jobs
from tests.makers.lab import Lab
from tests.makers.processes import at_once
from tests.makers.recordings import OBJECT, import_all

SCHEMAS = ("mlims", "imaging", "suite2p_jobs")
KEY_TYPES = re.compile(
    r"(tiny|small|big)?int(eger)?(\(\d+\))?|(var)?char\(\d+\)|character varying.*|date|decimal.*"
)


@pytest.fixture
def unused(server_config: Config) -> Iterator[Config]:
    """Return the configuration of databases that are not there, and are dropped in the end."""
    config = replace(server_config, prefix="fresh_")
    yield config
    connection = database.connect(server_config)
    for name in reversed(SCHEMAS):
        drop(connection, f"{config.prefix}{name}")


def drop(connection: Any, name: str) -> None:
    cascade = " CASCADE" if connection.adapter.backend == "postgresql" else ""
    connection.query(f"DROP SCHEMA IF EXISTS {name}{cascade}")


def tables() -> list[Any]:
    return [cls for module in (mlims, imaging, suite2p_jobs) for cls in database.table_classes(module)]


def columns_on_server(config: Config, connection: Any) -> set[tuple[Any, ...]]:
    """Return what the server says of every column of the pipeline's schemas, job tables too."""
    places = ", ".join(f"'{config.prefix}{name}'" for name in SCHEMAS)
    query = f"""
        SELECT table_schema, table_name, column_name, ordinal_position, data_type, column_default, is_nullable
        FROM information_schema.columns WHERE table_schema IN ({places})
    """
    return set(connection.query(query).fetchall())


def test_keys_of_tables_that_are_populated_come_from_other_tables_only(lab: Lab) -> None:
    own = {
        table.__name__: set(table().primary_key) - inherited(table) for table in database.automatic_tables()
    }
    assert {name: columns for name, columns in own.items() if columns} == {}
    assert "Cell" in own


def inherited(table: Any) -> set[str]:
    parents = table().parents(primary=True, foreign_key_info=True)
    return {column for _, info in parents for column in info["attr_map"]}


def test_keys_have_types_that_job_tables_take(lab: Lab) -> None:
    keys = {
        f"{table.__qualname__}.{column}": table().heading.attributes[column].type
        for cls in tables()
        for table in (cls, *database.parts(cls))
        for column in table().primary_key
    }
    assert {name: kind for name, kind in keys.items() if not KEY_TYPES.fullmatch(kind)} == {}


def test_a_person_s_own_table_hangs_below_a_trace(lab: Lab) -> None:
    import_all(lab, OBJECT)
    name = f"{lab.config.prefix}user_anna"
    own = dj.Schema(name, context={"imaging": imaging}, connection=lab.connection)
    try:

        @own
        class Peak(dj.Computed):
            definition = """
            -> imaging.Cell.Traces
            ---
            peak : float64  # highest dF/F
            """

            def make(self, key: dict[str, Any]) -> None:
                df_f = (imaging.Cell.Traces & key).fetch1("df_f")
                self.insert1({**key, "peak": float(df_f.max())})

        Peak.populate(reserve_jobs=True)
        peaks = Peak().to_dicts(order_by="cell_id")
        assert [(row["cell_id"], row["channel"]) for row in peaks] == [(n, "primary") for n in range(5)]
        assert peaks[2]["peak"] == imaging.Cell.array(imaging.Cell().keys()[0], "df_f")[2].max()
    finally:
        drop(lab.connection, name)


def declare(config: Config, start: Barrier) -> None:
    start.wait()
    database.init_db(config)


@pytest.mark.slow(reason="four processes declare all tables")
def test_four_machines_may_declare_at_once(unused: Config) -> None:
    at_once(declare, [(unused,)] * 4)
    connection = database.connect(unused)
    assert len(imaging.Lab()) == 1
    assert len(imaging.FileType()) == len(imaging.FileType.contents)
    before = columns_on_server(unused, connection)
    assert columns_on_server(unused, database.init_db(unused)) == before


def test_tables_that_are_not_there_are_told_with_the_command_that_makes_them(unused: Config) -> None:
    with pytest.raises(SchemaError, match=r"fresh_imaging.*imaging-pipeline init-db"):
        database.connect(unused)


def test_names_differ_by_their_case_and_are_of_any_script(lab: Lab) -> None:
    for name in ("moser", "Moser", "東京"):
        imaging.Repository.insert1({"repository_name": name}, skip_duplicates=True)
    assert sorted(imaging.Repository().to_arrays("repository_name")) == ["Moser", "moser", "東京"]


def test_a_wrong_password_is_told_and_not_shown(server_config: Config) -> None:
    if server_config.host is None:
        pytest.skip("the embedded server has no passwords")
    wrong = replace(server_config, password=Secret("open sesame"))
    with pytest.raises(DatabaseError, match=f"as {server_config.user}") as refused:
        database.connect(wrong)
    assert "open sesame" not in str(refused.value)
    assert refused.value.responsible == "administrator"
    database.connect(server_config)


@pytest.mark.parametrize("enter", [database.connect, database.init_db])
def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(lab: Lab, enter: Any) -> None:
    newer = database.SCHEMA_VERSION + 1
    imaging.Lab.update1({"lab_id": 0, "schema_version": newer})
    # As if the newer version had another name for it.
    imaging.Curation.drop_quick()
    before = columns_on_server(lab.config, lab.connection)
    try:
        with pytest.raises(OtherVersionError, match=rf"schema version {newer}.*schema version {newer - 1}"):
            enter(lab.config)
        assert columns_on_server(lab.config, lab.connection) == before
    finally:
        imaging.Lab.update1({"lab_id": 0, "schema_version": database.SCHEMA_VERSION})
        database.init_db(lab.config)
