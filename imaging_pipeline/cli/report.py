"""``imaging-pipeline report``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import text_width
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.ingest.damaged_tifs import DamagedTifs
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register.history import PastRequest, history
from imaging_pipeline.schemas.register.registration_text import report_lines, session_start
from imaging_pipeline.schemas.register.report import Report
from imaging_pipeline.schemas.register.retire import retired
from imaging_pipeline.schemas.table_names import owners
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import wrapped

_DETAILS = {"setup": "setup", "scope_name": "scope", "ops_name": "option set"}


@click.command()
@click.argument("what")
def report(what: str) -> None:
    """Tell what each request did, when and by whom, and which of its sessions were retired since.

    WHAT is a folder, as typed or below its repository, or the name of a session, of a MetaSession or of a
    timeseries.
    """
    with connected() as tables:
        requests = history(tables, what)
        for past in requests:
            for line in (*_head(past), *_report(tables, past.report)):
                click.echo(wrapped(line, text_width()))
            click.echo()
        for line in _retired(retired(tables, _reported_sessions(requests))):
            click.echo(wrapped(line, text_width()))


def _report(tables: Tables, report: Report | None) -> Iterator[str]:
    if report is not None:
        private = owners(tables, (each.table for each in report.purged))
        yield from (f"  {line}" for line in report_lines(report, private))


def _reported_sessions(requests: Iterable[PastRequest]) -> set[str]:
    """Return the names of all sessions in the reports of requests."""
    reports = [past.report for past in requests if past.report is not None]
    return {row["reported_session"] for report in reports for row in report.parts["Session"]}


def _retired(rows: Iterable[Row]) -> Iterator[str]:
    """Yield which sessions a person has retired since."""
    # Rows come in the order of time, so those of one retirement are neighbours.
    for _, group in groupby(rows, key=itemgetter("retirement_id")):
        sessions = list(group)
        when = sessions[0]["retirement_time"].isoformat(" ", "seconds")
        who, why = sessions[0]["retirement_username"], sessions[0]["retirement_reason"]
        yield f"Retired by {who}, {when}: {why}"
        for row in sessions:
            start = session_start(row["retired_start"], row["retired_timeseries"])
            yield f"  {start} ({row['retired_session']})"


def _head(past: PastRequest) -> Iterator[str]:
    request = past.request
    made = request["basefolder_entry_time"].isoformat(" ", "seconds")
    yield f"Request {request['basefolder_id']} by {request['username']}, {made}: {_state(past)}"
    yield f"  {request['path']}"
    combined = "combined" if request["combined"] == "yes" else "not combined"
    details = [f"{name} {request[column]}" for column, name in _DETAILS.items() if request[column]]
    if request["damaged_tifs"] != DamagedTifs.REFUSE:
        details.append(f"damaged tifs: {request['damaged_tifs']}")
    animal = f"animal {request['animal_name']}"
    yield f"  {', '.join([request['experiment_type'], combined, animal, *details])}"
    if request["base_folder_note"]:
        yield f"  Note: {request['base_folder_note']}"
    if past.message:
        yield f"  {past.message}"


def _state(past: PastRequest) -> str:
    if past.report is not None:
        done = past.report.row["makedatasetsessions_entry_time"]
        return f"{past.state.words_of_request} {done.isoformat(' ', 'seconds')}"
    if past.state is JobState.PENDING and not past.message:
        return "waiting for a worker"
    return past.state.words_of_request
