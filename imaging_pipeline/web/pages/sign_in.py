"""Signing in and out."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from imaging_pipeline.errors import ForbiddenError
from imaging_pipeline.schemas.administer import sign_in
from imaging_pipeline.schemas.administer.change_log import utc_now
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.error_responses import send_again_page, status_of
from imaging_pipeline.web.links import links
from imaging_pipeline.web.page import Page
from imaging_pipeline.web.people import address_on_site, end_session, public, start_session
from imaging_pipeline.web.sign_in_form import SignInForm
from imaging_pipeline.web.submitted_fields import carried_fields

blueprint = Blueprint("sign_in", __name__)
PAGE = Page(blueprint)

_LAST_PERSON = "username"


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def index() -> ResponseReturnValue:
    """Ask for name and password, and redirect to the page that the person came from, with what they typed."""
    form = SignInForm(request.form or None, next=request.args.get("next", ""))
    if request.method == "GET" and current_user.is_authenticated:
        return redirect(address_on_site(form.next.data))
    if not form.validate_on_submit():
        page = render_template("sign_in/index.html", form=form, carried=carried_fields())
        return page, 422 if form.is_submitted() else 200
    try:
        _sign_in(str(form.username.data), str(form.password.data))
    except ForbiddenError as error:
        form.add_error(error)
        page = render_template("sign_in/index.html", form=form, carried=carried_fields())
        return page, status_of(error)
    if fields := carried_fields():
        return send_again_page(fields, str(form.next.data))
    return redirect(address_on_site(form.next.data))


@blueprint.route("/sign-in/link/<token>", methods=["GET", "POST"])
@public
def link(token: str) -> ResponseReturnValue:
    """Sign a person in by a link that is valid once; opening it does not use it up, as browsers prefetch."""
    if request.method == "GET":
        return render_template("sign_in/link.html", username=links().username(token))
    username = links().consume(token)
    now = utc_now()
    _begin(sign_in.begin(tables(), username, address=request.remote_addr or "unknown", now=now), now)
    return redirect(url_for("home.index"))


@blueprint.post("/sign-out")
@public
def out() -> ResponseReturnValue:
    """Sign out, here and in the database."""
    end_session()
    session.clear()
    return redirect(url_for("sign_in.index"))


def _sign_in(username: str, password: str) -> None:
    address = request.remote_addr or "unknown"
    now = utc_now()
    _begin(sign_in.sign_in(tables(), username, password, address=address, now=now), now)


def _begin(token: str, now: datetime) -> None:
    person = sign_in.person(tables(), token, now=now)
    # The user of a link may have been disabled since it was made; nothing before this notices.
    if person is None:
        raise ForbiddenError("The session has ended already", remedy="Sign in again.")
    if session.get(_LAST_PERSON) != person.username:
        # Forms that are still open in another person's pages must not be sent in this one's name.
        session.clear()
    session[_LAST_PERSON] = person.username
    start_session(token, person)
