"""Why a job is as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from imaging_pipeline.errors import ParsedMessage, Responsible
from imaging_pipeline.explaining import commands
from imaging_pipeline.explaining.facts import Candidate, Facts, TableFacts
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.explaining.missing import SUITE2P, no_tifs
from imaging_pipeline.explaining.reasons import Item, Reason
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.living_worker import LivingWorker
from imaging_pipeline.wording import in_words, times

_NO_MESSAGE = ParsedMessage(Responsible.DEVELOPER, "It failed, and its row does not say why.", "")


def job_item(table: TableFacts, job: Job, facts: Facts) -> Item:
    """Return how far a job is and why it is no further."""
    return Item(job.description, job.state, tuple(_reasons(table, job, facts)), job=job)


def _reasons(table: TableFacts, job: Job, facts: Facts) -> Iterator[Reason]:
    match job.state:
        case JobState.PENDING | JobState.LATER if table.table == SUITE2P and facts.tif_advice:
            yield no_tifs(facts)
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
    if job.message is not None:
        yield Reason.of_message(job.message, f"It was given back: {job.message.what}")
    yield from _available_workers(table)


def _later(table: TableFacts, job: Job) -> Iterator[Reason]:
    if job.message is not None:
        again = f" It was tried {times(job.message.attempt)}." if job.message.attempt else ""
        yield Reason.of_message(job.message, f"{job.message.what}{again}")
    else:
        yield Reason("It is scheduled for later.")
    # Workers that can make it say nothing of a job that waits: they will.
    if all(candidate.why_not for candidate in table.candidates):
        yield from _available_workers(table)


def _running(table: TableFacts, job: Job) -> Iterator[Reason]:
    process = f"process {job.pid} on {job.host}"
    if job.worker is not None and not job.worker.is_silent:
        yield _made_by(job.worker, job, process)
        return
    if job.worker is None:
        yield Reason(
            f"It is reserved by {process}, which belongs to no known worker.",
            "Nothing while a worker runs: it takes over the jobs of such a process.",
            Responsible.RETRY,
        )
    else:
        silent_for = in_words(job.worker.heartbeat_age_s)
        yield Reason(
            f"{job.worker.name} has it, {process}, and has given no sign of life for {silent_for}.",
            "Nothing while another worker runs: it takes over the job.",
            Responsible.RETRY,
        )
    # Nobody would take over the job.
    if not table.candidates:
        yield _no_worker(table.lane, ())


def _made_by(worker: LivingWorker, job: Job, process: str) -> Reason:
    doing = next((one.doing for one in worker.processes if one.pid == job.pid), "")
    return Reason(
        f"{worker.name} makes it, {process}{f': {doing}' if doing else ''}."
        f" Its last sign of life was {in_words(worker.heartbeat_age_s)} ago."
    )


def _error(job: Job, facts: Facts) -> Reason:
    message = job.message or _NO_MESSAGE
    kind = f"{message.kind}: " if message.kind else ""
    # What an experimenter does is seen by registering again, which lets the failed jobs be tried again.
    is_registered_again = message.responsible is Responsible.EXPERIMENTER
    then = "register the folder again" if is_registered_again else "have it tried again"
    # Many messages say already to register again; that is not said twice.
    remedy = message.remedy if then in message.remedy else f"{message.remedy} Then {then}:".lstrip()
    command = commands.add(facts) if is_registered_again else commands.retry(job, facts)
    return Reason(f"{kind}{message.what}", remedy, message.responsible, command)


def _ignored(job: Job, facts: Facts) -> Reason:
    what = "It is ignored."
    if job.ignored is not None:
        why = f" ({job.ignored.reason})" if job.ignored.reason else ""
        what = f"{job.ignored.who} ignored it, {job.ignored.when.isoformat(' ', 'minutes')}{why}."
    remedy = "If it is to be made after all:"
    return Reason(what, remedy, Responsible.EXPERIMENTER, commands.retry(job, facts))


def _available_workers(table: TableFacts) -> Iterator[Reason]:
    """Yield which living workers can do a job, or why none can."""
    able = [candidate for candidate in table.candidates if not candidate.why_not]
    if able:
        yield Reason(f"{_listed(map(_with_current_job, able), 'or')} can make it.")
        return
    of_lane = [candidate for candidate in table.candidates if table.lane in candidate.worker.lanes]
    if not of_lane:
        yield _no_worker(table.lane, table.candidates)
    # One share that is not mounted stops many workers: a person reads it once.
    by_reason: dict[tuple[str, str], list[LivingWorker]] = {}
    for candidate in of_lane:
        by_reason.setdefault((candidate.why_not, candidate.remedy), []).append(candidate.worker)
    for (why_not, remedy), workers in by_reason.items():
        names = _listed((f"{worker.name} on {worker.host}" for worker in workers), "and")
        yield Reason(f"{names} cannot make it: {why_not}.", remedy, Responsible.ADMINISTRATOR)


def _no_worker(lane: str, others: Sequence[Candidate]) -> Reason:
    lanes = sorted({other for candidate in others for other in candidate.worker.lanes})
    what = f"No worker of the lane {lane} runs"
    return Reason(
        f"{what}, only of {', '.join(lanes)}." if lanes else f"{what}.",
        "Start one on a machine that has what it needs:",
        Responsible.ADMINISTRATOR,
        commands.start_worker(lane),
    )


def _with_current_job(candidate: Candidate) -> str:
    doing = candidate.worker.doing
    return f"{candidate.worker.name} (now at {doing})" if doing else candidate.worker.name


def _listed(names: Iterable[str], before_last: str) -> str:
    *first, last = names
    return f"{', '.join(first)} {before_last} {last}" if first else last
