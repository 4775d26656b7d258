"""Requests for animals that are not here yet, that have died, gone, or are called otherwise now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from imaging_pipeline.cli import main
from imaging_pipeline.colony.sources.csv_file import CsvFile
from imaging_pipeline.colony.sync import Outcome, sync
from imaging_pipeline.errors import InputError, NotYetHereError
from imaging_pipeline.lanes import LANES
from imaging_pipeline.schemas import imaging, mlims, tables
from imaging_pipeline.schemas.jobs.explaining import explain
from imaging_pipeline.schemas.register.history import history
from imaging_pipeline.schemas.register.pending_animals import PendingAnimalWarning
from imaging_pipeline.workers.run import run_worker
from tests.makers.config_file import write_config
from tests.makers.folders import OPEN_FIELD, START, write_folder
from tests.makers.lab import Lab, register

HERE = "a0f1,90218"


@pytest.fixture
def folder(lab: Lab) -> Path:
    return write_folder(lab.share / "90300" / "day1", OPEN_FIELD)


@pytest.fixture
def arrive(lab: Lab, tmp_path: Path) -> Callable[..., Outcome]:
    """Return a function by which the colony tells of these animals, and no others."""

    def synced(*lines: str, header: str = "animal_id,animal_name", **how: Any) -> Outcome:
        file = tmp_path / "colony.csv"
        file.write_text("\n".join([header, *lines]))
        return sync(tables.default_tables(), CsvFile(file, datasource_id=0), **how)

    return synced


@pytest.fixture
def awaits(arrive: Callable[..., Outcome]) -> None:
    """Have the colony told of its animals once, so that more may come."""
    arrive(HERE)


@pytest.fixture
def run(lab: Lab, tmp_path: Path) -> Callable[..., Result]:
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")
    return lambda *arguments: CliRunner().invoke(main, ["--config", str(config), *map(str, arguments)])


def carried_out() -> set[int]:
    """Carry out what can be, and give the requests that were."""
    imaging.MakeDatasetSessions.populate(reserve_jobs=True)
    return {int(number) for number in imaging.MakeDatasetSessions().to_arrays("basefolder_id")}


def told_of(lab: Lab, folder: Path) -> list[tuple[str, str]]:
    """Return what is reported of the requests for a folder."""
    past = history(tables.default_tables(), lab.windows_path(folder))
    return [(str(each.state), each.message) for each in past]


@pytest.mark.usefixtures("awaits")
@pytest.mark.parametrize(
    "said", [{"animal": "90300"}, {"animal_name": "90300"}, {"animal": "b1"}, {"animal_id": "b1"}]
)
def test_a_request_waits_for_its_animal_and_is_carried_out_by_itself(
    lab: Lab, folder: Path, arrive: Callable[..., Outcome], said: dict[str, str]
) -> None:
    request = {name: value for name, value in lab.request(folder, combined=True).items() if name != "animal"}
    (value,) = said.values()
    with pytest.warns(
        PendingAnimalWarning, match=rf"Request 0 waits. The animal '{value}' is not here yet.*"
    ):
        imaging.BaseFolder.insert1(request | said)
    assert carried_out() == set()
    assert [state for state, _ in told_of(lab, folder)] == ["waiting"]
    assert arrive(HERE, "b1,90300").requests == (0,)
    assert carried_out() == {0}
    assert imaging.MetaSession().fetch1("animal_id") == "b1"
    assert told_of(lab, folder) == [("done", "")]


@pytest.mark.usefixtures("awaits")
def test_the_error_says_when_the_colony_was_compared_with_last_and_what_looks_alike(
    lab: Lab, folder: Path, tmp_path: Path
) -> None:
    with pytest.warns(PendingAnimalWarning) as warned:
        request = imaging.BaseFolder.add(**lab.request(folder, combined=True) | {"animal": "90217"})
    assert request == 0
    (warning,) = warned
    assert Path(warning.filename) == Path(__file__)
    when = mlims.Sync().fetch1("sync_started")
    for text in (
        f"compared with last on {when:%Y-%m-%d at %H:%M} (csv {tmp_path / 'colony.csv'}: 1 animal)",
        "like 90218?",
        "the request waits for it, and is carried out when it is here.",
        "It is tried again by itself.",
    ):
        assert text in str(warning.message)
    assert told_of(lab, folder) == [("waiting", str(warning.message).removeprefix("Request 0 waits. "))]


def test_where_no_colony_tells_of_animals_an_unknown_one_is_refused_at_once(lab: Lab, folder: Path) -> None:
    with pytest.raises(
        InputError, match=r"There is no animal '90217'. Found: 90217 .like 90218.*Allowed: 90218"
    ):
        imaging.BaseFolder.add(**lab.request(folder, combined=True) | {"animal": "90217"})
    assert len(imaging.BaseFolder()) == 0


def test_where_the_configuration_names_a_colony_a_request_waits_for_its_first_account(
    lab: Lab, folder: Path
) -> None:
    bound = tables.default_tables()
    tables.bind(replace(bound, config=replace(lab.config, mlims_source={"kind": "csv", "path": "/x.csv"})))
    try:
        with pytest.warns(PendingAnimalWarning, match="the colony system was not compared with yet"):
            imaging.BaseFolder.add(**lab.request(folder, combined=True) | {"animal": "90300"})
    finally:
        tables.bind(bound)


@pytest.mark.usefixtures("awaits")
def test_a_failed_comparison_is_not_the_last_one(
    lab: Lab, folder: Path, arrive: Callable[..., Outcome]
) -> None:
    good = mlims.Sync().fetch1("sync_started")
    with pytest.raises(InputError):
        arrive(HERE, header="animal_id,animal_nmae")
    with pytest.warns(PendingAnimalWarning, match=f"{good:%Y-%m-%d at %H:%M} "):
        imaging.BaseFolder.add(**lab.request(folder, combined=True) | {"animal": "90300"})


@pytest.mark.usefixtures("awaits")
def test_the_command_makes_the_request_and_says_that_it_waits(
    lab: Lab, folder: Path, run: Callable[..., Result], arrive: Callable[..., Outcome]
) -> None:
    who = ["--user", "anna", "--animal", "90300", "--type", "2Pminiscope_A", "--combined"]
    looked = run("add", lab.windows_path(folder), *who, "--dry-run")
    assert looked.exit_code == 1
    assert "The animal '90300' is not here yet." in looked.stderr
    assert len(imaging.BaseFolder()) == 0

    made = run("add", lab.windows_path(folder), *who)
    assert made.exit_code == 0
    assert "The animal '90300' is not here yet." in made.stderr
    assert "Request 0 is made, and waits for the animal." in made.stdout
    assert max(len(line) for line in made.output.splitlines() if ".csv" not in line) <= 80

    reported = run("report", lab.windows_path(folder))
    assert "Request 0 by anna" in reported.stdout
    assert "waiting" in reported.stdout
    assert "animal 90300" in reported.stdout
    assert "is not here yet" in reported.stdout

    file = folder.parent / "animals.csv"
    file.write_text("animal_id,animal_name\nb1,90300\n")
    imported = run("animals", "import", file)
    assert "1 request that waited for an animal can be carried out now: 0." in imported.stdout
    assert carried_out() == {0}


@pytest.mark.usefixtures("awaits")
def test_a_preview_says_that_the_animal_is_not_here(lab: Lab, folder: Path) -> None:
    with pytest.raises(NotYetHereError, match="'90300' is not here yet"):
        imaging.BaseFolder.preview(**lab.request(folder, combined=True) | {"animal": "90300"})


@pytest.mark.usefixtures("awaits")
def test_a_request_with_the_right_animal_takes_the_place_of_one_that_waits(
    lab: Lab, folder: Path, arrive: Callable[..., Outcome]
) -> None:
    with pytest.warns(PendingAnimalWarning):
        imaging.BaseFolder.add(**lab.request(folder, combined=True) | {"animal": "90281"})
    imaging.BaseFolder.add(**lab.request(folder, combined=True))
    # One day there is an animal of that name.
    assert arrive(HERE, "b1,90281").requests == ()
    assert carried_out() == {1}
    first, second = told_of(lab, folder)
    assert first[0] == "waiting"
    assert first[1].startswith("Request 1 for the same folder names another animal")
    assert second == ("done", "")


@pytest.mark.usefixtures("awaits")
def test_a_request_that_is_withdrawn_is_not_carried_out_when_such_an_animal_comes(
    lab: Lab, folder: Path, arrive: Callable[..., Outcome]
) -> None:
    with pytest.warns(PendingAnimalWarning, match="or withdraw it: imaging-pipeline withdraw"):
        request = imaging.BaseFolder.add(**lab.request(folder, combined=True) | {"animal": "90281"})
    imaging.BaseFolder.withdraw(request, username="anna", reason="misspelt")
    assert told_of(lab, folder) == [("ignored", "")]
    assert arrive(HERE, "b1,90281").requests == ()
    assert carried_out() == set()
    ((step, *_),) = (each.steps for each in explain(tables.default_tables(), lab.windows_path(folder)))
    (item,) = step.items
    assert "anna let it be ignored" in item.reasons[0].what
    assert "(misspelt)" in item.reasons[0].what
    assert imaging.JobAction().fetch1("jobaction_who", "jobaction") == ("anna", "ignore")
    with pytest.raises(InputError, match="Request 0 is withdrawn already"):
        imaging.BaseFolder.withdraw(request)


@pytest.mark.usefixtures("awaits")
def test_a_request_that_was_withdrawn_and_is_tried_again_waits_again(
    lab: Lab, folder: Path, run: Callable[..., Result], arrive: Callable[..., Outcome]
) -> None:
    with pytest.warns(PendingAnimalWarning):
        imaging.BaseFolder.add(**lab.request(folder, combined=True) | {"animal": "90300"})
    withdrawn = run("withdraw", "0", "--user", "anna")
    again = "imaging-pipeline jobs retry basefolder_id=0"
    assert withdrawn.stdout.splitlines() == [
        "Request 0 is withdrawn. If it is to wait after all:",
        f"  {again}",
    ]
    assert run(*again.split()[1:]).exit_code == 0
    assert [state for state, _ in told_of(lab, folder)] == ["waiting"]
    # A worker may meet the job before it is dropped.
    with pytest.raises(NotYetHereError, match="'90300' is not here yet"):
        imaging.MakeDatasetSessions().make_compute({"basefolder_id": 0})
    ingest = [lane for lane in LANES if lane.name == "ingest"]
    assert str(run_worker(ingest, True, 0.1, lab.config, print)) == "done 0, errors 0, left 0"
    assert [state for state, _ in told_of(lab, folder)] == ["waiting"]
    assert arrive(HERE, "b1,90300").requests == (0,)
    assert carried_out() == {0}


@pytest.mark.usefixtures("awaits")
def test_only_a_request_that_waits_for_its_animal_is_withdrawn(
    lab: Lab, folder: Path, run: Callable[..., Result]
) -> None:
    register(lab, folder, combined=True)
    done = run("withdraw", "0")
    assert done.exit_code == 1
    assert "Request 0 does not wait for an animal. Found: its animal is here: a0f1." in done.stderr
    assert "imaging-pipeline retire" in done.stderr
    assert "There is no request 7" in run("withdraw", "7").stderr
    with pytest.warns(PendingAnimalWarning):
        imaging.BaseFolder.add(**lab.request(folder, combined=True) | {"animal": "90300"})
    assert "There is no username 'nobody'" in run("withdraw", "1", "--user", "nobody").stderr
    assert [state for state, _ in told_of(lab, folder)] == ["done", "waiting"]
    assert len(imaging.JobAction()) == 0


@pytest.mark.usefixtures("awaits")
def test_requests_under_both_labels_wait_together(
    lab: Lab, folder: Path, arrive: Callable[..., Outcome]
) -> None:
    for combined in (True, False):
        with pytest.warns(PendingAnimalWarning):
            imaging.BaseFolder.add(**lab.request(folder, combined=combined) | {"animal": "90300"})
    assert arrive(HERE, "b1,90300").requests == (0, 1)
    assert carried_out() == {0, 1}


@pytest.mark.usefixtures("awaits")
def test_a_name_that_two_animals_come_with_keeps_waiting_and_says_why(
    lab: Lab, folder: Path, arrive: Callable[..., Outcome]
) -> None:
    with pytest.warns(PendingAnimalWarning):
        imaging.BaseFolder.add(**lab.request(folder, combined=True) | {"animal": "90300"})
    assert arrive(HERE, "b1,90300", "b2,90300").requests == ()
    ((state, message),) = told_of(lab, folder)
    assert state == "waiting"
    assert message.startswith("The animal '90300' is not one but 2. Found: 90300: animal_id b1")
    # As soon as one of them is renamed, the other is meant.
    assert arrive(HERE, "b1,90300", "b2,90301").requests == (0,)


def test_an_ambiguous_name_tells_the_animals_apart(
    lab: Lab, folder: Path, arrive: Callable[..., Outcome]
) -> None:
    header = "animal_id,animal_name,animal_dob,death_date"
    arrive("b0,90300,2019-01-01,", "b1,90300,2020-01-01,2021-02-02", "b2,90300,2024-01-01,", header=header)
    arrive("b1,90300,2020-01-01,2021-02-02", "b2,90300,2024-01-01,", header=header)
    with pytest.raises(InputError) as told:
        imaging.BaseFolder.add(**lab.request(folder, combined=True) | {"animal": "90300"})
    (since,) = (row["missed_since"] for row in mlims.Animal.Gone().to_dicts() if row["animal_id"] == "b0")
    for text in (
        "90300: animal_id b0, datasource_id 0, born 2019-01-01, not in the colony system since "
        f"{since.date()}",
        "90300: animal_id b1, datasource_id 0, born 2020-01-01, died 2021-02-02",
        "90300: animal_id b2, datasource_id 0, born 2024-01-01",
        "Give the animal_id",
    ):
        assert text in str(told.value)
    assert imaging.BaseFolder.add(**lab.request(folder, combined=True) | {"animal": "b2"}) == 0


def test_an_animal_that_is_called_by_the_identifier_of_another_one_can_be_meant(
    lab: Lab, folder: Path, run: Callable[..., Result], arrive: Callable[..., Outcome]
) -> None:
    arrive(HERE, "b1,90300", "90300,Mia")
    add = (
        "add",
        lab.windows_path(folder),
        "--user",
        "anna",
        "--type",
        "2Pminiscope_A",
        "--split",
        "--animal",
    )
    refused = run(*add, "90300")
    assert refused.exit_code == 1
    assert "Found: Mia: animal_id 90300, datasource_id 0, born" in refused.stderr
    assert "; 90300: animal_id b1, datasource_id 0, born" in refused.stderr
    assert "name and animal_id as in 'Mia (90300)'" in refused.stderr
    for number, (said, meant) in enumerate({"Mia (90300)": "90300", "90300 (b1)": "b1"}.items()):
        assert run(*add, said).exit_code == 0
        assert (imaging.BaseFolder & {"basefolder_id": number}).fetch1("animal_id") == meant


@pytest.mark.usefixtures("awaits")
def test_a_former_name_is_refused_with_the_name_of_now(
    lab: Lab, folder: Path, arrive: Callable[..., Outcome]
) -> None:
    arrive("a0f1,90218b")
    with pytest.raises(
        InputError,
        match=r"No animal is called '90218' any more. Found: a0f1, which was renamed to 90218b on 20",
    ):
        imaging.BaseFolder.add(**lab.request(folder, combined=True))
    request = imaging.BaseFolder.add(**lab.request(folder, combined=True) | {"animal": "90218b"})
    assert carried_out() == {request}


@pytest.mark.usefixtures("awaits")
def test_a_former_name_that_another_animal_has_now_means_that_one(
    lab: Lab, folder: Path, arrive: Callable[..., Outcome]
) -> None:
    arrive("a0f1,90218b", "b1,90218")
    imaging.BaseFolder.add(**lab.request(folder, combined=True))
    assert imaging.BaseFolder().fetch1("animal_id") == "b1"


def test_sessions_of_a_renamed_animal_stay_its_own(
    lab: Lab, folder: Path, arrive: Callable[..., Outcome]
) -> None:
    register(lab, folder, combined=True)
    names = sorted(imaging.Session().to_arrays("session_name"))
    arrive("a0f1,90218b")
    register(lab, folder, combined=True, animal="90218b")
    assert sorted(imaging.Session().to_arrays("session_name")) == names
    assert (imaging.MetaSession * mlims.Animal).fetch1("animal_name") == "90218b"


def findings(request: int) -> Iterator[str]:
    rows = imaging.MakeDatasetSessions.Finding & {"basefolder_id": request}
    yield from rows.to_arrays("finding")


@pytest.mark.parametrize(
    ("life", "told"),
    [
        (f"2024-01-01,{START:%Y-%m-%d}", ""),
        ("2024-01-01,2024-05-16", "died on 2024-05-16, and 90218-openfield1m is of 2024-05-17"),
        ("2024-05-18,", "was born on 2024-05-18, and 90218-openfield1m is of 2024-05-17"),
    ],
)
def test_a_recording_outside_of_the_animal_s_life_is_registered_and_told(
    lab: Lab, folder: Path, arrive: Callable[..., Outcome], life: str, told: str
) -> None:
    arrive(f"{HERE},{life}", header="animal_id,animal_name,animal_dob,death_date")
    request = register(lab, folder, combined=True)
    assert [text for text in findings(request) if text.startswith("animal: ")] == (
        [f"animal: 90218 (a0f1) {told}"] if told else []
    )
    assert len(imaging.Session()) == 1
    again = register(lab, folder, combined=True)
    assert [text for text in findings(again) if text.startswith("animal: ")] == []


def test_a_folder_of_an_animal_that_is_gone_is_registered_and_told(
    lab: Lab, folder: Path, arrive: Callable[..., Outcome]
) -> None:
    arrive("b1,90300", "b2,90301")
    request = register(lab, folder, combined=True)
    (told,) = (text for text in findings(request) if text.startswith("animal: "))
    assert told.startswith("animal: 90218 (a0f1) is not in the colony system any more since 20")
