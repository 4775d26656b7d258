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
from imaging_pipeline.web.error_responses import go_on, status_of
from imaging_pipeline.web.links import links
from imaging_pipeline.web.page import Page
from imaging_pipeline.web.people import enter, leave, public, way_back
from imaging_pipeline.web.sign_in_form import SignInForm
from imaging_pipeline.web.submitted_fields import carried_fields

blueprint = Blueprint("sign_in", __name__)
PAGE = Page(blueprint)

_LAST = "username"


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def index() -> ResponseReturnValue:
    """Ask for name and password, and lead back to where the person was, with what they typed."""
    form = SignInForm(request.form or None, next=request.args.get("next", ""))
    if request.method == "GET" and current_user.is_authenticated:
        return redirect(way_back(form.next.data))
    if not form.validate_on_submit():
        page = render_template("sign_in/index.html", form=form, kept=carried_fields())
        return page, 422 if form.is_submitted() else 200
    try:
        _enter(str(form.username.data), str(form.password.data))
    except ForbiddenError as error:
        form.refuse(error)
        page = render_template("sign_in/index.html", form=form, kept=carried_fields())
        return page, status_of(error)
    if fields := carried_fields():
        return go_on(fields, str(form.next.data))
    return redirect(way_back(form.next.data))


@blueprint.route("/sign-in/link/<token>", methods=["GET", "POST"])
@public
def link(token: str) -> ResponseReturnValue:
    """Sign in who was given a link, once; a browser that only looks ahead does not use it up."""
    if request.method == "GET":
        return render_template("sign_in/link.html", username=links().username(token))
    username = links().used(token)
    now = utc_now()
    _welcome(sign_in.begin(tables(), username, address=request.remote_addr or "unknown", now=now), now)
    return redirect(url_for("home.index"))


@blueprint.post("/sign-out")
@public
def out() -> ResponseReturnValue:
    """End the session here and in the database."""
    leave()
    session.clear()
    return redirect(url_for("sign_in.index"))


def _enter(username: str, password: str) -> None:
    address = request.remote_addr or "unknown"
    now = utc_now()
    _welcome(sign_in.sign_in(tables(), username, password, address=address, now=now), now)


def _welcome(token: str, now: datetime) -> None:
    person = sign_in.person(tables(), token, now=now)
    if person is None:
        raise ForbiddenError("The session has ended already", remedy="Sign in again.")
    if session.get(_LAST) != person.username:
        # What another person's pages hold is not to be sent in this one's name.
        session.clear()
    session[_LAST] = person.username
    enter(token, person)
