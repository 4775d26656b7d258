"""A person's own password."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import PasswordField
from wtforms.validators import EqualTo, InputRequired, Length

from imaging_pipeline.errors import ForbiddenError, InputError
from imaging_pipeline.passwords import LONGEST, SHORTEST
from imaging_pipeline.schemas.administer import people, sign_in
from imaging_pipeline.schemas.administer.change_log import utc_now
from imaging_pipeline.schemas.locks import in_transaction
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.forms import Form
from imaging_pipeline.web.page import Page
from imaging_pipeline.web.people import current_person, start_session

blueprint = Blueprint("password", __name__)
PAGE = Page(blueprint)


class PasswordForm(Form):
    """The old password, and the new one twice."""

    old_password = PasswordField("Old password", [InputRequired("Type it."), Length(max=LONGEST)])
    new_password = PasswordField(
        "New password",
        [InputRequired("Type one."), Length(SHORTEST, LONGEST, f"Take {SHORTEST} to {LONGEST} characters.")],
    )
    again_password = PasswordField(
        "The new one again", [EqualTo("new_password", "The two are not the same.")]
    )


@blueprint.route("/password", methods=["GET", "POST"])
def index() -> ResponseReturnValue:
    """Change the password, which ends the person's sessions elsewhere."""
    form = PasswordForm()
    if not form.validate_on_submit():
        return render_template("password.html", form=form), 422 if form.is_submitted() else 200
    person = current_person()
    old, new = str(form.old_password.data), str(form.new_password.data)
    address = request.remote_addr or "unknown"
    try:
        # Before the transaction: a failed attempt has to count, and must not be rolled back.
        people.check_password(tables(), person.username, old, address=address)
        bound = tables()
        with in_transaction(bound.connection):
            people.set_password(bound, person.username, new, by=person.username)
            # The new password has ended all sessions of the person, also this one.
            token = sign_in.begin(bound, person.username, address=address, now=utc_now())
    except ForbiddenError as error:
        form.add_error(error, form.old_password)
    except InputError as error:
        form.add_error(error, form.new_password)
    else:
        start_session(token, person)
        flash("The password is changed. Sessions elsewhere have ended.")
        return redirect(url_for("home.index"))
    return render_template("password.html", form=form), 422
