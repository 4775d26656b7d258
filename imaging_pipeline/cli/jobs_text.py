"""Jobs as lines and tables of plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from imaging_pipeline.errors import ParsedMessage
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.explaining.states import UNFINISHED, JobState
from imaging_pipeline.schemas.jobs.actions import Action, ActionResult
from imaging_pipeline.schemas.jobs.descriptions import descriptions
from imaging_pipeline.schemas.jobs.durations import Durations
from imaging_pipeline.schemas.jobs.failures import Failure
from imaging_pipeline.schemas.jobs.job_rows import DEFAULT_PRIORITY
from imaging_pipeline.schemas.jobs.listing import JobPage
from imaging_pipeline.schemas.jobs.overview import TableJobs
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import counted, in_words, times

Columns = Sequence[str]
Rows = list[tuple[object, ...]]

_DONE = {Action.RETRY: "To be tried again", Action.IGNORE: "Ignored", Action.PRIORITISE: "Given the priority"}
# Jobs that are listed after an action; the others are counted.
_NUM_SHOWN = 10


def counts(tables: Sequence[TableJobs]) -> tuple[Columns, Rows]:
    """Return a table of unfinished jobs; columns and rows without any are left out."""
    states = [state for state in UNFINISHED if any(of_table.counts.get(state) for of_table in tables)]
    columns = ("to be made", *map(str, states), "oldest")
    rows: Rows = []
    for of_table in tables:
        if any(of_table.counts.get(state) for state in states):
            ages = [age for state, age in of_table.oldest_s.items() if state in states]
            oldest = in_words(max(ages)) if ages else None
            numbers = (of_table.counts.get(state) for state in states)
            rows.append((of_table.table.short_name, *numbers, oldest))
    return columns, rows


def durations(tables: Sequence[TableJobs], by_table: Mapping[str, Durations]) -> tuple[Columns, Rows]:
    """Return a table of finished jobs, and how long they took."""
    rows: Rows = []
    for of_table in tables:
        number, took = of_table.counts.get(JobState.DONE), by_table.get(of_table.table.name)
        if number:
            times = (None, None) if took is None else (in_words(took.median_s), in_words(took.total_s))
            rows.append((of_table.table.short_name, number, *times))
    return ("made", "jobs", "median", "total"), rows


def job_lines(page: JobPage) -> Iterator[str]:
    """Yield jobs one by one, and how many more there are."""
    for job in page.jobs:
        yield f"{job.short_table}, {job.description}: {_state(job)}"
        if job.message is not None:
            yield from _message(job.message)
    if page.total > len(page.jobs):
        yield f"{page.total - len(page.jobs)} more; --limit says how many are listed."


def failure_lines(failures: Sequence[Failure]) -> Iterator[str]:
    """Yield what went wrong, with the newest job of each kind."""
    for failure in failures:
        yield f"{failure.table.rpartition('.')[2]}: {counted(failure.number, 'job')} failed"
        yield from _message(failure.message)
        ago = "" if failure.newest.since_s is None else f", {in_words(failure.newest.since_s)} ago"
        newest = "It is" if failure.number == 1 else "The newest is"
        yield f"  {newest} {failure.newest.description}{ago}."


def result_lines(tables: Tables, action: Action, result: ActionResult) -> Iterator[str]:
    """Yield what was done with jobs, and how many were left as they are."""
    yield f"{_DONE[action]}: {counted(len(result.jobs), 'job')}."
    shown = result.jobs[:_NUM_SHOWN]
    for job, description in zip(shown, descriptions(tables, [job.key for job in shown]), strict=True):
        table = job.table.rpartition(".")[2]
        yield f"  {table}, {description}: was {job.state}, with priority {job.priority}"
    if len(result.jobs) > _NUM_SHOWN:
        yield f"  and {len(result.jobs) - _NUM_SHOWN} more"
    if action is Action.PRIORITISE and result.jobs:
        yield f"What follows from these is made with the usual priority, {DEFAULT_PRIORITY}."
    if result.unchanged:
        unchanged = ", ".join(f"{number} {state}" for state, number in result.unchanged.items())
        yield f"Left as they are: {unchanged}."


def _message(message: ParsedMessage) -> Iterator[str]:
    kind = f"{message.kind}: " if message.kind else ""
    again = f" (tried {times(message.attempt)})" if message.attempt else ""
    yield f"  {kind}{message.what}{again}"
    whose = message.responsible.phrase
    yield f"  What to do, {whose}: {message.remedy}" if message.remedy else f"  {whose}"


def _state(job: Job) -> str:
    since = "" if job.since_s is None else in_words(job.since_s)
    match job.state:
        case JobState.PENDING:
            return f"pending{f' for {since}' if since else ''}, priority {job.priority}"
        case JobState.LATER:
            return f"for later, in {in_words(job.due_s or 0.0)}, priority {job.priority}"
        case JobState.RUNNING:
            return f"reserved for {since} {_who(job)}"
        case JobState.ERROR:
            return f"error {since} ago"
        case JobState.IGNORED:
            return "ignored"
        case _:
            took = "" if job.duration_s is None else f" in {in_words(job.duration_s)}"
            return f"made {since} ago{took}"


def _who(job: Job) -> str:
    if job.worker is None:
        return f"by process {job.pid} on {job.host}, of no known worker"
    silent = f", silent for {in_words(job.worker.heartbeat_age_s)}" if job.worker.is_silent else ""
    doing = next((process.doing for process in job.worker.processes if process.pid == job.pid), "")
    return f"by {job.worker.name}{silent}{f': {doing}' if doing else ''}"
