"""Jobs as lines and tables of plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from imaging_pipeline.errors import ParsedMessage
from imaging_pipeline.explaining.job import Job, JobStatus
from imaging_pipeline.schemas.jobs.about import about
from imaging_pipeline.schemas.jobs.actions import Acted, Action
from imaging_pipeline.schemas.jobs.durations import Durations
from imaging_pipeline.schemas.jobs.failures import Failure
from imaging_pipeline.schemas.jobs.job_rows import DEFAULT_PRIORITY
from imaging_pipeline.schemas.jobs.listing import JobPage
from imaging_pipeline.schemas.jobs.overview import TableJobs
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import counted, in_words, times

Columns = Sequence[str]
Rows = list[tuple[object, ...]]

_LEFT = (JobStatus.PENDING, JobStatus.LATER, JobStatus.RESERVED, JobStatus.ERROR, JobStatus.IGNORE)
_DONE = {Action.RETRY: "To be tried again", Action.IGNORE: "Ignored", Action.PRIORITISE: "Given the priority"}
_NUM_TOLD = 10


def counts(tables: Sequence[TableJobs]) -> tuple[Columns, Rows]:
    """Return a table of what is left to make; columns and rows without any are left out."""
    statuses = [status for status in _LEFT if any(each.counts.get(status) for each in tables)]
    columns = ("to be made", *map(str, statuses), "oldest")
    rows: Rows = []
    for each in tables:
        if any(each.counts.get(status) for status in statuses):
            ages = [age for status, age in each.oldest_s.items() if status in statuses]
            oldest = in_words(max(ages)) if ages else None
            rows.append((each.jobs.short_name, *(each.counts.get(status) for status in statuses), oldest))
    return columns, rows


def durations(tables: Sequence[TableJobs], took_by_table: Mapping[str, Durations]) -> tuple[Columns, Rows]:
    """Return a table of what is made, and how long it took."""
    rows: Rows = []
    for each in tables:
        done, took = each.counts.get(JobStatus.SUCCESS), took_by_table.get(each.jobs.name)
        if done:
            times = (None, None) if took is None else (in_words(took.median_s), in_words(took.total_s))
            rows.append((each.jobs.short_name, done, *times))
    return ("made", "jobs", "median", "total"), rows


def listed(page: JobPage) -> Iterator[str]:
    """Tell jobs one by one, and how many more there are."""
    for job in page.jobs:
        yield f"{job.short_table}, {job.about}: {_state(job)}"
        if job.told is not None:
            yield from _told(job.told)
    if page.total > len(page.jobs):
        yield f"{page.total - len(page.jobs)} more; --limit says how many are listed."


def failed(failures: Sequence[Failure]) -> Iterator[str]:
    """Tell what went wrong, with one job of each kind."""
    for each in failures:
        yield f"{each.table.rpartition('.')[2]}: {counted(each.number, 'job')} failed"
        yield from _told(each.told)
        ago = "" if each.newest.since_s is None else f", {in_words(each.newest.since_s)} ago"
        newest = "It is" if each.number == 1 else "The newest is"
        yield f"  {newest} {each.newest.about}{ago}."


def acted(tables: Tables, action: Action, done: Acted) -> Iterator[str]:
    """Tell what was done with jobs, and what was left as it was."""
    yield f"{_DONE[action]}: {counted(len(done.jobs), 'job')}."
    shown = done.jobs[:_NUM_TOLD]
    for job, words in zip(shown, about(tables, [job.key for job in shown]), strict=True):
        yield f"  {job.table.rpartition('.')[2]}, {words}: was {job.status}, with priority {job.priority}"
    if len(done.jobs) > _NUM_TOLD:
        yield f"  and {len(done.jobs) - _NUM_TOLD} more"
    if action is Action.PRIORITISE and done.jobs:
        yield f"What follows from these is made with the usual priority, {DEFAULT_PRIORITY}."
    if done.untouched:
        left = ", ".join(f"{number} {status}" for status, number in done.untouched.items())
        yield f"Left as they are: {left}."


def _told(told: ParsedMessage) -> Iterator[str]:
    kind = f"{told.kind}: " if told.kind else ""
    again = f" (tried {times(told.attempt)})" if told.attempt else ""
    yield f"  {kind}{told.what}{again}"
    yield (
        f"  What to do, {told.responsible.phrase}: {told.remedy}"
        if told.remedy
        else f"  {told.responsible.phrase}"
    )


def _state(job: Job) -> str:
    since = "" if job.since_s is None else in_words(job.since_s)
    match job.status:
        case JobStatus.PENDING:
            return f"pending{f' for {since}' if since else ''}, priority {job.priority}"
        case JobStatus.LATER:
            return f"for later, in {in_words(job.due_s or 0.0)}, priority {job.priority}"
        case JobStatus.RESERVED:
            return f"reserved for {since} {_who(job)}"
        case JobStatus.ERROR:
            return f"error {since} ago"
        case JobStatus.IGNORE:
            return "ignored"
        case JobStatus.SUCCESS:
            took = "" if job.duration_s is None else f" in {in_words(job.duration_s)}"
            return f"made {since} ago{took}"


def _who(job: Job) -> str:
    if job.worker is None:
        return f"by process {job.pid} on {job.host}, of no worker that is known"
    silent = f", silent for {in_words(job.worker.heartbeat_age_s)}" if job.worker.is_silent else ""
    doing = next((each.doing for each in job.worker.processes if each.pid == job.pid), "")
    return f"by {job.worker.name}{silent}{f': {doing}' if doing else ''}"
