"""``imaging-pipeline report``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import text_width
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import report_text
from imaging_pipeline.schemas.register.history import PastRequest, history
from imaging_pipeline.schemas.register.report import Report
from imaging_pipeline.schemas.register.report_text import in_order, session, told
from imaging_pipeline.schemas.register.retire import retired
from imaging_pipeline.schemas.table_names import owners
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
            purged = [] if past.report is None else past.report.purged
            private = owners(tables, (each.table for each in purged))
            for line in (*_head(past), *_done(past.report, private)):
                click.echo(wrapped(line, text_width()))
            click.echo()
        for line in _retired(retired(tables, _met(requests))):
            click.echo(wrapped(line, text_width()))


def _met(requests: Iterable[PastRequest]) -> set[str]:
    """Return the names of all sessions that requests met."""
    reports = [past.report for past in requests if past.report is not None]
    return {row["reported_session"] for report in reports for row in report.parts["Session"]}


def _retired(rows: Iterable[Row]) -> Iterator[str]:
    """Tell which sessions were deleted since at a person's wish."""
    for _, group in groupby(rows, key=itemgetter("retirement_id")):
        sessions = list(group)
        when = sessions[0]["retirement_time"].isoformat(" ", "seconds")
        who, why = sessions[0]["retirement_username"], sessions[0]["retirement_reason"]
        yield f"Retired by {who}, {when}: {why}"
        for row in sessions:
            yield f"  {told(row['retired_start'], row['retired_timeseries'])} ({row['retired_session']})"


def _head(past: PastRequest) -> Iterator[str]:
    request = past.request
    made = request["basefolder_entry_time"].isoformat(" ", "seconds")
    yield f"Request {request['basefolder_id']} by {request['username']}, {made}: {_state(past)}"
    yield f"  {request['path']}"
    combined = "combined" if request["combined"] == "yes" else "not combined"
    details = [f"{name} {request[column]}" for column, name in _DETAILS.items() if request[column]]
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


def _done(done: Report | None, private: dict[str, str | None]) -> Iterator[str]:
    if done is None:
        return
    blocks = (
        _sessions(done),
        _files(done),
        report_text.deleted(done.purged, private),
        report_text.tried_again(done),
        report_text.findings(done),
    )
    yield from (f"  {line}" for block in blocks for line in block)


def _sessions(done: Report) -> Iterator[str]:
    for row in sorted(done.parts["Session"], key=itemgetter("reported_start", "reported_timeseries")):
        met = session(row["session_verdict"], row["reported_start"], row["reported_timeseries"])
        yield f"session {met} ({row['reported_session']})"
    changed = [row for row in done.parts["Dataset"] if row["dataset_verdict"] != "known"]
    for row in sorted(changed, key=lambda row: in_order(row["reported_bundle"], row["reported_datasettype"])):
        reason = f": {row['dataset_reason']}" if row["dataset_reason"] else ""
        what = f"{row['reported_datasettype']} {row['reported_bundle']}"
        yield f"dataset {row['dataset_verdict']:<8} {what}{reason}"


def _files(done: Report) -> Iterator[str]:
    counts = (f"{done.row[f'num_files_{verdict}']} {verdict}" for verdict in ("used", "ignored", "unknown"))
    yield f"files: {', '.join(counts)}"
    files = done.parts["File"]
    yield from report_text.ignored(
        (row["reported_path"], row["file_reason"]) for row in files if row["file_verdict"] == "ignored"
    )
    for row in files:
        if row["file_verdict"] == "unknown":
            yield f"  unknown  {row['reported_path']}: {row['file_reason']}"
