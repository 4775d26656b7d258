"""Sessions: the list with the progress of each, one session, and why it is not done."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from imaging_pipeline import strict_json
from imaging_pipeline.errors import ForbiddenError, InputError
from imaging_pipeline.schemas.administer import session_notes
from imaging_pipeline.schemas.jobs.explaining import explain
from imaging_pipeline.schemas.jobs.session_progress import SessionFilter, session_page
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.suite2p_runner.option_text import from_default
from imaging_pipeline.web import query_arguments
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.htmx import rendered
from imaging_pipeline.web.page import Page
from imaging_pipeline.web.pages.cells import viewer_of
from imaging_pipeline.web.paging import PER_PAGE, Paged, page_number
from imaging_pipeline.web.people import current_person
from imaging_pipeline.web.queries import cells, choices
from imaging_pipeline.web.queries import sessions as queries
from imaging_pipeline.web.recorded_changes import recorded

blueprint = Blueprint("sessions", __name__, url_prefix="/sessions")
PAGE = Page(blueprint, "Sessions")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List sessions, the newest first, with the progress of every table."""
    number, search = page_number(), _search()
    try:
        columns, rows = session_page(tables(), search, limit=PER_PAGE + 1, offset=(number - 1) * PER_PAGE)
        refusal = None
    except InputError as error:
        columns, rows, refusal = (), (), error
    return rendered(
        "sessions/index.html",
        "sessions/_list.html",
        columns=columns,
        sessions=Paged(rows[:PER_PAGE], number, len(rows) > PER_PAGE),
        search=search,
        error=refusal,
        users=choices.users(tables()),
        types=choices.experiment_types(tables()),
    )


@blueprint.get("/<session_name>")
def one(session_name: str) -> ResponseReturnValue:
    """Show a session."""
    bound = tables()
    row = queries.session(bound, session_name)
    runs = queries.runs(bound, row)
    return render_template(
        "sessions/one.html",
        session=row,
        siblings=queries.siblings(bound, row),
        datasets=queries.datasets(bound, row),
        stacks=queries.stacks(bound, row),
        runs=[(run, from_default(run["run_settings"])) for run in runs],
        ops_name=queries.requested_option_set(bound, row),
        hardware=queries.hardware(bound, row),
        annotations=queries.session_annotations(bound, row),
        types=choices.session_types(bound),
        apparatus=choices.apparatus(bound),
        viewer=viewer_of(session_name, cells.analyses(bound, session_name)),
        may_change=current_person().may_change_of(row["username"]),
    )


@blueprint.get("/<session_name>/why")
def why(session_name: str) -> ResponseReturnValue:
    """Show why a session is not done."""
    row = queries.session(tables(), session_name)
    (explanation,) = explain(tables(), row["session_name"])
    return rendered(
        "sessions/why.html",
        "sessions/_why.html",
        explanation=explanation,
        session_name=session_name,
        may_repeat=current_person().may_change_of(row["username"]),
    )


@blueprint.get("/<session_name>/image/<dataset_name>")
def image(session_name: str, dataset_name: str) -> ResponseReturnValue:
    """Return the mean image of a stack as float32, little-endian, row by row."""
    pixels = queries.preview(tables(), session_name, dataset_name)
    return Response(pixels.astype("<f4").tobytes(), mimetype="application/octet-stream")


@blueprint.post("/<session_name>/note")
def note(session_name: str) -> ResponseReturnValue:
    """Add a note to the session's MetaSession."""
    row = _changeable(session_name)
    text = request.form.get("note", "")
    with recorded("noted of", session_name, {"note": text}) as bound:
        session_notes.add_note(bound, row["metasession_name"], text)
    flash("The note is saved.")
    return redirect(url_for("sessions.one", session_name=session_name))


@blueprint.post("/<session_name>/circumstances")
def circumstances(session_name: str) -> ResponseReturnValue:
    """Record what the animal did, and in which apparatus."""
    row = _changeable(session_name)
    types, apparatus = request.form.getlist("types"), request.form.getlist("apparatus")
    with recorded("said of", session_name, {"types": types, "apparatus": apparatus}) as bound:
        session_notes.set_types(bound, row, types, shown=_shown("shown_types"))
        session_notes.set_apparatus(bound, row, apparatus, shown=_shown("shown_apparatus"))
    flash("Saved.")
    return redirect(url_for("sessions.one", session_name=session_name))


def _shown(field: str) -> list[str]:
    """Return what was noted when the form was shown, which it sends along as JSON."""
    try:
        shown = strict_json.loads(request.form.get(field, "[]"))
    except ValueError:
        shown = []
    return [name for name in shown if isinstance(name, str)] if isinstance(shown, list) else []


def _changeable(session_name: str) -> Row:
    row = queries.session(tables(), session_name)
    if not current_person().may_change_of(row["username"]):
        raise ForbiddenError(
            "This session is another experimenter's",
            found=row["username"],
            remedy=f"Ask {row['username']} or an administrator to do it.",
        )
    return row


def _search() -> SessionFilter:
    """Return the search in the address."""
    return SessionFilter(
        animal=query_arguments.text("animal") or None,
        username=query_arguments.text("username") or None,
        experiment_type=query_arguments.text("type") or None,
        name=query_arguments.text("name") or None,
        since=query_arguments.day("since"),
        until=query_arguments.day("until"),
    )
