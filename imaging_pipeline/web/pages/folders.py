"""Requests for folders: the list, and the result of each."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from imaging_pipeline.errors import ForbiddenError, ParsedMessage, parse_message
from imaging_pipeline.explaining.states import REQUEST_STATES
from imaging_pipeline.schemas.jobs import withdrawal
from imaging_pipeline.schemas.register.history import PastRequest
from imaging_pipeline.schemas.table_names import owners
from imaging_pipeline.web import query_arguments
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.htmx import rendered
from imaging_pipeline.web.page import Page
from imaging_pipeline.web.paging import page_number
from imaging_pipeline.web.people import current_person
from imaging_pipeline.web.queries import choices
from imaging_pipeline.web.queries import folders as queries
from imaging_pipeline.web.queries.folders import Criteria
from imaging_pipeline.web.recorded_changes import recorded

blueprint = Blueprint("folders", __name__, url_prefix="/folders")
PAGE = Page(blueprint, "Folders")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List requests, the newest first."""
    criteria = _criteria()
    return rendered(
        "folders/index.html",
        "folders/_list.html",
        requests=queries.requests(tables(), criteria, page_number()),
        criteria=criteria,
        users=choices.users(tables()),
        states=REQUEST_STATES,
    )


@blueprint.get("/<int:number>")
def one(number: int) -> ResponseReturnValue:
    """Show a request and its result; the page reloads itself until there is one."""
    past = queries.request(tables(), number)
    purged = [row["purged_table"] for row in past.report.parts["Purge"]] if past.report else []
    return rendered(
        "folders/one.html",
        "folders/_state.html",
        past=past,
        message=_message(past),
        owners=owners(tables(), purged),
        may_repeat=current_person().may_change_of(past.request["username"]),
    )


@blueprint.post("/<int:number>/withdraw")
def withdraw(number: int) -> ResponseReturnValue:
    """Withdraw a request that waits for its animal."""
    past = queries.request(tables(), number)
    if not current_person().may_change_of(past.request["username"]):
        raise ForbiddenError(
            "This is another experimenter's",
            found=past.request["username"],
            remedy="Ask them or an administrator to do it.",
        )
    details = {name: past.request[name] for name in ("path", "animal_name")}
    with recorded("withdrew the request", number, details) as bound:
        withdrawal.withdraw(bound, number, username=current_person().username)
    flash(f"Request {number} is withdrawn.")
    return redirect(url_for("folders.one", number=number))


def _message(past: PastRequest) -> ParsedMessage | None:
    return parse_message(past.message) if past.message else None


def _criteria() -> Criteria:
    """Return the criteria in the address; a state that does not exist is ignored."""
    typed = query_arguments.text("state")
    return Criteria(
        username=query_arguments.text("username"),
        animal=query_arguments.text("animal"),
        state=next((state for state in REQUEST_STATES if state.words_of_request == typed), None),
        first_day=query_arguments.day("first_day"),
        last_day=query_arguments.day("last_day"),
    )
