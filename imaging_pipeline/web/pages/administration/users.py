"""People: who they are, what they may do, and how they get in."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from imaging_pipeline import passwords
from imaging_pipeline.errors import ForbiddenError
from imaging_pipeline.schemas.administer import administration, people
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.pages.administration.subjects import RowForm, added, adding, blueprint
from imaging_pipeline.web.people import me
from imaging_pipeline.web.queries import administration as queries

_ROLES = {"experimenter": "experimenter", "administrator": "administrator"}


class UserForm(RowForm):
    """A person."""

    username = StringField(
        "Username",
        [InputRequired("Give a name."), Length(max=64)],
        description="Requests are made with it, and people sign in by it.",
    )
    first_name = StringField("First name", [Length(max=128)])
    last_name = StringField("Last name", [Length(max=128)])
    email = StringField("Email", [Length(max=255)])
    role = SelectField("Role", choices=_ROLES)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List all people."""
    return render_template("administration/users.html", users=queries.users(tables()))


@blueprint.route("/users/add", methods=["GET", "POST"])
def add_user() -> ResponseReturnValue:
    """Add a person; a password is another step."""
    form = UserForm()
    return adding(form, "Add a user", "index", lambda: _added(form))


@blueprint.get("/user")
def user() -> ResponseReturnValue:
    """Show a person, and what can be done with them."""
    shown = queries.user(tables(), request.args.get("username", ""))
    return _shown(shown)


@blueprint.post("/user/password")
def reset_password() -> ResponseReturnValue:
    """Return a person a new password, and show it in this answer alone."""
    username = _other()
    password = passwords.generated()
    people.set_password(tables(), username, password, by=me().username)
    response = make_response(_shown(queries.user(tables(), username), password))
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/user/active")
def set_active() -> ResponseReturnValue:
    """Disable a person, or enable them again."""
    username, is_active = _other(), request.form.get("is_active") == "yes"
    people.set_active(tables(), username, is_active=is_active, by=me().username)
    flash(f"{username} is {'enabled' if is_active else 'disabled'}.")
    return redirect(url_for("administration.user", username=username))


@blueprint.post("/user/role")
def set_role() -> ResponseReturnValue:
    """Make a person an administrator or an experimenter."""
    username = _other()
    role = "administrator" if request.form.get("role") == "administrator" else "experimenter"
    people.set_administrator(tables(), username, is_administrator=role == "administrator", by=me().username)
    flash(f"{username} is an {role}.")
    return redirect(url_for("administration.user", username=username))


def _shown(shown: queries.UserRow, password: str | None = None) -> str:
    is_me = shown.username == me().username
    return render_template(
        "administration/user.html", shown=shown, password=password, is_me=is_me, roles=_ROLES
    )


def _other() -> str:
    """Return the person that is to be changed: somebody else, so that nobody shuts themselves out."""
    username = request.form.get("username", "")
    shown = queries.user(tables(), username)
    if shown.username == me().username:
        raise ForbiddenError(
            "Nobody does this with their own account",
            found=username,
            remedy="Ask another administrator. Your password you change by a click on your name.",
        )
    return shown.username


def _added(form: UserForm) -> str:
    is_staff = form.role.data == "administrator"
    values = {name: form[name].data or None for name in ("email", "first_name", "last_name")}
    name = str(form.username.data)
    made = administration.add_user(tables(), name, is_staff=is_staff, by=me().username, **values)
    return f"{added(f'the user {made.name}', is_new=made.is_new)} A click on the name leads to a password."
