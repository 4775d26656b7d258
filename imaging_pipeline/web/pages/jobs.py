"""Jobs of all tables, what can be done with them, finished runs of Suite2p, and the workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from imaging_pipeline.errors import ForbiddenError, InputError
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.explaining.states import JOB_STATES, UNFINISHED, JobState
from imaging_pipeline.schemas.jobs.actions import Action, act
from imaging_pipeline.schemas.jobs.durations import durations
from imaging_pipeline.schemas.jobs.failures import failures
from imaging_pipeline.schemas.jobs.job_tables import job_tables
from imaging_pipeline.schemas.jobs.listing import list_jobs
from imaging_pipeline.schemas.jobs.living_workers import living_then_silent
from imaging_pipeline.schemas.jobs.overview import overview
from imaging_pipeline.schemas.jobs.selection import Selection
from imaging_pipeline.schemas.make.suite2p_runs import newest_request
from imaging_pipeline.web import query_arguments
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.htmx import rendered
from imaging_pipeline.web.page import Page
from imaging_pipeline.web.paging import PER_PAGE, Paged, page_number
from imaging_pipeline.web.people import current_person
from imaging_pipeline.web.queries import jobs as queries
from imaging_pipeline.web.recorded_changes import recorded

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")
PAGE = Page(blueprint, "Jobs")

# The least urgent priority; DataJoint's column is an int8, which ends at 127.
_LOWEST = 100
_DONE = {Action.RETRY: "is tried again", Action.IGNORE: "is ignored", Action.PRIORITISE: "has the priority"}


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the numbers of jobs by table, failures, workers, and finished runs."""
    bound = tables()
    return rendered(
        "jobs/index.html",
        "jobs/_overview.html",
        tables=overview(bound),
        statuses=JOB_STATES,
        failures=failures(bound),
        workers=living_then_silent(bound),
        runs=queries.finished_runs(bound),
        may_add=current_person().may_change_of,
    )


@blueprint.get("/list")
def listed() -> ResponseReturnValue:
    """List jobs, by table, state and words of their error."""
    table, error, number = query_arguments.text("table"), query_arguments.text("error"), page_number()
    status = query_arguments.text("status")
    statuses = [JobState(status)] if status in JOB_STATES else UNFINISHED
    selection = Selection(table=table or None, error=error)
    took = durations(tables(), selection) if table and status == JobState.DONE else {}
    page = list_jobs(tables(), selection, statuses, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
    return rendered(
        "jobs/list.html",
        "jobs/_list.html",
        jobs=Paged(page.jobs, number, number * PER_PAGE < page.total),
        total=page.total,
        durations=next(iter(took.values()), None),
        tables=[table.short_name for table in job_tables(tables())],
        statuses=JOB_STATES,
        selection=selection,
        status=status,
    )


@blueprint.get("/one")
def one() -> ResponseReturnValue:
    """Show a job, with the place in the code where it failed."""
    job = _requested_job(request.args)
    return render_template(
        "jobs/one.html",
        job=job,
        stack=queries.stack(tables(), job),
        may_change=current_person().may_change_of(queries.owner(tables(), job.key)),
    )


@blueprint.post("/act")
def acted() -> ResponseReturnValue:
    """Retry a job, ignore it, or set its priority."""
    job = _requested_job(request.form)
    action = _action(request.form.get("action", ""))
    priority = _priority() if action is Action.PRIORITISE else None
    _require(queries.owner(tables(), job.key))
    # As texts: it becomes JSON, and part of an address.
    key: dict[str, Any] = {name: str(value) for name, value in job.key.items()}
    with recorded(f"{action} of a job of", job.table, {**key, "priority": priority}) as bound:
        selection = Selection(table=job.table, key=key)
        done = act(bound, action, selection, priority=priority, username=current_person().username)
    outcome = f"{_DONE[action]}{'' if priority is None else f' {priority}'}"
    flash(f"The job {outcome}." if done.jobs else "The job stays as it is: it runs, or is done.")
    return redirect(url_for("jobs.one", table=job.table, **key))


@blueprint.get("/add-run")
def add_run() -> ResponseReturnValue:
    """Show the form that registers the folder of a finished run again, with its curation."""
    name = query_arguments.text("metasession_name")
    owner = queries.owner(tables(), {"metasession_name": name})
    if owner is None:
        raise InputError("There is no such run", found=name, remedy="Look at the list of runs again.")
    _require(owner)
    # A preview shows what would be deleted, and asks.
    return redirect(url_for("add.index", again=newest_request(tables(), name)))


def _requested_job(arguments: Mapping[str, str]) -> Job:
    """Return the job that a request names by its table and the columns of its key."""
    table = arguments.get("table", "")
    # All other arguments are columns of the key, which differ from table to table.
    other = ("table", "action", "priority", "csrf_token")
    return queries.job(tables(), table, {name: arguments[name] for name in arguments if name not in other})


def _action(typed: str) -> Action:
    if typed not in list(Action):
        raise InputError(
            "Nothing like this is done with jobs",
            found=typed,
            allowed=", ".join(Action),
            remedy="Use the buttons.",
        )
    return Action(typed)


def _priority() -> int:
    typed = request.form.get("priority", "")
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 3 and int(typed) <= _LOWEST):
        raise InputError(
            "A priority is a number; lower is sooner",
            found=typed,
            allowed=f"0 to {_LOWEST}",
            remedy="Give such a number.",
        )
    return int(typed)


def _require(owner: str | None) -> None:
    if not current_person().may_change_of(owner):
        raise ForbiddenError(
            "This is another experimenter's",
            found=owner or "somebody's who is gone",
            remedy="Ask them or an administrator to do it.",
        )
