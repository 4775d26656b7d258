"""Why a job is as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imaging_pipeline.errors import ParsedMessage, Responsible
from imaging_pipeline.explaining import commands
from imaging_pipeline.explaining.facts import Candidate, Facts, TableFacts
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.explaining.reasons import Item, Kind, Reason
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.living_worker import LivingWorker
from imaging_pipeline.wording import in_words, times


def job_item(table: TableFacts, job: Job, facts: Facts) -> Item:
    """Return how far a job is and why it is no further."""
    return Item(job.about, job.state, tuple(_reasons(table, job, facts)), job=job)


def _reasons(table: TableFacts, job: Job, facts: Facts) -> Iterator[Reason]:
    match job.state:
        case JobState.PENDING:
            yield from _pending(table, job)
        case JobState.LATER:
            yield from _later(table, job)
        case JobState.RUNNING:
            yield from _running(table, job)
        case JobState.ERROR:
            yield _error(job, facts)
        case JobState.IGNORED:
            yield _ignored(job, facts)


def _pending(table: TableFacts, job: Job) -> Iterator[Reason]:
    if job.told is not None:
        yield Reason(
            Kind.GIVEN_BACK, f"It was given back: {job.told.what}", job.told.remedy, job.told.responsible
        )
    yield from _who_can(table)


def _later(table: TableFacts, job: Job) -> Iterator[Reason]:
    if job.told is not None:
        again = f" It was tried {times(job.told.attempt)}." if job.told.attempt else ""
        yield Reason(Kind.LATER, f"{job.told.what}{again}", job.told.remedy, job.told.responsible)
    else:
        yield Reason(Kind.LATER, "It is scheduled for later.")
    if not any(not each.why_not for each in table.candidates):
        yield from _who_can(table)


def _running(table: TableFacts, job: Job) -> Iterator[Reason]:
    process = f"process {job.pid} on {job.host}"
    if job.worker is None:
        yield Reason(
            Kind.ORPHAN,
            f"It is reserved by {process}, which is of no worker that is known.",
            "Nothing where a worker runs: one takes up what such a process left.",
            Responsible.RETRY,
        )
    elif job.worker.is_silent:
        silent_for = in_words(job.worker.heartbeat_age_s)
        yield Reason(
            Kind.SILENT,
            f"{job.worker.name} has it, {process}, and has given no sign of life for {silent_for}.",
            "Nothing where another worker runs: it takes the job up.",
            Responsible.RETRY,
        )
    else:
        doing = next((each.doing for each in job.worker.processes if each.pid == job.pid), "")
        beat = in_words(job.worker.heartbeat_age_s)
        yield Reason(
            Kind.RUNNING,
            f"{job.worker.name} makes it, {process}{f': {doing}' if doing else ''}."
            f" Its last sign of life was {beat} ago.",
        )
        return
    if not table.candidates:
        yield _no_worker(table.lane, ())


def _error(job: Job, facts: Facts) -> Reason:
    told = job.told or ParsedMessage(Responsible.DEVELOPER, "It failed, and its row does not say why.", "")
    kind = f"{told.kind}: " if told.kind else ""
    # What an experimenter does is seen by registering again, which lets the failed jobs be tried again.
    is_seen = told.responsible is Responsible.EXPERIMENTER
    then = "register the folder again" if is_seen else "have it tried again"
    remedy = told.remedy if then in told.remedy else f"{told.remedy} Then {then}:".lstrip()
    command = commands.add(facts) if is_seen else commands.retry(job, facts)
    return Reason(Kind.ERROR, f"{kind}{told.what}", remedy, told.responsible, command)


def _ignored(job: Job, facts: Facts) -> Reason:
    what = "It is ignored."
    if job.ignored is not None:
        why = f" ({job.ignored.reason})" if job.ignored.reason else ""
        what = f"{job.ignored.who} let it be ignored, {job.ignored.when.isoformat(' ', 'minutes')}{why}."
    remedy = "If it is to be made after all:"
    return Reason(Kind.IGNORED, what, remedy, Responsible.EXPERIMENTER, commands.retry(job, facts))


def _who_can(table: TableFacts) -> Iterator[Reason]:
    """Return which living workers can do it, or why none can."""
    able = [each for each in table.candidates if not each.why_not]
    if able:
        yield Reason(Kind.WAITS_FOR_WORKER, f"{_listed(map(_busy, able), 'or')} can make it.")
        return
    of_lane = [each for each in table.candidates if table.lane in each.worker.lanes]
    if not of_lane:
        yield _no_worker(table.lane, table.candidates)
    alike: dict[tuple[str, str], list[LivingWorker]] = {}
    for each in of_lane:
        alike.setdefault((each.why_not, each.remedy), []).append(each.worker)
    for (why_not, remedy), workers in alike.items():
        named = _listed((f"{worker.name} on {worker.host}" for worker in workers), "and")
        yield Reason(Kind.UNABLE, f"{named} cannot make it: {why_not}.", remedy, Responsible.ADMINISTRATOR)


def _no_worker(lane: str, others: Sequence[Candidate]) -> Reason:
    lanes = sorted({lane for each in others for lane in each.worker.lanes})
    what = f"No worker of the lane {lane} runs"
    return Reason(
        Kind.NO_WORKER,
        f"{what}, only of {', '.join(lanes)}." if lanes else f"{what}.",
        "Start one on a machine that has what it needs:",
        Responsible.ADMINISTRATOR,
        commands.start_worker(lane),
    )


def _busy(candidate: Candidate) -> str:
    doing = candidate.worker.doing
    return f"{candidate.worker.name} (now at {doing})" if doing else candidate.worker.name


def _listed(words: Iterator[str], before_last: str) -> str:
    *first, last = words
    return f"{', '.join(first)} {before_last} {last}" if first else last
