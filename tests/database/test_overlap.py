"""Registrations, jobs and purges that meet: what is newer counts, and nothing old comes back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import datajoint as dj
import pytest

from imaging_pipeline.config.config import Config
from imaging_pipeline.ingest.fingerprint import fingerprint
from imaging_pipeline.schemas import imaging, mlims, tables
from imaging_pipeline.schemas.administer import store_claims, store_sweep
from imaging_pipeline.schemas.administer.administration import add_options, add_setup
from imaging_pipeline.schemas.locks import in_transaction, lock_rows
from imaging_pipeline.schemas.register import registration
from imaging_pipeline.schemas.register.folder_request import FolderRequest
from tests.database.test_concurrency import at_once, ingest
from tests.makers.folders import COPIED, OPEN_FIELD, PAGES, WHEEL, Timeseries, aged, write_folder, write_tif
from tests.makers.lab import Lab, register
from tests.makers.outputs import suite2p_output
from tests.makers.own_store import age, objects, own_store
from tests.makers.suite2p_output import curate
from tests.makers.toy_tables import ToyConfig, open_connection

LATER = COPIED + timedelta(days=1)


@pytest.fixture
def folder(lab: Lab) -> Path:
    return write_folder(lab.share / "90218" / "2024-05-17", OPEN_FIELD, WHEEL)


def replace_a_tif(folder: Path) -> Path:
    """Write another recording under the name of one that is there."""
    return aged(
        write_tif(folder / OPEN_FIELD.tif_names[1], OPEN_FIELD.start, seed=99, frames_before=PAGES), LATER
    )


@contextmanager
def locked(config: Config, *table_names: str) -> Iterator[None]:
    """Let another connection keep all rows of some tables."""
    with closing(open_connection(ToyConfig(config, "", Path()))) as other, other.transaction:
        for name in table_names:
            lock_rows(dj.FreeTable(other, name))
        yield


def num_questions(lab: Lab, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Count the statements that registering a folder takes."""
    asked = []
    query = lab.connection.query

    def counted(question: str, *args: Any, **kwargs: Any) -> Any:
        asked.append(question)
        return query(question, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(lab.connection, "query", counted)
        register(lab, folder, combined=True)
    return len(asked)


def test_what_a_job_fetched_is_other_data_once_a_tif_was_replaced(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False)
    key = (imaging.Tif().key_source & {"session_name": _session(OPEN_FIELD.name)}).fetch1("KEY")
    fetched = imaging.Tif().make_fetch(key)
    replace_a_tif(folder)
    register(lab, folder, combined=False)
    assert imaging.Tif().make_fetch(key) != fetched


def test_what_a_job_fetched_is_other_data_once_the_output_was_curated(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True)
    root = suite2p_output(lab, combined=True)
    register(lab, folder, combined=True)
    imaging.Tif.populate()
    imaging.ImagingAnalysis.populate()
    key = imaging.ImagingAnalysis().keys()[0]
    fetched = imaging.Cell().make_fetch(key)
    curate(root / "plane0", [True, False, True, False, True])
    register(lab, folder, combined=True)
    imaging.ImagingAnalysis.populate()
    assert imaging.Cell().make_fetch(key) != fetched


def test_a_session_imported_before_the_curation_is_imported_again_beside_one_imported_after(
    lab: Lab, folder: Path
) -> None:
    register(lab, folder, combined=True)
    root = suite2p_output(lab, combined=True, is_cell=[True, False, True, False, True])
    register(lab, folder, combined=True)
    imaging.Tif.populate()
    imaging.ImagingAnalysis.populate()
    before, after = imaging.ImagingAnalysis().keys()
    imaging.Cell.populate(before)
    curate(root / "plane0", [True] * 5)
    imaging.Cell.populate(after)
    register(lab, folder, combined=True)
    imaging.ImagingAnalysis.populate()
    imaging.Cell.populate()
    for key in (before, after):
        assert set((imaging.Cell.Rois & key).to_arrays("cell_id").tolist()) == {0, 1, 2, 3, 4}


def test_an_older_request_does_not_bring_its_option_set_back(lab: Lab, folder: Path) -> None:
    for name, tau in (("slow", 1.5), ("fast", 0.7)):
        add_options(tables.default_tables(), name, {"tau": tau})
    older = imaging.BaseFolder.add(**lab.request(folder, combined=True), ops_name="slow")
    register(lab, folder, combined=True, ops_name="fast")
    imaging.MakeDatasetSessions.populate({"basefolder_id": older})
    assert imaging.MetaSession.Suite2pyOps().fetch1("ops_name") == "fast"


def test_a_plan_that_waited_is_made_anew_when_another_request_was_carried_out(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True)
    request = imaging.BaseFolder.add(**lab.request(folder, combined=True))
    row = (imaging.BaseFolder & {"basefolder_id": request}).fetch1()
    planned = registration.plan(tables.default_tables(), FolderRequest.from_row(row))
    decision = registration.decide(tables.default_tables(), planned)
    replace_a_tif(folder)
    register(lab, folder, combined=True)
    imaging.Tif.populate()
    with in_transaction(lab.connection):
        report = registration.apply(tables.default_tables(), planned, decision)
    assert report.parts["Purge"] == []
    assert len(imaging.Tif()) == 2


def test_a_plan_that_waited_is_made_anew_when_the_folder_is_another_by_then(lab: Lab, folder: Path) -> None:
    request = imaging.BaseFolder.add(**lab.request(folder, combined=True))
    row = (imaging.BaseFolder & {"basefolder_id": request}).fetch1()
    planned = registration.plan(tables.default_tables(), FolderRequest.from_row(row))
    decision = registration.decide(tables.default_tables(), planned)
    replaced = replace_a_tif(folder)
    with in_transaction(lab.connection):
        registration.apply(tables.default_tables(), planned, decision)
    registered = imaging.PhysicalFile & {"file_path": replaced.relative_to(lab.share).as_posix()}
    assert registered.fetch1("fingerprint") == fingerprint(replaced)


def test_an_unchanged_folder_waits_for_no_other_registration(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True)
    request = imaging.BaseFolder.add(**lab.request(folder, combined=True))
    waiting = "lock_timeout" if lab.config.backend == "postgresql" else "innodb_lock_wait_timeout"
    lab.connection.query(f"SET {waiting} = {1000 if waiting == 'lock_timeout' else 1}")
    with locked(lab.config, imaging.Repository.full_table_name, mlims.Animal.full_table_name):
        imaging.MakeDatasetSessions.populate({"basefolder_id": request})
    lab.connection.query(f"SET {waiting} = DEFAULT")
    assert (imaging.MakeDatasetSessions & {"basefolder_id": request}).fetch1("num_sessions_known") == 2


def test_a_folder_of_more_sessions_takes_no_more_questions(
    lab: Lab, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = write_folder(lab.share / "90218" / "small", Timeseries("90218-sleep", LATER.replace(tzinfo=None)))
    for place in (small, folder):
        register(lab, place, combined=True)
    assert num_questions(lab, folder, monkeypatch) == num_questions(lab, small, monkeypatch)


def test_a_folder_requested_for_two_animals_at_once_is_registered_for_one(lab: Lab, folder: Path) -> None:
    mlims.Animal.insert1({"animal_id": "b7", "datasource_id": 1, "animal_name": "90853"})
    imaging.BaseFolder.add(**lab.request(folder, combined=True))
    imaging.BaseFolder.add(**{**lab.request(folder, combined=True), "animal": "90853"})
    imaging.MakeDatasetSessions.jobs.refresh(delay=-1)
    at_once(ingest, [(lab.config,)] * 2)
    assert len(imaging.MetaSession()) == 1
    assert any("other animal" in told for told in imaging.MakeDatasetSessions.Finding().to_arrays("finding"))


def test_the_number_of_a_deleted_request_is_not_given_again(lab: Lab, folder: Path) -> None:
    (lab.share / "empty").mkdir()
    first = imaging.BaseFolder.add(**lab.request(lab.share / "empty", combined=True))
    imaging.MakeDatasetSessions.populate(reserve_jobs=True, suppress_errors=True)
    (imaging.BaseFolder & {"basefolder_id": first}).delete(prompt=False)
    assert register(lab, folder, combined=True) > first
    assert len(imaging.MakeDatasetSessions()) == 1


def test_a_setup_named_later_is_noted_and_another_one_is_only_told(lab: Lab, folder: Path) -> None:
    for name in ("room 1", "room 2"):
        add_setup(tables.default_tables(), name, OPEN_FIELD.start.date(), "2Pminiscope_A")
    register(lab, folder, combined=True)
    register(lab, folder, combined=True, setup="room 1")
    request = register(lab, folder, combined=True, setup="room 2")
    assert imaging.MetaSession.Setup().fetch1("setup_name") == "room 1"
    told = (imaging.MakeDatasetSessions.Finding & {"basefolder_id": request}).fetch1("finding")
    assert "room 1" in told
    assert "room 2" in told


def test_a_sweep_leaves_the_traces_of_another_database_in_the_same_store(
    lab: Lab, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = own_store(tmp_path / "store", monkeypatch)
    register(lab, folder, combined=True)
    suite2p_output(lab, combined=True)
    register(lab, folder, combined=True)
    for table in (imaging.Tif, imaging.ImagingAnalysis, imaging.Cell):
        table.populate()
    key = imaging.Cell().keys()[0]
    age(store, objects(store))
    handle = tables.default_tables()
    other = dataclasses.replace(handle, config=dataclasses.replace(lab.config, prefix="other_"))
    store_claims.claim(other)
    assert store_sweep.sweep(other).traces == ()
    assert len(imaging.Cell.array(key, "df_f")) == 5


def _session(timeseries_name: str) -> str:
    return str((imaging.Session & {"timeseries_name": timeseries_name}).fetch1("session_name"))
