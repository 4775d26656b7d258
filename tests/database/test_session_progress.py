"""How far all sessions are, a page at a time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from imaging_pipeline.cli import main
from imaging_pipeline.errors import InputError
from imaging_pipeline.explaining.job import JobStatus
from imaging_pipeline.explaining.reasons import State
from imaging_pipeline.schemas import imaging, mlims, suite2p_jobs, tables
from imaging_pipeline.schemas.administer.administration import add_options
from imaging_pipeline.schemas.jobs.session_progress import ProgressPage, Wanted, progress_page
from tests.makers.config_file import write_config
from tests.makers.femtonics import write_femtonics
from tests.makers.folders import WHEEL, write_folder
from tests.makers.lab import Lab, register
from tests.makers.other_connection import other_connection
from tests.makers.outputs import suite2p_output

BARE = replace(WHEEL, has_companions=False)
DAYS = tuple(
    replace(BARE, name=f"90218-day{day}", start=BARE.start.replace(day=day)) for day in (10, 11, 12, 13)
)


@pytest.fixture
def registered(lab: Lab) -> None:
    """Register sessions of four days, two of them as one, and of another animal."""
    add_options(tables.default_tables(), "fast", {})
    mlims.Animal.insert1({"animal_id": "b0f1", "datasource_id": 0, "animal_name": "90300"})
    imaging.User.insert1({"username": "bert"})
    first, second, third, fourth = DAYS
    register(lab, write_folder(lab.share / "together", first, second), combined=True, ops_name="fast")
    register(lab, write_folder(lab.share / "alone", third), combined=False, username="bert")
    register(lab, write_folder(lab.share / "other", fourth), combined=False, animal="90300")


def page(wanted: Wanted | None = None, *, limit: int = 10, offset: int = 0) -> ProgressPage:
    return progress_page(tables.default_tables(), wanted, limit=limit, offset=offset)


def named(found: ProgressPage) -> list[str]:
    return [each.session.timeseries_name.removeprefix("90218-") for each in found.sessions]


def of_table(found: ProgressPage, table: str) -> list[State]:
    """Return how far a table is with each session of the page."""
    return [each.states[found.tables.index(table)] for each in found.sessions]


def key_of(timeseries_name: str) -> dict[str, Any]:
    key: dict[str, Any] = (imaging.Session & {"timeseries_name": timeseries_name}).fetch1("KEY")
    return key


@pytest.mark.usefixtures("registered")
def test_each_table_is_told_with_each_session_the_newest_first(lab: Lab) -> None:
    jobs = imaging.Tif.jobs
    jobs.refresh(delay=-1)
    for day, status in ((10, "reserved"), (11, "error"), (12, "ignore")):
        (key,) = (jobs & key_of(f"90218-day{day}")).keys()
        jobs.update1({**key, "status": status})
    found = page()
    assert named(found) == ["day13", "day12", "day11", "day10"]
    assert of_table(found, "Tif") == [State.PENDING, State.IGNORED, State.ERROR, State.RUNNING]
    assert of_table(found, "Mesc") == [State.DOES_NOT_APPLY] * 4
    # A run is of both sessions that are analysed as one.
    assert of_table(found, "Suite2Py") == [State.DOES_NOT_APPLY] * 2 + [State.PENDING] * 2
    assert of_table(found, "Cell") == [State.DOES_NOT_APPLY] * 2 + [State.NOT_YET] * 2
    newest = found.sessions[0]
    assert (newest.animal_name, newest.username) == ("90300", "anna")
    totals = found.totals[found.tables.index("Tif")]
    assert totals == dict.fromkeys((State.PENDING, State.IGNORED, State.ERROR, State.RUNNING), 1)
    with other_connection(lab) as other:
        assert progress_page(other, limit=10) == found


@pytest.mark.usefixtures("registered")
def test_what_is_done_is_done_for_each_session(lab: Lab) -> None:
    suite2p_output(lab, combined=True)
    register(lab, lab.share / "together", combined=True)
    imaging.Tif.populate(reserve_jobs=True)
    imaging.ImagingAnalysis.populate(key_of("90218-day10"), reserve_jobs=True)
    found = page()
    assert of_table(found, "Tif") == [State.DONE] * 4
    assert of_table(found, "ImagingAnalysis")[2:] == [State.PENDING, State.DONE]
    assert of_table(found, "Projection")[2:] == [State.NOT_YET, State.PENDING]
    assert found.totals[found.tables.index("Tif")] == {State.DONE: 4}
    assert suite2p_jobs.Suite2Py().to_dicts() == []


@pytest.mark.usefixtures("registered")
def test_sessions_are_chosen_by_animal_person_and_day_and_paged(lab: Lab) -> None:
    imaging.BaseFolder.add(**{**lab.request(lab.share / "later", combined=False), "username": "bert"})
    assert [named(page(limit=3, offset=offset)) for offset in (0, 3, 6)] == [
        ["day13", "day12", "day11"],
        ["day10"],
        [],
    ]
    assert {page(limit=3, offset=offset).total for offset in (0, 3, 6)} == {4}
    assert named(page(Wanted(animal="90300"))) == named(page(Wanted(animal="b0f1"))) == ["day13"]
    of_bert = page(Wanted(username="bert"))
    assert (named(of_bert), of_bert.total) == (["day12"], 1)
    assert of_bert.totals[0] == {State.PENDING: 1}
    assert of_bert.requests == {JobStatus.PENDING: 1}
    assert page(Wanted(animal="90300")).requests == {}
    days = Wanted(since=date(2024, 5, 11), until=date(2024, 5, 12))
    assert named(page(days)) == ["day12", "day11"]
    for wanted, alike in ((Wanted(animal="9028"), "90218"), (Wanted(username="bertt"), "bert")):
        with pytest.raises(InputError, match=alike):
            page(wanted)


def test_a_recording_of_another_kind_has_tables_of_its_own(lab: Lab) -> None:
    folder = write_femtonics(lab.share / "90218" / "femtonics")
    register(lab, folder, combined=False, experiment_type="femtonics")
    imaging.Mesc.populate(reserve_jobs=True)
    found = page()
    assert set(of_table(found, "Mesc")) == {State.DONE}


@pytest.mark.usefixtures("registered")
def test_a_page_takes_as_many_questions_whatever_is_on_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    query = type(lab.connection).query

    def counting(connection: Any, text: str, *args: Any, **more: Any) -> Any:
        asked.append(text)
        return query(connection, text, *args, **more)

    page()
    monkeypatch.setattr(type(lab.connection), "query", counting)
    page(limit=1)
    of_one = len(asked)
    page(limit=4)
    assert len(asked) == 2 * of_one
    assert of_one <= 6


@pytest.mark.usefixtures("registered")
def test_the_command_tells_totals_and_sessions_in_80_columns(lab: Lab, tmp_path: Path) -> None:
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")
    command = ["--config", str(config), "progress"]
    imaging.Tif.populate(reserve_jobs=True)
    printed = CliRunner().invoke(main, [*command, "--limit", "3"]).stdout
    assert re.search(r"^1 +Tif +4 *$", printed, re.M)
    assert re.search(r"^2024-05-13 14:43 +90300 +90218-day13 +\+ *$", printed, re.M)
    assert re.search(r"^2024-05-11 14:43 +90218 +90218-day11 +\+ +o +\.", printed, re.M)
    assert "4 sessions, 1 of them older: --offset 3." in printed
    assert max(map(len, printed.splitlines())) <= 80
    day = (BARE.start.replace(day=13) + timedelta(days=1)).date()
    none = CliRunner().invoke(main, [*command, "--since", str(day)]).stdout
    assert "0 sessions." in none
